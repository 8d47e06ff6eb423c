//! The register with planted faults goes through the whole server.

use serde_json::{Value, json};
use tenon_sdk::permission::Role;

use crate::support::{REGISTER, import, server, settled, upload};

fn truth() -> Value {
    serde_json::from_str(include_str!("../data/orders-and-surveys.truth.json")).unwrap()
}

#[tokio::test]
async fn the_register_is_accepted_and_refused_row_by_row_as_its_answer_key_says() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (status, made) = upload(&org.owner, "register.xlsx", REGISTER).await;
    assert_eq!((status, &made["state"]), (201, &json!("uploaded")), "{made}");
    let id = made["id"].as_str().unwrap();
    let checked = settled(&org.owner, id).await;
    assert_eq!(checked["state"], "validated", "{checked}");
    let truth = truth();
    for (sheet, name) in [("orders", "Purchase Orders"), ("surveys", "QS Register")] {
        let shown = checked["sheets"]
            .as_array()
            .unwrap()
            .iter()
            .find(|shown| shown["name"] == name)
            .unwrap();
        assert_eq!(shown["target"], sheet);
        assert_eq!(
            (&shown["accepted"], &shown["refused"]),
            (&truth["accepted"][sheet], &truth["refused"][sheet])
        );

        let mut refused = Vec::new();
        let mut offset = 0;
        loop {
            let path =
                format!("/api/v1/imports/{id}/rows?sheet={name}&only=refused&limit=100&offset={offset}");
            let (status, page) = org.owner.get_json(&path).await;
            assert_eq!(status, 200, "{page}");
            let rows = page["rows"].as_array().unwrap();
            if rows.is_empty() {
                break;
            }
            offset += rows.len();
            refused.extend(rows.iter().map(|row| row["row"].as_u64().unwrap()));
        }
        let expected: Vec<u64> = truth[sheet]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["row"].as_u64().unwrap())
            .collect();
        assert_eq!(refused, expected, "{sheet}");
    }
}

#[tokio::test]
async fn a_committed_register_gives_every_order_its_utilisation_and_level() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let done = import(&org.owner, "register.xlsx", REGISTER).await;
    assert_eq!(done["state"], "committed", "{done}");
    let truth = truth();
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select number, billed_to_date = ($2::jsonb -> number ->> 'billed')::numeric, \
             round(utilisation, 4) = ($2::jsonb -> number ->> 'utilisation')::numeric, \
             level = $2::jsonb -> number ->> 'level' from purchasing.orders where org_id = $1",
            &[&org.id, &truth["utilisation"]],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 92);
    for row in rows {
        let number: String = row.get(0);
        assert_eq!(
            (row.get(1), row.get(2), row.get(3)),
            (Some(true), Some(true), Some(true)),
            "{number}"
        );
    }
    let (_, board) = org.owner.get_json("/api/v1/purchasing/board").await;
    for level in board["levels"].as_array().unwrap() {
        assert_eq!(level["orders"], truth["levels"][level["level"].as_str().unwrap()]);
    }
    assert_eq!(board["open_alerts"], 17 + 20 + 14);
    server.drain_jobs().await;
}

#[tokio::test]
async fn the_same_file_again_brings_nothing_and_an_undone_import_leaves_nothing() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let first = import(&org.owner, "register.xlsx", REGISTER).await;
    let (_, again) = upload(&org.owner, "register.xlsx", REGISTER).await;
    let again = settled(&org.owner, again["id"].as_str().unwrap()).await;
    assert_eq!(again["counts"]["accepted"], 0);
    let body = json!({ "validation_version": again["validation_version"] });
    let path = format!("/api/v1/imports/{}/confirm", again["id"].as_str().unwrap());
    let (status, refused) = org.owner.post_json(&path, &body).await;
    assert_eq!(
        (status, refused["code"].as_str().unwrap()),
        (422, "imports.nothing_to_import")
    );

    let undo = format!("/api/v1/imports/{}/undo", first["id"].as_str().unwrap());
    let (status, undone) = org.owner.post_json(&undo, &json!({})).await;
    assert_eq!((status, &undone["state"]), (200, &json!("undone")), "{undone}");
    let admin = server.admin().await;
    for table in ["orders", "entries", "suppliers", "alerts"] {
        let left: i64 = admin
            .query_one(&format!("select count(*) from purchasing.{table}"), &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(left, 0, "{table}");
    }
    let once_more = import(&org.owner, "register.xlsx", REGISTER).await;
    assert_eq!(once_more["state"], "committed");
}

#[tokio::test]
async fn what_is_done_with_an_import_stands_in_the_trail() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let done = import(&org.owner, "register.xlsx", REGISTER).await;
    let id = done["id"].as_str().unwrap();
    let undo = format!("/api/v1/imports/{id}/undo");
    assert_eq!(org.owner.post_json(&undo, &json!({})).await.0, 200);
    let (_, found) = org
        .owner
        .get_json(&format!("/api/v1/audit/entries?table=imports.runs&row={id}"))
        .await;
    let entries: Vec<&Value> = found["entries"].as_array().unwrap().iter().rev().collect();
    let told: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap(),
                entry["actor_kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("imports.run.upload", "user"),
            ("imports.run.confirm", "user"),
            ("imports.run.commit", "server"),
            ("imports.run.undo", "user"),
        ]
    );
    for entry in &entries {
        assert_eq!(entry["actor"], json!(org.owner.id), "{entry}");
        assert_eq!(entry["details"]["filename"], "register.xlsx");
    }
    assert_eq!(entries[2]["details"]["rows"], done["counts"]["accepted"]);
    let (status, found) = server
        .organization("Elsewhere")
        .await
        .owner
        .get_json("/api/v1/audit/entries?table=imports.runs")
        .await;
    assert_eq!((status, &found["entries"]), (200, &json!([])));
}

#[tokio::test]
async fn an_idempotency_key_makes_one_import() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let path = "/api/v1/imports?template=purchasing.register&filename=register.xlsx";
    let send = || {
        org.owner
            .post(path)
            .header("idempotency-key", "k1")
            .body(REGISTER)
    };
    let (status, one) = tenon_testkit::answer(send()).await;
    assert_eq!(status, 201);
    let (status, two) = tenon_testkit::answer(send()).await;
    assert_eq!((status, &two["id"]), (200, &one["id"]));
    settled(&org.owner, one["id"].as_str().unwrap()).await;
}

#[tokio::test]
async fn another_organisation_and_those_without_permission_reach_nothing_of_an_import() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let done = import(&ours.owner, "register.xlsx", REGISTER).await;
    let id = done["id"].as_str().unwrap();
    let sheet = "?sheet=QS%20Register";
    for path in [
        String::new(),
        format!("/rows{sheet}"),
        "/error-workbook".to_owned(),
    ] {
        let path = format!("/api/v1/imports/{id}{path}");
        let (status, _) = theirs.owner.get_json(&path).await;
        assert_eq!(status, 404, "{path}");
        let (status, _) = theirs.owner.in_org(ours.id).get_json(&path).await;
        assert_eq!(status, 404, "{path}");
        let (status, _) = tenon_testkit::answer(server.anonymous(reqwest::Method::GET, &path)).await;
        assert_eq!(status, 401, "{path}");
    }
    let (_, list) = theirs.owner.get_json("/api/v1/imports").await;
    assert_eq!(list["total"], 0);
    let viewer = server.member(&ours, Role::Viewer).await;
    for verb in ["confirm", "cancel", "undo"] {
        let body = json!({ "validation_version": 1 });
        let path = format!("/api/v1/imports/{id}/{verb}");
        let (status, refused) = viewer.post_json(&path, &body).await;
        assert_eq!(
            (status, refused["code"].as_str().unwrap()),
            (403, "tenancy.permission_denied"),
            "{verb}"
        );
        assert_eq!(theirs.owner.post_json(&path, &body).await.0, 404, "{verb}");
    }
    assert_eq!(upload(&viewer, "register.xlsx", REGISTER).await.0, 403);
}
