//! Looking into the trail: filters, pages, files, and who may.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::{audit::Action, permission::Role};
use tenon_testkit::answer;

use crate::support::{found, job, rename, server};

const ENTRIES: &str = "/api/v1/audit/entries";

#[tokio::test]
async fn strangers_other_organisations_and_members_without_the_permission_see_nothing() {
    let server = server().await;
    let (ours, theirs) = (
        server.organization("Ours").await,
        server.organization("Theirs").await,
    );
    let manager = server.member(&ours, Role::Manager).await;
    let entry = found(&ours.owner, "limit=1").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in [
        ENTRIES.to_owned(),
        format!("{ENTRIES}.csv"),
        format!("{ENTRIES}.jsonl"),
        format!("{ENTRIES}/{entry}"),
    ] {
        let visitor = server
            .anonymous(Method::GET, &path)
            .header("x-org-id", ours.id.to_string());
        assert_eq!(answer(visitor).await.0, 401, "{path}");
        assert_eq!(manager.get_json(&path).await.0, 403, "{path}");
        assert_eq!(
            theirs.owner.in_org(ours.id).get_json(&path).await.0,
            404,
            "{path}"
        );
    }
    let (status, _) = theirs.owner.get_json(&format!("{ENTRIES}/{entry}")).await;
    assert_eq!(status, 404);
    let seen = found(&theirs.owner, "limit=200").await;
    assert!(!seen.iter().any(|entry| entry["row"] == json!(ours.id)));
}

#[tokio::test]
async fn looking_is_recorded_with_what_was_looked_for() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    found(&org.owner, "text=H%C3%A4fen").await;
    let entries = found(&org.owner, "action=audit.entries.read").await;
    assert_eq!(entries[0]["details"]["text"], "Häfen", "{entries:?}");
    assert_eq!(entries[0]["actor"], json!(org.owner.id));
    let id = entries[0]["id"].as_str().unwrap();
    let (status, entry) = org.owner.get_json(&format!("{ENTRIES}/{id}")).await;
    assert_eq!((status, &entry), (200, &entries[0]));
    let looked = found(&org.owner, &format!("row={id}")).await;
    assert_eq!(looked.len(), 1, "{looked:?}");
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps_or_doubles() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let tx = job(&server, &org).await;
    for number in 0..25 {
        let row = number.to_string();
        let action = Action {
            row: Some(&row),
            ..Action::new("test.thing.done")
        };
        tx.audit(&action).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("{ENTRIES}?action=test.thing.done&limit=10&before={before}");
        let (status, page) = org.owner.get_json(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(
            page["entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["row"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut before),
            None => break,
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn filters_narrow_and_hostile_ones_are_refused_or_find_nothing() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    rename(&org.owner, "Harbour ☃ Works").await;
    let actor = org.owner.id;
    for query in [
        format!("actor={actor}&action=update"),
        "table=tenancy.organizations&action=update".to_owned(),
        format!("row={}&action=update", org.id),
        "text=%E2%98%83%20WORKS&action=update".to_owned(),
        "from=2000-01-01T00:00:00Z&to=2999-01-01T00:00:00Z&action=update".to_owned(),
    ] {
        assert_eq!(found(&org.owner, &query).await.len(), 1, "{query}");
    }
    for query in [
        "actor=00000000-0000-0000-0000-000000000000",
        "to=2000-01-01T00:00:00Z",
        "tag=none",
        "text=%25",
        "action=%27%20or%20true--",
    ] {
        assert!(found(&org.owner, query).await.is_empty(), "{query}");
    }
    for (query, status) in [
        ("actor=x", 400),
        ("from=yesterday", 400),
        ("limit=x", 400),
        ("before=x", 422),
        ("text=a%00b", 422),
        (&*format!("text={}", "x".repeat(201)), 422),
    ] {
        let (found, body) = org.owner.get_json(&format!("{ENTRIES}?{query}")).await;
        assert_eq!(found, status, "{query}: {body}");
    }
    assert_eq!(org.owner.get_json(&format!("{ENTRIES}/nothing")).await.0, 404);
}

#[tokio::test]
async fn files_have_every_entry_and_no_formula_and_taking_one_is_recorded() {
    let server = server().await;
    let org = server.organization("Harbour").await;
    let tx = job(&server, &org).await;
    for _ in 0..1500 {
        let action = Action {
            row: Some("=HYPERLINK(\"https://evil.example\")"),
            details: json!({ "line": "a\nb,\"c\"" }),
            ..Action::new("test.thing.done")
        };
        tx.audit(&action).await.unwrap();
    }
    tx.commit().await.unwrap();
    let take = async |form: &str| {
        let path = format!("{ENTRIES}.{form}?action=test.thing.done");
        let response = org.owner.get(&path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.text().await.unwrap()
    };
    let lines: Vec<Value> = take("jsonl")
        .await
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1500);
    assert!(
        lines
            .iter()
            .all(|line| line["row"] == "=HYPERLINK(\"https://evil.example\")")
    );
    let table = take("csv").await;
    assert_eq!(table.matches("'=HYPERLINK").count(), 1500);
    assert_eq!(table.matches("\"=HYPERLINK").count(), 0);
    assert!(table.starts_with("id,time,"));
    let taken = found(&org.owner, "action=audit.entries.exported").await;
    let forms: Vec<&Value> = taken.iter().map(|entry| &entry["details"]["form"]).collect();
    assert_eq!(forms, ["csv", "jsonl"]);
}
