//! What can happen on the way of an import: mapping by hand, stale checks, cancelling, bad files, progress.

use std::fmt::Write;

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{TestServer, TestUser, answer};

use crate::support::{REGISTER, import, server, settled, upload};

const ORDERS: &str =
    "PO No.,Vendor,Ccy,Order Value,Start,Due\nPO-1,Nordvik Steel AS,GBP,1000,2025-01-01,2025-12-31\n";

fn id(import: &Value) -> &str {
    import["id"].as_str().unwrap()
}

async fn confirm(user: &TestUser, import: &Value) -> (u16, Value) {
    let body = json!({ "validation_version": import["validation_version"] });
    user.post_json(&format!("/api/v1/imports/{}/confirm", id(import)), &body)
        .await
}

async fn orders(server: &TestServer) -> i64 {
    server
        .admin()
        .await
        .query_one("select count(*) from purchasing.orders", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn columns_that_are_not_recognised_are_mapped_by_hand_once_and_remembered() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let strange = "Zeichen,Lieferant,Geld,Summe ABC\nB-1,Nordvik,EUR,10\n";
    let (_, made) = upload(&org.owner, "strange.csv", strange).await;
    let parsed = settled(&org.owner, id(&made)).await;
    assert_eq!(parsed["state"], "parsed", "{parsed}");
    assert!(
        parsed["error"]["code"]
            .as_str()
            .unwrap()
            .starts_with("imports.mapping_"),
        "{parsed}"
    );
    assert_eq!(
        parsed["sheets"][0]["headers"],
        json!(["Zeichen", "Lieferant", "Geld", "Summe ABC"])
    );

    let mapping = json!({ "sheets": [{
        "name": parsed["sheets"][0]["name"], "target": "orders", "header_row": 1,
        "columns": { "number": 0, "supplier": 1, "currency": 2, "value": 3 },
    }] });
    let path = format!("/api/v1/imports/{}/mapping", id(&made));
    let (status, mapped) = answer(org.owner.request(Method::PUT, &path).json(&mapping)).await;
    assert_eq!((status, &mapped["state"]), (202, &json!("mapped")), "{mapped}");
    let checked = settled(&org.owner, id(&made)).await;
    assert_eq!(
        (&checked["state"], &checked["counts"]["accepted"]),
        (&json!("validated"), &json!(1)),
        "{checked}"
    );

    let (_, next) = upload(&org.owner, "next.csv", strange.replace("B-1", "B-2")).await;
    let next = settled(&org.owner, id(&next)).await;
    assert_eq!(
        (&next["state"], &next["counts"]["accepted"]),
        (&json!("validated"), &json!(1)),
        "{next}"
    );

    let other = server.organization("Other").await;
    let (_, theirs) = upload(&other.owner, "next.csv", strange).await;
    assert_eq!(
        settled(&other.owner, id(&theirs)).await["state"],
        "parsed",
        "choices stay in their organisation"
    );
}

#[tokio::test]
async fn a_mapping_that_names_what_is_not_there_is_refused() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (_, made) = upload(&org.owner, "orders.csv", ORDERS).await;
    let checked = settled(&org.owner, id(&made)).await;
    let sheet = checked["sheets"][0]["name"].clone();
    for (mapping, code) in [
        (
            json!([{ "name": "nowhere", "target": "orders", "header_row": 1, "columns": {} }]),
            "unknown_sheet",
        ),
        (
            json!([{ "name": sheet, "target": "nothing", "header_row": 1, "columns": {} }]),
            "unknown_target",
        ),
        (
            json!([{ "name": sheet, "target": "orders", "header_row": 1, "columns": { "x": 0 } }]),
            "unknown_field",
        ),
    ] {
        let path = format!("/api/v1/imports/{}/mapping", id(&made));
        let request = org
            .owner
            .request(Method::PUT, &path)
            .json(&json!({ "sheets": mapping }));
        let (status, error) = answer(request).await;
        assert_eq!(
            (status, error["code"].as_str().unwrap()),
            (422, format!("imports.mapping_{code}").as_str())
        );
    }
}

#[tokio::test]
async fn a_confirmation_of_an_older_check_or_of_changed_data_is_refused() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (_, first) = upload(&org.owner, "a.csv", ORDERS).await;
    let (_, second) = upload(&org.owner, "b.csv", ORDERS.replace("PO-1", "PO-2")).await;
    let first = settled(&org.owner, id(&first)).await;
    let second = settled(&org.owner, id(&second)).await;

    let body = json!({ "validation_version": 99 });
    let (status, error) = org
        .owner
        .post_json(&format!("/api/v1/imports/{}/confirm", id(&first)), &body)
        .await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (409, "imports.validation_stale")
    );

    assert_eq!(confirm(&org.owner, &first).await.0, 202);
    assert_eq!(settled(&org.owner, id(&first)).await["state"], "committed");
    let (status, error) = confirm(&org.owner, &second).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (409, "imports.validation_stale"),
        "the books have changed"
    );
    assert_eq!(orders(&server).await, 1);
}

#[tokio::test]
async fn a_cancelled_import_leaves_no_file_and_no_rows_and_cannot_go_on() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (_, made) = upload(&org.owner, "a.csv", ORDERS).await;
    let checked = settled(&org.owner, id(&made)).await;
    let (status, cancelled) = org
        .owner
        .post_json(&format!("/api/v1/imports/{}/cancel", id(&made)), &json!({}))
        .await;
    assert_eq!((status, &cancelled["state"]), (200, &json!("cancelled")));
    let (status, error) = confirm(&org.owner, &checked).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (409, "imports.wrong_state")
    );
    let admin = server.admin().await;
    let left: i64 = admin
        .query_one(
            "select (select count(*) from imports.blocks) + (select count(*) from imports.file_chunks)",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_import_on_which_something_depends_is_not_undone() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let first = import(&org.owner, "orders.csv", ORDERS).await;
    let surveys = "QS #,Purchase Order,Survey Date,Total\nQS-1,PO-1,2025-02-01,900\n";
    let second = import(&org.owner, "surveys.csv", surveys).await;
    assert_eq!(second["state"], "committed", "{second}");
    let undo = |import: &Value| format!("/api/v1/imports/{}/undo", id(import));
    let (status, error) = org.owner.post_json(&undo(&first), &json!({})).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (409, "purchasing.import_in_use")
    );
    assert_eq!(org.owner.post_json(&undo(&second), &json!({})).await.0, 200);
    assert_eq!(org.owner.post_json(&undo(&first), &json!({})).await.0, 200);
    assert_eq!(orders(&server).await, 0);
}

#[tokio::test]
async fn bad_files_fail_with_a_reason_and_leave_nothing() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (status, error) = upload(&org.owner, "empty.xlsx", Vec::new()).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (422, "imports.file_empty")
    );
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../engines/imports/tests/data/");
    let read = |name: &str| std::fs::read(format!("{data}{name}")).unwrap();
    let truncated = REGISTER[..REGISTER.len() / 2].to_vec();
    let picture = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec();
    for (name, bytes, code) in [
        (
            "pass_protected.xlsx",
            read("pass_protected.xlsx"),
            "imports.file_encrypted",
        ),
        (
            "pass_protected.ods",
            read("pass_protected.ods"),
            "imports.file_encrypted",
        ),
        ("truncated.xlsx", truncated, "imports.file_malformed"),
        ("picture.xlsx", picture, "imports.file_not_recognised"),
    ] {
        let (status, made) = upload(&org.owner, name, bytes).await;
        assert_eq!(status, 201, "{name}: {made}");
        let failed = settled(&org.owner, id(&made)).await;
        assert_eq!(
            (&failed["state"], &failed["error"]["code"]),
            (&json!("failed"), &json!(code)),
            "{name}: {failed}"
        );
        assert!(
            failed["error"]["message"].as_str().unwrap().contains(name),
            "{name}: {failed}"
        );
        let (status, _) = confirm(&org.owner, &failed).await;
        assert_eq!(status, 409, "{name}");
    }
    assert_eq!(orders(&server).await, 0);
    server.drain_jobs().await;
}

#[tokio::test]
async fn too_large_files_and_unknown_templates_are_refused_at_the_door() {
    let server = TestServer::start_with(
        crate::support::modules(),
        tenon_testkit::TestServerOptions {
            no_workers: true,
            config: Some(|config| config.imports.max_file_bytes = 1 << 20),
            ..tenon_testkit::TestServerOptions::default()
        },
    )
    .await;
    let org = server.organization("Harbour").await;
    let (status, error) = upload(&org.owner, "big.csv", vec![b'a'; (1 << 20) + 1]).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (413, "imports.file_too_large")
    );
    let request = org
        .owner
        .post("/api/v1/imports?template=nothing.here&filename=a.csv")
        .body(ORDERS);
    let (status, error) = answer(request).await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (404, "imports.template_unknown")
    );
    let runs: i64 = server
        .admin()
        .await
        .query_one("select count(*) from imports.runs", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(runs, 0);
}

#[tokio::test]
async fn sql_and_formulas_in_every_cell_stay_text() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let hostile = "'; drop table purchasing.orders; --";
    let mut file = String::from("PO No.,Description,Vendor,Project,Ccy,Order Value\n");
    writeln!(
        file,
        "\"{hostile}\",\"=cmd|' /C calc'!A0\",\"Robert\"\"); --\",\"{{x}}\",GBP,1"
    )
    .unwrap();
    let done = import(&org.owner, "hostile.csv", file).await;
    assert_eq!(
        (&done["state"], &done["counts"]["accepted"]),
        (&json!("committed"), &json!(1)),
        "{done}"
    );
    let admin = server.admin().await;
    let row = admin
        .query_one("select number, description, project from purchasing.orders", &[])
        .await
        .unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(2)), (hostile, "{x}"));
    assert_eq!(row.get::<_, &str>(1), "=cmd|' /C calc'!A0");
}

#[tokio::test]
async fn the_refused_rows_come_back_as_a_workbook_with_reasons_and_the_template_is_importable() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let (_, made) = upload(&org.owner, "register.xlsx", REGISTER).await;
    settled(&org.owner, id(&made)).await;
    let path = format!("/api/v1/imports/{}/error-workbook", id(&made));
    let response = org.owner.get(&path).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(
        response.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .contains("register - refused rows.xlsx")
    );
    let refused = response.bytes().await.unwrap();
    assert!(refused.starts_with(b"PK"));
    let (_, again) = upload(&org.owner, "refused.xlsx", refused.to_vec()).await;
    let again = settled(&org.owner, id(&again)).await;
    assert_eq!(again["counts"]["rows"], 28 + 334, "{again}");

    let template = org
        .owner
        .get("/api/v1/imports/templates/purchasing.register/workbook");
    let template = template.send().await.unwrap().bytes().await.unwrap();
    let (_, filled) = upload(&org.owner, "template.xlsx", template.to_vec()).await;
    let filled = settled(&org.owner, id(&filled)).await;
    let targets: Vec<&Value> = filled["sheets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sheet| &sheet["target"])
        .collect();
    assert!(
        targets.contains(&&json!("orders")) && targets.contains(&&json!("surveys")),
        "{filled}"
    );
}

#[tokio::test]
async fn whoever_watches_an_import_hears_of_its_progress_and_strangers_do_not() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let (_, made) = upload(&ours.owner, "register.xlsx", REGISTER).await;
    let checked = settled(&ours.owner, id(&made)).await;
    let topic = format!("/realtime/v1/sse?topics=imports:{}", id(&made));
    let mut watching = ours.owner.get(&topic).send().await.unwrap();
    let mut strangers = theirs.owner.get(&topic).send().await.unwrap();
    assert_eq!(
        (watching.status().as_u16(), strangers.status().as_u16()),
        (200, 200)
    );
    let first = watching.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("event: ready"));
    strangers.chunk().await.unwrap().unwrap();

    assert_eq!(confirm(&ours.owner, &checked).await.0, 202);
    let mut heard = String::new();
    while !heard.contains(r#""state":"committed""#) {
        let chunk = watching.chunk().await.unwrap().expect("the stream goes on");
        heard.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(
        heard.contains("event: progress") && heard.contains(r#""phase":"committing""#),
        "{heard}"
    );
    let silence = tokio::time::timeout(std::time::Duration::from_millis(300), strangers.chunk()).await;
    assert!(silence.is_err(), "another organisation heard {silence:?}");

    let anonymous = server.anonymous(Method::GET, &topic);
    assert_eq!(answer(anonymous).await.0, 401);
    let (status, error) = ours.owner.get_json("/realtime/v1/sse?topics=nothing:here").await;
    assert_eq!(
        (status, error["code"].as_str().unwrap()),
        (400, "realtime.topic_unknown")
    );
}
