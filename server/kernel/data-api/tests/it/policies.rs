//! What row-level security does to a read, told to operators.

use tenon_data_api::policies::{Evaluation, Policy, Question, Relation, Report, explain};

use reqwest::Method;
use serde_json::json;
use tenon_testkit::TestServer;

use crate::server::{goods, id, send};
use crate::standalone::Standalone;

const DEPOT: &str = r#"
create schema depot;
create function depot.me() returns int language plpgsql stable as
  $$ begin return nullif(current_setting('request.jwt.claims', true)::json ->> 'sub', '')::int; end $$;
create table depot.halls (id int primary key, name text);
insert into depot.halls select i, 'h' || i from generate_series(1, 3) i;
create table depot.staff (hall_id int, person int);
insert into depot.staff values (1, 7), (2, 8);
create table depot.boxes (id int primary key, hall_id int references depot.halls, owner int, secret bool default false);
insert into depot.boxes select i, 1 + i % 3, 7 + i % 2, i % 10 = 0 from generate_series(1, 60) i;
alter table depot.boxes enable row level security;
create policy own_by_row on depot.boxes for select using (owner = depot.me());
create policy own_once on depot.boxes using (owner = (select depot.me()));
create policy of_hall on depot.boxes for select to $clerk
  using (exists (select from depot.staff s where s.hall_id = boxes.hall_id and s.person = depot.me()));
create policy "no ""secrets" on depot.boxes as restrictive for select using (not secret);
create policy writes on depot.boxes for insert with check (true);
create table depot.locked (id int primary key);
insert into depot.locked values (1), (2);
alter table depot.locked enable row level security;
create table depot.shut (id int primary key);
insert into depot.shut values (1), (2);
alter table depot.shut enable row level security;
create policy nobody on depot.shut using (false);
create policy gate on depot.shut using ((select depot.me()) = 1);
create policy broken on depot.shut for select to $clerk using (1 / (id - id) = 1);
create table depot.mine (id int primary key);
alter table depot.mine owner to $clerk;
alter table depot.mine enable row level security;
create view depot.shelf as select id, hall_id from depot.boxes;
create view depot.caller_shelf with (security_invoker) as select id, hall_id from depot.boxes;
create table depot."odd ""table" (id int primary key, "odd; col" int);
insert into depot."odd ""table" values (1, 1), (2, 2);
alter table depot."odd ""table" enable row level security;
create policy "drop table x;--" on depot."odd ""table" using ("odd; col" = 1);
grant usage on schema depot to $visitor, $clerk;
grant select on all tables in schema depot to $visitor, $clerk;
revoke select on depot.locked from $visitor;
"#;

fn question(role: String, target: &str) -> Question {
    Question {
        target: target.to_owned(),
        schemas: vec!["depot".to_owned()],
        role,
        claims: Some(r#"{"sub": 7}"#.to_owned()),
        rows: 1000,
        ..Question::default()
    }
}

async fn ask(server: &Standalone, role: &str, target: &str) -> Report {
    let question = question(server.role(role), target);
    explain(&server.operator().await, &question)
        .await
        .unwrap_or_else(|error| panic!("{target}: {error}"))
}

fn of<'a>(report: &'a Report, name: &str) -> &'a Relation {
    let mut relations = report.relations.iter();
    relations
        .find(|relation| relation.name == name)
        .unwrap_or_else(|| panic!("{name}: {report:?}"))
}

fn policy<'a>(relation: &'a Relation, name: &str) -> &'a Policy {
    let mut policies = relation.policies.iter();
    policies
        .find(|policy| policy.name == name)
        .unwrap_or_else(|| panic!("{name}: {relation:?}"))
}

#[tokio::test]
async fn a_report_says_that_it_judged_the_first_rows_only() {
    let server = Standalone::start(DEPOT, &[("db-schemas", "depot")]).await;
    for (rows, more, told) in [(59, true, "of the first 59 rows"), (60, false, "of 60 rows")] {
        let question = Question {
            rows,
            ..question(server.role("visitor"), "/boxes")
        };
        let report = explain(&server.operator().await, &question)
            .await
            .expect("explained");
        let boxes = of(&report, "depot.boxes");
        assert_eq!((boxes.judged, boxes.more), (rows, more));
        assert!(report.to_string().contains(told), "{report}");
    }
}

#[tokio::test]
async fn policies_are_told_apart_by_what_they_let_through_and_how_often_they_run() {
    let server = Standalone::start(DEPOT, &[("db-schemas", "depot")]).await;
    let report = ask(&server, "visitor", "/boxes?select=id,halls(name)&id=gt.10").await;
    let boxes = of(&report, "depot.boxes");
    let names: Vec<&str> = boxes.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(
        names,
        ["own_by_row", "own_once", "no \"secrets"],
        "neither another role's nor those of writes"
    );
    assert_eq!((boxes.judged, boxes.visible), (60, Some(24)));
    let by_row = policy(boxes, "own_by_row");
    assert_eq!(
        (by_row.passed, by_row.evaluation),
        (Some(30), Some(Evaluation::PerRow))
    );
    let once = policy(boxes, "own_once");
    assert_eq!(
        (once.passed, once.evaluation),
        (Some(30), Some(Evaluation::Compared))
    );
    let secrets = policy(boxes, "no \"secrets");
    assert_eq!((secrets.permissive, secrets.passed), (false, Some(54)));
    assert_eq!(of(&report, "depot.halls").open, Some("row-level security is off"));
    let scan = report
        .steps
        .iter()
        .find(|step| step.name.ends_with("depot.boxes"));
    let scan = scan.unwrap_or_else(|| panic!("{report:?}"));
    assert_eq!((scan.rows, scan.evaluation), (Some(20), Evaluation::PerRow));

    let report = ask(&server, "clerk", "/boxes").await;
    let boxes = of(&report, "depot.boxes");
    let hall = policy(boxes, "of_hall");
    assert_eq!(
        (hall.passed, hall.evaluation),
        (Some(20), Some(Evaluation::Compared))
    );
    assert_eq!(hall.roles, [server.role("clerk")]);
    assert_eq!(
        of(&report, "depot.staff").reader,
        server.role("clerk"),
        "a policy reads it"
    );
    let text = report.to_string();
    for part in [
        "permissive \"of_hall\"",
        "restrictive \"no \\\"secrets\"",
        "worked out PER ROW",
        "together: ",
        "How PostgreSQL ran it",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn what_refuses_everything_fails_or_is_not_asked_is_told() {
    let server = Standalone::start(DEPOT, &[("db-schemas", "depot")]).await;
    let report = ask(&server, "clerk", "/locked").await;
    let locked = of(&report, "depot.locked");
    assert_eq!(
        (locked.policies.len(), locked.judged, locked.visible),
        (0, 2, Some(0))
    );
    assert!(report.to_string().contains("no permissive policy"), "{report}");
    let report = ask(&server, "visitor", "/locked").await;
    let refused = report.refused.clone().unwrap_or_default();
    assert!(refused.starts_with("42501"), "{refused}");

    let report = ask(&server, "visitor", "/shut").await;
    let shut = of(&report, "depot.shut");
    assert_eq!(shut.visible, Some(0));
    let nobody = policy(shut, "nobody");
    assert_eq!(
        (nobody.passed, nobody.evaluation),
        (Some(0), Some(Evaluation::Once))
    );
    let gate = policy(shut, "gate");
    assert_eq!((gate.passed, gate.evaluation), (Some(0), Some(Evaluation::Once)));
    let report = ask(&server, "clerk", "/shut").await;
    let broken = policy(of(&report, "depot.shut"), "broken");
    assert!(
        broken
            .error
            .as_deref()
            .is_some_and(|error| error.starts_with("22012")),
        "{broken:?}"
    );
    assert!(report.refused.is_some(), "{report}");

    let report = ask(&server, "clerk", "/mine").await;
    assert_eq!(
        of(&report, "depot.mine").open,
        Some("the reader owns it, or bypasses row-level security")
    );
    let report = ask(&server, "visitor", "/mine").await;
    assert_eq!(of(&report, "depot.mine").visible, Some(0));
    server.stop().await;
}

#[tokio::test]
async fn views_names_and_strangers_are_no_trap() {
    let server = Standalone::start(DEPOT, &[("db-schemas", "depot")]).await;
    let report = ask(&server, "visitor", "/shelf").await;
    assert!(of(&report, "depot.shelf").open.is_some());
    let below = of(&report, "depot.boxes");
    assert_ne!(below.reader, server.role("visitor"), "the view's owner reads it");
    assert!(below.open.is_some());
    let report = ask(&server, "visitor", "/caller_shelf").await;
    assert_eq!(of(&report, "depot.boxes").reader, server.role("visitor"));

    let report = ask(&server, "visitor", "/odd%20%22table").await;
    assert_eq!(of(&report, "depot.odd \"table").visible, Some(1));

    let operator = server.operator().await;
    let weak = format!("set session authorization {}", server.role("clerk"));
    operator.batch_execute(&weak).await.expect("the superuser may");
    let mut asked = question(server.role("clerk"), "/boxes");
    let refused = explain(&operator, &asked)
        .await
        .expect_err("it sees a part of the rows only");
    assert!(refused.to_string().contains("BYPASSRLS"), "{refused}");
    operator
        .batch_execute("reset session authorization")
        .await
        .expect("back");
    asked.role = "nobody\"; drop schema depot cascade; --".to_owned();
    assert!(explain(&operator, &asked).await.is_err());
    for target in ["/rpc/me", "/nothing", "/boxes?id=x", "/"] {
        let asked = question(server.role("clerk"), target);
        assert!(explain(&operator, &asked).await.is_err(), "{target}");
    }
    let left = operator
        .query("select from pg_class where relname like 'tenon\\_%'", &[])
        .await
        .expect("it can be asked");
    assert!(left.is_empty(), "nothing is kept");
    assert_eq!(server.get("/boxes?id=eq.1", None, &[]).await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn people_of_an_organisation_are_asked_for_by_id() {
    let server = TestServer::start(vec![goods()]).await;
    let here = server.organization("Here").await;
    let there = server.organization("There").await;
    for (org, number) in [(&here, 1), (&there, 2), (&there, 3)] {
        let maker = json!({"id": id(number), "name": format!("M{number}")});
        let (status, _) = send(&org.owner, Method::POST, "/rest/v1/makers", &[], &maker).await;
        assert_eq!(status, 201);
    }
    let operator = server.admin().await;
    let row = operator
        .query_one(
            "select user_id from tenancy.memberships where org_id = $1",
            &[&here.id.0],
        )
        .await
        .expect("it has an owner");
    let mut asked = Question {
        target: "/makers?select=name".to_owned(),
        schemas: vec!["goods".to_owned()],
        role: "authenticated".to_owned(),
        user: Some(row.get(0)),
        organization: Some(here.id.to_string()),
        rows: 100,
        ..Question::default()
    };
    let report = explain(&operator, &asked).await.expect("it is explained");
    assert_eq!(report.organization, Some(here.id.0));
    let makers = of(&report, "goods.makers");
    assert_eq!((makers.judged, makers.visible), (3, Some(1)), "{report}");
    asked.organization = Some(there.id.to_string());
    assert!(
        explain(&operator, &asked).await.is_err(),
        "this person is no member there"
    );
}
