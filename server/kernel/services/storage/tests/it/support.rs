//! What these tests share.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_testkit::{SERVICE_KEY, TestServer, TestServerOptions, TestUser, answer};

/// A server with files and nothing else.
pub async fn server() -> TestServer {
    server_with(TestServerOptions::default()).await
}

pub async fn server_with(options: TestServerOptions) -> TestServer {
    TestServer::start_with(vec![tenon_storage::module()], options).await
}

/// Below `/storage/v1`.
pub fn path(path: &str) -> String {
    format!("/storage/v1{path}")
}

/// A request by a program of the operator's.
pub fn service(server: &TestServer, method: Method, to: &str) -> RequestBuilder {
    server.anonymous(method, &path(to)).bearer_auth(SERVICE_KEY)
}

/// A request of a visitor who shows the key that everybody has.
pub fn visitor(server: &TestServer, method: Method, to: &str) -> RequestBuilder {
    let key = server.kernel().config().auth.publishable_key.clone();
    server.anonymous(method, &path(to)).bearer_auth(key)
}

pub fn by(user: &TestUser, method: Method, to: &str) -> RequestBuilder {
    user.request(method, &path(to))
}

pub async fn bucket(server: &TestServer, name: &str, about: Value) {
    let mut body = json!({ "id": name, "name": name });
    for (key, value) in about.as_object().unwrap() {
        body[key] = value.clone();
    }
    let (status, made) = answer(service(server, Method::POST, "/bucket").json(&body)).await;
    assert_eq!((status, &made["name"]), (200, &json!(name)), "{made}");
}

pub fn text(request: RequestBuilder, body: &str) -> RequestBuilder {
    request.header("content-type", "text/plain").body(body.to_owned())
}

/// An object put there by the operator.
pub async fn put(server: &TestServer, place: &str, body: &str) -> Value {
    let request = text(service(server, Method::POST, &format!("/object/{place}")), body);
    let (status, made) = answer(request.header("x-upsert", "true")).await;
    assert_eq!(status, 200, "{place}: {made}");
    made
}

/// The true status, the word and the text of a refusal.
pub fn refusal(told: &Value) -> (&str, &str, &str) {
    let text = |key: &str| told[key].as_str().unwrap_or_default();
    (text("statusCode"), text("code"), text("message"))
}

/// How much content the store has.
pub async fn kept(server: &TestServer) -> usize {
    let store = tenon_storage::store::open(server.kernel().config(), server.kernel().env()).unwrap();
    store.list(None, 10_000).await.unwrap().len()
}

pub async fn sql(server: &TestServer, statements: &str) {
    server.admin().await.batch_execute(statements).await.unwrap();
}
