//! Master keys of the real binary: in their file, rotated beside a running server, lost.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServerOptions;

use crate::{
    process::{Person, Process, folder, tenon},
    support::{all_modules, modules, server},
};

/// What the command says; it ends well.
async fn secrets(data_dir: &Path, arguments: &[&str]) -> String {
    let data_dir = data_dir.to_str().unwrap();
    let all = [&["secrets", "--data-dir", data_dir], arguments].concat();
    let done = tenon(&all).output().await.unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    said
}

async fn signs_in(server: &Process) -> bool {
    let account = json!({ "email": "harbour@example.com", "password": "correct horse battery" });
    let path = "/auth/v1/token?grant_type=password";
    let answer = server
        .request(Method::POST, path)
        .json(&account)
        .send()
        .await
        .unwrap();
    answer.status().is_success()
}

#[tokio::test]
async fn keys_are_rotated_beside_a_running_server_and_a_lost_one_keeps_it_from_starting() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let server = Process::serve(&data_dir).await;
    let person = Person::new(&server, "harbour").await;
    let file = data_dir.join("master.keys");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let said = secrets(&data_dir, &["status"]).await;
    assert!(said.contains("version 1 is the newest"), "{said}");
    assert!(said.contains(", 0 of them not yet"), "{said}");

    let said = secrets(&data_dir, &["rotate", "--values"]).await;
    assert!(said.contains("There is a new master key, version 2."), "{said}");
    assert!(said.contains("auth.signing_keys.sealed sealed anew"), "{said}");
    assert!(said.contains("storage.signing_keys.sealed sealed anew"), "{said}");
    assert!(said.contains("old data keys dropped"), "{said}");
    assert!(signs_in(&server).await);
    person.get(&server, "/api/v1/access/keys").await;

    // The next start needs what was made anew, and tokens from before are good.
    assert!(server.terminate().await);
    let said = secrets(&data_dir, &["rotate"]).await;
    assert!(said.contains("version 3 is the newest"), "{said}");
    let server = Process::serve(&data_dir).await;
    assert!(signs_in(&server).await);
    person.get(&server, "/api/v1/access/keys").await;
    assert!(server.terminate().await);

    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let arguments = ["serve", "--data-dir", data_dir.to_str().unwrap(), "--port", "0"];
    let refused = tokio::time::timeout(Duration::from_mins(1), tenon(&arguments).output());
    let refused = refused.await.expect("it does not serve").unwrap();
    assert!(!refused.status.success());
    let log = String::from_utf8_lossy(&refused.stderr);
    assert!(log.contains("The master key is not the one"), "{log}");
    std::fs::write(&file, kept).unwrap();
    let server = Process::serve(&data_dir).await;
    assert!(signs_in(&server).await);
}

#[tokio::test]
async fn nothing_that_is_declared_as_sealed_stands_in_the_clear_and_what_sql_wrote_is_sealed_by_the_next_start()
 {
    const TOLD: &str = "what the provider told us";
    let server = server().await;
    let org = server.organization("harbour").await;
    let factor = json!({ "factor_type": "totp", "friendly_name": "phone" });
    let (status, factor) = org.owner.post_json("/auth/v1/factors", &factor).await;
    assert_eq!(status, 200, "{factor}");
    let key = json!({ "kind": "secret", "name": "Backup", "scopes": ["storage.objects.read"], "s3": true });
    let (status, key) = org.owner.post_json("/api/v1/access/keys", &key).await;
    assert_eq!(status, 201, "{key}");
    let endpoint = json!({ "url": "https://no-such-host.invalid/", "events": ["none.at_all"] });
    let (status, endpoint) = org.owner.post_json("/api/v1/webhooks/endpoints", &endpoint).await;
    assert_eq!(status, 201, "{endpoint}");
    let admin = server.admin().await;
    admin
        .execute(
            "insert into auth.custom_oauth_providers (id, provider_type, identifier, name, client_id, client_secret, authorization_url, \
             token_url, userinfo_url) values (gen_random_uuid(), 'oauth2', 'custom:yard', 'Yard', 'tenon', $1, 'https://yard.example.com/a', \
             'https://yard.example.com/t', 'https://yard.example.com/u')",
            &[&TOLD],
        )
        .await
        .unwrap();
    let _next = server.beside(modules(), TestServerOptions::default()).await;

    let secrets = [
        TOLD,
        factor["totp"]["secret"].as_str().unwrap(),
        key["secret_access_key"].as_str().unwrap(),
        endpoint["secret"].as_str().unwrap(),
        "PRIVATE KEY",
    ];
    let mut seen = 0;
    for column in all_modules().into_iter().flat_map(|module| module.sealed) {
        let before = column.before.unwrap_or("null");
        let sql = format!(
            "select coalesce(jsonb_agg(t)::text, ''), count({}), count({before}) from {} t",
            column.column, column.table
        );
        let row = admin.query_one(&sql, &[]).await.unwrap();
        let (all, sealed, open): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
        assert!(sealed > 0, "{} was not tried", column.name());
        assert_eq!(open, 0, "{}", column.name());
        for secret in secrets {
            assert!(!all.contains(secret), "{}", column.name());
        }
        seen += 1;
    }
    assert!(seen >= 5);
}
