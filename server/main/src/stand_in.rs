//! In the place of a local Supabase stack (`docs/supabase.toml`): SQL by TCP, the mail catcher's port, GoTrue's paths at the root.

use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use axum::{
    Router,
    http::{Request, Uri, uri::PathAndQuery},
};
use tenon_sdk::{config::Config, db::connect};
use tenon_services::{
    postgres::{Cluster, Listen, SUPERUSER},
    server::Server,
};
use tokio::net::TcpListener;
use tower::util::MapRequestLayer;

/// What the database has besides, once Tenon's own is there.
const DATABASE: &str = include_str!("stand_in.sql");

/// Whether and how the private cluster listens by TCP. Whoever can connect there is the superuser, so that it says so.
pub(crate) fn listen(config: &Config) -> anyhow::Result<Option<Listen>> {
    let database = &config.database;
    if database.sql_port == 0 {
        return Ok(None);
    }
    let password = database.sql_password.expose();
    if password.is_empty() {
        bail!("database.sql_port needs database.sql_password");
    }
    tracing::warn!(
        port = database.sql_port,
        "the database takes SQL from its superuser at 127.0.0.1: whoever knows the password is held by nothing. For development only"
    );
    Ok(Some(Listen {
        port: database.sql_port,
        password: password.to_owned(),
    }))
}

/// Adds to the database of a cluster that listens by TCP what SQL for a Supabase stack counts on.
pub(crate) async fn furnish(config: &Config, cluster: &Cluster) -> anyhow::Result<()> {
    if config.database.sql_port == 0 {
        return Ok(());
    }
    let (client, task) = connect(&cluster.connection(SUPERUSER, &config.database.name)).await?;
    client
        .batch_execute(DATABASE)
        .await
        .context("cannot furnish the database for SQL")?;
    drop(client);
    task.await?;
    Ok(())
}

/// Serves the mailbox in the form of a mail catcher, on this machine only, if a port is set.
pub(crate) async fn catch_mail(config: &Config, server: &Server) -> anyhow::Result<()> {
    let port = config.mail.catcher_port;
    if port == 0 {
        return Ok(());
    }
    if !config.mail.mailbox {
        bail!("mail.catcher_port needs mail.mailbox");
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port} (mail.catcher_port)"))?;
    let router = tenon_services::mail_catcher(server.kernel());
    tracing::info!(port, "mail is shown in Mailpit's form");
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!("the mail catcher ended: {error}");
        }
    });
    Ok(())
}

/// With `auth.at_root`, whatever is no other API's is taken for `/auth/v1`, as a GoTrue that stands alone has it.
pub(crate) fn at_root(config: &Config, router: Router) -> Router {
    if !config.auth.at_root {
        return router;
    }
    let below = MapRequestLayer::new(|mut request: Request<axum::body::Body>| {
        if let Some(moved) = below_auth(request.uri()) {
            *request.uri_mut() = moved;
        }
        request
    });
    Router::new().fallback_service(tower::Layer::layer(&below, router))
}

/// The address below `/auth/v1`, unless it is one of an API already.
fn below_auth(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let taken = [
        "/auth/v1",
        "/rest/v1",
        "/realtime/v1",
        "/storage/v1",
        "/api/v1",
        "/healthz",
        "/readyz",
        "/metrics",
    ];
    if taken.iter().any(|base| {
        path.strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let moved: PathAndQuery = format!("/auth/v1{path}{query}").parse().ok()?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(moved);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::below_auth;

    #[test]
    fn only_what_is_no_other_apis_is_taken_for_sign_in() {
        for (path, moved) in [
            ("/signup", Some("/auth/v1/signup")),
            (
                "/token?grant_type=password",
                Some("/auth/v1/token?grant_type=password"),
            ),
            ("/.well-known/jwks.json", Some("/auth/v1/.well-known/jwks.json")),
            ("/health", Some("/auth/v1/health")),
            ("/auth/v1/health", None),
            ("/rest/v1/", None),
            ("/healthz", None),
            ("/authority", Some("/auth/v1/authority")),
        ] {
            let found = below_auth(&path.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), moved, "{path}");
        }
    }
}
