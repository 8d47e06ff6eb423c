//! A caller, as the database needs to know it: the same for channels as for a request of the data API.

use tenon_sdk::{
    Kernel,
    ctx::Identity,
    db::{OrgSelector, RequestContext, Surroundings},
};

/// The context of a caller in the organisation that was asked for.
pub fn of(kernel: &Kernel, identity: &Identity, org: &OrgSelector) -> RequestContext {
    let org = identity
        .key
        .and_then(|key| key.org)
        .map_or_else(|| org.clone(), |org| OrgSelector::Id(org.0));
    RequestContext {
        role: identity.role,
        user: identity.user,
        key: identity.key.map(|key| key.id),
        claims: identity.claims.clone(),
        org,
        request: Some(("GET".to_owned(), "/realtime/v1/websocket".to_owned())),
        read_only: true,
        time_zone: None,
        surroundings: Surroundings {
            search_path: search_path(kernel),
            headers: None,
        },
    }
}

/// Where functions that policies call look for names without a schema, where there are schemas of the operator's own.
fn search_path(kernel: &Kernel) -> Option<String> {
    let rest = &kernel.config().rest;
    let names = rest.schemas.iter().take(1).chain(&rest.extra_search_path);
    let names: Vec<String> = names
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect();
    (!rest.schemas.is_empty()).then(|| names.join(", "))
}
