//! Where a request comes from, for whoever records what was done: set once around its handler, given to every transaction that
//! may write.

use std::{
    future::Future,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

use crate::{ctx::Identity, env::Env, http::ClientAddress, telemetry::scope};

/// Longer texts of clients are cut: they stand in every entry.
const LONGEST: usize = 300;

tokio::task_local! {
    static ORIGIN: Arc<Origin>;
}

/// Who sends a request, from where and with what.
pub(crate) struct Origin {
    address: IpAddr,
    agent: Option<HeaderValue>,
    request: Option<HeaderValue>,
    identity: Identity,
    env: Env,
    /// Written when the first transaction asks for it: reads never do.
    text: OnceLock<Arc<str>>,
}

impl Origin {
    pub(crate) fn new(client: ClientAddress, headers: &HeaderMap, identity: Identity, env: Env) -> Self {
        Self {
            address: client.0,
            agent: headers.get(header::USER_AGENT).cloned(),
            request: scope::current(|scope| scope.request_id().cloned()).flatten(),
            identity,
            env,
            text: OnceLock::new(),
        }
    }

    /// Runs what answers the request.
    pub(crate) async fn around<F: Future>(self, answer: F) -> F::Output {
        ORIGIN.scope(Arc::new(self), answer).await
    }

    /// As `request.origin` has it: a JSON object.
    fn text(&self) -> Arc<str> {
        let text = || {
            let mut origin = Map::new();
            let mut add = |key: &str, value: String| origin.insert(key.to_owned(), Value::String(value));
            if !self.address.is_unspecified() {
                add("address", self.address.to_string());
            }
            if let Some(agent) = &self.agent {
                add("agent", readable(agent));
            }
            let named = self.request.as_ref().map(readable);
            add("request", named.unwrap_or_else(|| self.env.new_id().to_string()));
            if let Some(user) = self.identity.user {
                add("user", user.0.to_string());
            }
            if self.identity.role == "service_role" {
                add("role", self.identity.role.to_owned());
            }
            if let Some(key) = self.identity.key {
                add("key", key.id.to_string());
            }
            Value::Object(origin).to_string().into()
        };
        self.text.get_or_init(text).clone()
    }
}

/// A header as text that every database takes and that is not too long.
fn readable(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// The origin of the request that is being answered; none in a job.
pub(crate) fn current() -> Option<Arc<str>> {
    ORIGIN.try_with(|origin| origin.text()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(headers: &[(&'static str, &[u8])]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        let client = ClientAddress("192.0.2.1".parse().unwrap());
        let origin = Origin::new(client, &map, Identity::anonymous(), Env::real());
        serde_json::from_str(&origin.text()).unwrap()
    }

    #[test]
    fn what_clients_say_of_themselves_is_cut_and_quoted() {
        let told = text(&[("user-agent", b"\"},{\\ \xff\t<b>")]);
        assert_eq!(told["agent"], "\"},{\\ \u{fffd}<b>");
        let told_at_length = text(&[("user-agent", "ä".repeat(1000).as_bytes())]);
        assert_eq!(told_at_length["agent"].as_str().unwrap().chars().count(), LONGEST);
        assert_eq!(told["address"], "192.0.2.1");
    }

    #[test]
    fn a_request_without_a_name_gets_one_that_all_its_transactions_share() {
        let origin = Origin::new(
            ClientAddress("192.0.2.1".parse().unwrap()),
            &HeaderMap::new(),
            Identity::anonymous(),
            Env::real(),
        );
        assert_eq!(origin.text(), origin.text());
        assert!(origin.text().contains("\"request\""));
    }
}
