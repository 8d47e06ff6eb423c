//! People and organisations in tests.

use reqwest::{Method, RequestBuilder};
use tenon_sdk::{OrgId, UserId};

/// An organisation and its owner.
#[derive(Clone, Debug)]
pub struct TestOrg {
    /// Its id.
    pub id: OrgId,
    /// Its name in addresses.
    pub slug: String,
    /// Its owner, speaking in it.
    pub owner: TestUser,
}

/// A signed-in person, perhaps speaking in an organisation.
#[derive(Clone, Debug)]
pub struct TestUser {
    /// Their id.
    pub id: UserId,
    /// Their e-mail address.
    pub email: String,
    /// Their access token.
    pub token: String,
    org: Option<OrgId>,
    base: String,
    http: reqwest::Client,
}

impl TestUser {
    pub(crate) fn new(
        id: UserId,
        email: String,
        token: String,
        org: Option<OrgId>,
        base: String,
        http: reqwest::Client,
    ) -> Self {
        Self {
            id,
            email,
            token,
            org,
            base,
            http,
        }
    }

    /// The same person speaking in an organisation, theirs or not.
    #[must_use]
    pub fn in_org(&self, org: OrgId) -> Self {
        Self {
            org: Some(org),
            ..self.clone()
        }
    }

    /// A request by this person in their organisation.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token);
        match self.org {
            Some(org) => request.header("x-org-id", org.to_string()),
            None => request,
        }
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// `GET`, the status and the JSON body (`null` if it is none).
    pub async fn get_json(&self, path: &str) -> (u16, serde_json::Value) {
        answer(self.get(path)).await
    }

    /// `POST` of JSON, the status and the JSON body (`null` if it is none).
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        answer(self.post(path).json(body)).await
    }
}

/// Sends a request; the status and the JSON body (`null` if it is none).
pub async fn answer(request: RequestBuilder) -> (u16, serde_json::Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}
