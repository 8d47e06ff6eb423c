//! The S3 protocol, asked by a client of S3's, and by requests signed by hand where no client would ask so.

mod forms;
mod keys;
mod lists;
mod objects;
mod parts;
mod rights;
mod signing;
mod wire;

use object_store::{
    ObjectStoreExt,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};
use tenon_testkit::{TestServer, TestUser};

// The client speaks HTTP as the server's own does.
#[path = "../../../src/store/s3/http.rs"]
mod http_client;

const KEY: &str = "a-key-of-tests";
const SECRET: &str = "a-secret-of-tests-and-of-nothing-else";

/// A server with a key of the operator's.
async fn server() -> TestServer {
    TestServer::configured(vec![tenon_storage::module()], |config| {
        config.storage.protocol.access_key_id = KEY.into();
        config.storage.protocol.secret_access_key = SECRET.into();
    })
    .await
}

fn client(server: &TestServer, bucket: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_http_connector(http_client::Connector)
        .with_endpoint(server.url("/storage/v1/s3"))
        .with_allow_http(true)
        .with_virtual_hosted_style_request(false)
        .with_region("local")
        .with_bucket_name(bucket)
        .with_access_key_id(KEY)
        .with_secret_access_key(SECRET)
        .with_retry(object_store::RetryConfig {
            max_retries: 0,
            ..object_store::RetryConfig::default()
        })
}

fn program(server: &TestServer, bucket: &str) -> AmazonS3 {
    client(server, bucket).build().unwrap()
}

/// A person: the key that everybody has, and their token beside it.
fn person(server: &TestServer, user: &TestUser, bucket: &str) -> AmazonS3 {
    let config = server.kernel().config();
    client(server, bucket)
        .with_access_key_id(&config.storage.protocol.session_key_id)
        .with_secret_access_key(&config.auth.publishable_key)
        .with_token(&user.token)
        .build()
        .unwrap()
}

async fn read(store: &AmazonS3, key: &str) -> String {
    let got = store.get(&Path::parse(key).unwrap()).await.unwrap();
    String::from_utf8(got.bytes().await.unwrap().to_vec()).unwrap()
}
