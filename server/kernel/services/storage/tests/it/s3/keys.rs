//! Keys that an organisation makes for S3 clients.

use object_store::{ObjectStoreExt, PutPayload, path::Path};
use reqwest::Method;
use serde_json::json;
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestServerOptions, answer};

use super::{server, signing::Signer};
use crate::support::{bucket, put, sql};

async fn key(org: &tenon_testkit::TestOrg, scopes: &[&str]) -> (String, String, String) {
    let new = json!({ "kind": "secret", "name": "Backup", "scopes": scopes, "s3": true });
    let (status, made) = org.owner.post_json("/api/v1/access/keys", &new).await;
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("access_key_id"), text("secret_access_key"))
}

fn store(server: &TestServer, key: &str, secret: &str) -> object_store::aws::AmazonS3 {
    super::client(server, "files")
        .with_access_key_id(key)
        .with_secret_access_key(secret)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_key_reaches_its_organisations_files_within_its_scopes_until_it_is_revoked() {
    let server = server().await;
    let (org, other) = (
        server.organization("Harbour").await,
        server.organization("Mill").await,
    );
    sql(&server, "update tenancy.organizations set plan = 'business'").await;
    bucket(&server, "b", json!({})).await;
    put(&server, "b/operators.txt", "x").await;
    let (id, access, secret) = key(&org, &["storage.objects.read", "storage.objects.write"]).await;
    let client = store(&server, &access, &secret);
    let place = Path::from(format!("{}/a.txt", org.id));
    client.put(&place, PutPayload::from_static(b"x")).await.unwrap();
    assert_eq!(client.get(&place).await.unwrap().bytes().await.unwrap().len(), 1);
    // It may not delete, and sees nothing of others.
    assert!(client.delete(&place).await.is_err());
    let theirs = Path::from(format!("{}/a.txt", other.id));
    assert!(client.put(&theirs, PutPayload::from_static(b"x")).await.is_err());
    assert!(client.get(&theirs).await.is_err());
    let signer = Signer::of(&server, &access, &secret);
    let operators = signer.request(Method::GET, "/b/operators.txt", &[], "");
    assert_eq!(operators.send().await.unwrap().status(), 404);
    let (_, foreign, foreign_secret) = key(&other, &["storage.*"]).await;
    let stranger = store(&server, &foreign, &foreign_secret);
    assert!(stranger.get(&place).await.is_err());
    assert!(stranger.put(&place, PutPayload::from_static(b"y")).await.is_err());
    assert!(stranger.delete(&place).await.is_err());
    let upload = client.put_multipart(&place).await.unwrap();
    let listed =
        Signer::of(&server, &foreign, &foreign_secret).request(Method::GET, "/files?uploads=", &[], "");
    assert!(
        !listed
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("UploadId")
    );
    drop(upload);
    // Neither of its texts is shown again, and the one is not the other.
    let (_, keys) = org.owner.get_json("/api/v1/access/keys").await;
    assert_eq!(keys[0]["access_key_id"], json!(access));
    assert!(!keys.to_string().contains(&secret));
    let bearer = server
        .anonymous(Method::GET, "/api/v1/access/keys")
        .bearer_auth(&secret);
    assert_eq!(answer(bearer).await.0, 401);
    let events = server.admin().await;
    let told: String = events
        .query_one(
            "select coalesce(jsonb_agg(e), '[]')::text from events.outbox e",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(told.contains("access.key_created") && !told.contains(&secret));
    // Good for nothing at once, on a server, too, that has just seen it.
    let beside = server
        .beside(vec![tenon_storage::module()], TestServerOptions::default())
        .await;
    assert!(store(&beside, &access, &secret).get(&place).await.is_ok());
    let revoked = org
        .owner
        .request(Method::DELETE, &format!("/api/v1/access/keys/{id}"));
    assert_eq!(revoked.send().await.unwrap().status(), 204);
    for server in [&server, &beside] {
        assert!(store(server, &access, &secret).get(&place).await.is_err());
    }
    let left: i64 = events
        .query_one("select count(*) from tenancy.s3_secrets s join tenancy.api_keys k on k.id = s.key_id where k.org_id = $1", &[&org.id.0])
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn who_may_not_make_keys_makes_none_for_s3() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    sql(&server, "update tenancy.organizations set plan = 'business'").await;
    let new =
        |kind: &str| json!({ "kind": kind, "name": "k", "scopes": ["storage.objects.read"], "s3": true });
    let stranger = server.user("stranger").await;
    let member = server.member(&org, Role::Member).await;
    for user in [&stranger, &member] {
        let asked = user
            .request(Method::POST, "/api/v1/access/keys")
            .header("x-org-id", org.id.to_string());
        let (status, _) = answer(asked.json(&new("secret"))).await;
        assert!([403, 404].contains(&status), "{status}");
    }
    let visitor = server
        .anonymous(Method::POST, "/api/v1/access/keys")
        .json(&new("secret"));
    assert_eq!(answer(visitor).await.0, 401);
    let (status, told) = org
        .owner
        .post_json("/api/v1/access/keys", &new("publishable"))
        .await;
    assert_eq!((status, &told["code"]), (422, &json!("access.s3_needs_secret")));
    let plain = json!({ "kind": "secret", "name": "k", "scopes": ["storage.objects.read"] });
    let (_, made) = org.owner.post_json("/api/v1/access/keys", &plain).await;
    assert!(made.get("access_key_id").is_none());
    // A key that is none for S3 signs nothing.
    let id = made["id"].as_str().unwrap().replace('-', "").to_uppercase();
    let secret = made["secret"].as_str().unwrap();
    for (access, secret) in [
        (format!("TNN{id}"), secret),
        ("TNN00000000000000000000000000000000".to_owned(), "x"),
        ("TNN".to_owned(), ""),
    ] {
        let asked = Signer::of(&server, &access, secret).request(Method::GET, "/", &[], "");
        assert_eq!(asked.send().await.unwrap().status(), 403, "{access}");
    }
}
