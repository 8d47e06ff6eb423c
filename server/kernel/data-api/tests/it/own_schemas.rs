//! Schemas of the operator's own on a whole server: their tables follow their own policies and grants, need no
//! organisation, and do not loosen what guards the tables of organisations.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{TestServer, TestUser, answer};

use crate::server::{SHOW, goods, id, send};

const CLUB: &str = include_str!("club.sql");

/// A server that shows `club` and `stock` beside the app's schema, with their tables in place.
pub async fn start() -> TestServer {
    let server = TestServer::configured(vec![goods()], |config| {
        config.rest.schemas = ["club", "stock", "public"].map(str::to_owned).to_vec();
    })
    .await;
    server
        .admin()
        .await
        .batch_execute(CLUB)
        .await
        .expect("tables of the operator's own");
    settled(&server, "club", "/rest/v1/last").await;
    server
}

/// Waits until the schema is read anew, as far as this path shows it.
async fn settled(server: &TestServer, schema: &str, path: &str) {
    for _ in 0..100 {
        let request = server.anonymous(Method::GET, path);
        if answer(request.header("accept-profile", schema)).await.0 == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{path} of {schema} was not seen");
}

async fn visitor(server: &TestServer, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = server.anonymous(method, path).json(body);
    let profiles = [("accept-profile", "club"), ("content-profile", "club"), SHOW];
    let request = profiles
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, *value));
    answer(request).await
}

async fn member(user: &TestUser, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let profiles = [("accept-profile", "club"), ("content-profile", "club"), SHOW];
    send(user, method, path, &profiles, body).await
}

#[tokio::test]
async fn their_policies_and_grants_decide_and_no_organisation_is_needed() {
    let server = start().await;
    let halls = json!([{"id": 1, "name": "North"}, {"id": 2, "name": "South"}]);
    let read = visitor(&server, Method::GET, "/rest/v1/halls?order=id", &json!(null)).await;
    assert_eq!(read, (200, halls.clone()));
    for path in ["/rest/v1/bookings", "/rest/v1/ledger"] {
        let (status, refused) = visitor(&server, Method::GET, path, &json!(null)).await;
        assert_eq!(
            (status, &refused["code"]),
            (401, &json!("42501")),
            "{path}: {refused}"
        );
    }
    // Somebody who is in no organisation at all.
    let (ann, bob) = (server.user("ann").await, server.user("bob").await);
    let booking = json!({"hall_id": 1, "day": "2026-01-01"});
    let (status, made) = member(&ann, Method::POST, "/rest/v1/bookings", &booking).await;
    assert_eq!(
        (status, &made[0]["person"]),
        (201, &json!(ann.id.to_string())),
        "{made}"
    );
    let forged = json!({"hall_id": 2, "day": "2026-01-01", "person": ann.id.to_string()});
    let (status, refused) = member(&bob, Method::POST, "/rest/v1/bookings", &forged).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let move_it = member(
        &bob,
        Method::PATCH,
        "/rest/v1/bookings?hall_id=eq.1",
        &json!({"day": "2026-02-02"}),
    )
    .await;
    assert_eq!(move_it, (200, json!([])), "not his");
    let (status, refused) = member(
        &bob,
        Method::DELETE,
        "/rest/v1/bookings?hall_id=eq.1",
        &json!(null),
    )
    .await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let (status, refused) = member(&bob, Method::GET, "/rest/v1/ledger", &json!(null)).await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    // A column that is called org_id is a column like any other where no policy is Tenon's.
    let seen = member(
        &bob,
        Method::GET,
        "/rest/v1/bookings?select=day,org_id,hall:halls(name)",
        &json!(null),
    )
    .await;
    assert_eq!(
        seen,
        (
            200,
            json!([{"day": "2026-01-01", "org_id": null, "hall": {"name": "North"}}])
        )
    );
}

#[tokio::test]
async fn they_are_upserted_counted_and_called_like_anywhere_else() {
    let server = start().await;
    // A member of an organisation, who writes each row once, whatever organisation is meant.
    let org = server.organization("Here").await;
    let (ann, unnamed) = (&org.owner, format!("Bearer {}", org.owner.token));
    let booking = json!([{"hall_id": 1, "day": "2026-01-01", "note": "first"}]);
    let upsert = ("prefer", "return=representation, resolution=merge-duplicates");
    let profile = ("content-profile", "club");
    let path = "/rest/v1/bookings?on_conflict=hall_id,day&select=note";
    for (status, note) in [(201, "first"), (200, "second"), (200, "third")] {
        let mut booking = booking.clone();
        booking[0]["note"] = json!(note);
        let made = send(ann, Method::POST, path, &[profile, upsert], &booking).await;
        assert_eq!(made, (status, json!([{"note": note}])));
    }
    for number in 1..=3 {
        let request = server
            .anonymous(Method::POST, "/rest/v1/notices")
            .header("authorization", &unnamed);
        let request = request
            .header("content-profile", "club")
            .header("prefer", "return=representation");
        let (status, made) = answer(request.json(&json!({"body": "x"}))).await;
        assert_eq!((status, &made[0]["id"]), (201, &json!(number)), "{made}");
    }
    let free = "/rest/v1/rpc/halls_free?on_day=2026-01-01&select=name";
    assert_eq!(
        member(ann, Method::GET, free, &json!(null)).await,
        (200, json!([{"name": "South"}]))
    );
    let free = visitor(
        &server,
        Method::POST,
        "/rest/v1/rpc/halls_free",
        &json!({"on_day": "2026-01-02"}),
    )
    .await;
    assert_eq!(free.0, 401, "a visitor may not look into bookings: {}", free.1);
}

#[tokio::test]
async fn functions_see_who_asks_as_they_do_elsewhere_but_no_credentials() {
    let server = start().await;
    let ann = server.user("ann").await;
    let colour = [("accept-profile", "club"), ("x-colour", "blue")];
    let (status, seen) = send(&ann, Method::GET, "/rest/v1/rpc/whoami", &colour, &json!(null)).await;
    let expected = json!({"uid": ann.id.to_string(), "role": "authenticated", "email": ann.email, "user": "authenticated",
        "claims": "authenticated", "header": "blue", "token": null});
    assert_eq!((status, seen), (200, expected));
    let (status, seen) = visitor(&server, Method::GET, "/rest/v1/rpc/whoami", &json!(null)).await;
    let expected = json!({"uid": null, "role": "anon", "email": null, "user": "anon", "claims": "anon", "header": null, "token": null});
    assert_eq!((status, seen), (200, expected));
}

#[tokio::test]
async fn tables_of_organisations_stay_walled_in_them() {
    let server = start().await;
    let (here, there) = (
        server.organization("Here").await,
        server.organization("There").await,
    );
    let viewer = server.member(&here, Role::Viewer).await;
    let stock = [("accept-profile", "stock"), ("content-profile", "stock"), SHOW];
    let boxes = json!([{"id": 1, "label": "Bolts"}, {"id": 2, "label": "Nuts"}]);
    let (status, made) = send(&here.owner, Method::POST, "/rest/v1/boxes", &stock, &boxes).await;
    assert_eq!(
        (status, &made[0]["org_id"]),
        (201, &json!(here.id.to_string())),
        "{made}"
    );
    let moves = json!([{"id": 1, "box_id": 1, "amount": 2}, {"id": 2, "box_id": 1, "amount": 3}]);
    assert_eq!(
        send(&here.owner, Method::POST, "/rest/v1/moves", &stock, &moves)
            .await
            .0,
        201
    );
    // The other organisation has a box with the same number; only the organisation tells them apart.
    let other = json!([{"id": 1, "label": "Theirs"}]);
    assert_eq!(
        send(&there.owner, Method::POST, "/rest/v1/boxes", &stock, &other)
            .await
            .0,
        201
    );
    let list = "/rest/v1/boxes?select=label,moves(amount)&order=id";
    let own =
        json!([{"label": "Bolts", "moves": [{"amount": 2}, {"amount": 3}]}, {"label": "Nuts", "moves": []}]);
    assert_eq!(
        send(&viewer, Method::GET, list, &stock, &json!(null)).await,
        (200, own)
    );
    let theirs = json!([{"label": "Theirs", "moves": []}]);
    assert_eq!(
        send(&there.owner, Method::GET, list, &stock, &json!(null)).await,
        (200, theirs)
    );
    assert_eq!(
        send(
            &here.owner.in_org(there.id),
            Method::GET,
            list,
            &stock,
            &json!(null)
        )
        .await
        .0,
        404
    );
    let (status, refused) = send(
        &viewer,
        Method::POST,
        "/rest/v1/boxes",
        &stock,
        &json!({"id": 9, "label": "x"}),
    )
    .await;
    assert_eq!((status, &refused["code"]), (403, &json!("42501")), "{refused}");
    let anonymous = server
        .anonymous(Method::GET, "/rest/v1/boxes")
        .header("accept-profile", "stock");
    assert_eq!(answer(anonymous).await.0, 401);
    let total = |user: TestUser| async move {
        send(&user, Method::GET, "/rest/v1/rpc/total", &stock, &json!(null)).await
    };
    assert_eq!(total(viewer).await, (200, json!(5)));
    assert_eq!(total(there.owner).await, (200, json!(null)));
}

#[tokio::test]
async fn a_row_beside_a_tenant_table_is_written_once_and_shows_only_the_callers_side() {
    let server = start().await;
    let (first, second) = (
        server.organization("First").await,
        server.organization("Second").await,
    );
    let stock = [("content-profile", "stock"), ("accept-profile", "stock"), SHOW];
    for (org, label) in [(&first, "Bolts"), (&second, "Nuts")] {
        let body = json!({"id": 1, "label": label});
        assert_eq!(
            send(&org.owner, Method::POST, "/rest/v1/boxes", &stock, &body)
                .await
                .0,
            201
        );
    }
    // About a box of another organisation: the remark is there, the box is not.
    let path = "/rest/v1/remarks?select=body,box:boxes(label)";
    for (org, label) in [(&first, json!({"label": "Bolts"})), (&second, Value::Null)] {
        let body = json!({"body": "heavy", "org_id": org.id.to_string(), "box_id": 1});
        let request = server
            .anonymous(Method::POST, path)
            .bearer_auth(&first.owner.token)
            .json(&body);
        let request = stock
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let (status, made) = answer(request.header("x-org-id", &first.slug)).await;
        assert_eq!((status, made), (201, json!([{"body": "heavy", "box": label}])));
    }
    let all = send(
        &first.owner,
        Method::GET,
        "/rest/v1/remarks?select=id",
        &stock,
        &json!(null),
    )
    .await;
    assert_eq!(all, (200, json!([{"id": 1}, {"id": 2}])));
}

#[tokio::test]
async fn a_batch_goes_from_one_schema_to_the_other() {
    let server = start().await;
    let org = server.organization("Here").await;
    let batch = json!([
        {"id": "hall", "method": "GET", "path": "/rpc/halls_free?on_day=2026-01-01&select=id&limit=1&order=id", "schema": "club"},
        {"method": "POST", "path": "/makers", "body": {"id": id(1), "name": "Acme"}},
        {"method": "POST", "path": "/bookings?select=day", "schema": "club", "prefer": "return=representation",
         "body": {"hall_id": {"$ref": "hall/0/id"}, "day": "2026-01-01"}},
        {"method": "GET", "path": "/rpc/zone"},
    ]);
    let (status, body) = send(&org.owner, Method::POST, "/rest/v1/batch", &[], &batch).await;
    assert_eq!(
        (status, &body[2]["body"]),
        (200, &json!([{"day": "2026-01-01"}])),
        "{body}"
    );
}

#[tokio::test]
async fn what_belongs_to_the_kernel_is_not_reached_by_any_name() {
    let server = start().await;
    let owner = server.organization("Here").await.owner;
    for schema in [
        "kernel",
        "auth",
        "tenancy",
        "jobs",
        "events",
        "pg_catalog",
        "information_schema",
        "CLUB",
        "club\"",
        "",
    ] {
        let profile = [("accept-profile", schema)];
        let (status, refused) = send(&owner, Method::GET, "/rest/v1/users", &profile, &json!(null)).await;
        assert_eq!(
            (status, &refused["code"]),
            (406, &json!("PGRST106")),
            "{schema}: {refused}"
        );
    }
    // The search path leads a function's names, not a request's.
    let (status, _) = send(
        &owner,
        Method::GET,
        "/rest/v1/halls",
        &[("accept-profile", "public")],
        &json!(null),
    )
    .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_request_may_be_rehearsed_where_the_operator_allows_it() {
    let server = TestServer::configured(vec![goods()], |config| config.rest.tx_rollback = true).await;
    let owner = server.organization("Here").await.owner;
    let wish = ("prefer", "tx=rollback, return=representation");
    let item = json!({"id": id(1), "name": "Bolt"});
    let request = owner.post("/rest/v1/items").header(wish.0, wish.1).json(&item);
    let shown = request.send().await.expect("an answer");
    assert_eq!(shown.status(), 201);
    assert_eq!(
        shown.headers()["preference-applied"],
        "return=representation, tx=rollback"
    );
    let (status, made) = send(&owner, Method::POST, "/rest/v1/items", &[wish], &item).await;
    assert_eq!(
        (status, &made[0]["name"]),
        (201, &json!("Bolt")),
        "again, since it left no trace: {made}"
    );
    assert_eq!(owner.get_json("/rest/v1/items").await, (200, json!([])));
    let (status, refused) = send(
        &owner,
        Method::POST,
        "/rest/v1/items",
        &[wish],
        &json!({"id": id(1), "name": null}),
    )
    .await;
    assert_eq!((status, &refused["code"]), (400, &json!("23502")), "{refused}");
    let counted = owner
        .get("/rest/v1/items")
        .header("prefer", "tx=rollback, count=exact")
        .send()
        .await
        .expect("an answer");
    assert_eq!(counted.status(), 200);
    let commit = ("prefer", "tx=commit");
    assert_eq!(
        send(&owner, Method::POST, "/rest/v1/items", &[commit], &item)
            .await
            .0,
        201
    );
    assert_eq!(
        owner.get_json("/rest/v1/items?select=name").await,
        (200, json!([{"name": "Bolt"}]))
    );
}

#[tokio::test]
async fn without_the_setting_a_rehearsal_is_not_granted() {
    let server = TestServer::start(vec![goods()]).await;
    let owner = server.organization("Here").await.owner;
    let request = owner
        .post("/rest/v1/items")
        .header("prefer", "tx=rollback")
        .json(&json!({"id": id(1), "name": "Bolt"}));
    let made = request.send().await.expect("an answer");
    assert_eq!(
        (made.status().as_u16(), made.headers().get("preference-applied")),
        (201, None)
    );
    assert_eq!(
        owner.get_json("/rest/v1/items?select=name").await,
        (200, json!([{"name": "Bolt"}]))
    );
}

#[tokio::test]
async fn what_changes_in_the_database_is_seen_without_a_word() {
    let server = start().await;
    let ann = server.user("ann").await;
    let admin = server.admin().await;
    let look = async |path: &str| member(&ann, Method::GET, path, &json!(null)).await;
    let until = async |path: &str, wanted: u16| {
        for _ in 0..100 {
            if look(path).await.0 == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{path} did not become {wanted}: {:?}", look(path).await);
    };
    for (change, path, wanted) in [
        (
            "create table club.cups (id int primary key); grant select on club.cups to authenticated",
            "/rest/v1/cups",
            200,
        ),
        (
            "create function club.cheer() returns text language sql immutable as $$ select 'hey' $$; \
          grant execute on function club.cheer() to authenticated",
            "/rest/v1/rpc/cheer",
            200,
        ),
        (
            "alter table club.cups add hall_id int references club.halls",
            "/rest/v1/cups?select=id,halls(name)",
            200,
        ),
        ("drop table club.cups", "/rest/v1/cups", 404),
        ("alter schema club rename to society", "/rest/v1/halls", 404),
    ] {
        admin.batch_execute(change).await.expect("a change of the schema");
        until(path, wanted).await;
    }
}

/// A request with the service key of the test servers.
async fn service(server: &TestServer, path: &str, profile: &str) -> (u16, Value) {
    let request = server
        .anonymous(Method::GET, path)
        .bearer_auth(tenon_testkit::SERVICE_KEY)
        .header("accept-profile", profile);
    answer(request).await
}

#[tokio::test]
async fn in_an_open_schema_row_level_security_alone_decides_and_does_not_hold_the_service_key() {
    let server = TestServer::configured(vec![goods()], |config| {
        config.rest.open_schemas = vec!["public".to_owned()];
    })
    .await;
    server
        .admin()
        .await
        .batch_execute(
            "create table public.notes (id int primary key, owner uuid, word text); \
             insert into public.notes values (1, null, 'for nobody'), (2, gen_random_uuid(), 'for one'); \
             create table public.loose (id int); \
             alter table public.notes enable row level security; \
             create policy own on public.notes to authenticated using (owner = auth.uid());",
        )
        .await
        .expect("tables of the operator's own");
    settled(&server, "public", "/rest/v1/loose").await;
    assert_eq!(
        service(&server, "/rest/v1/notes?select=id", "public").await,
        (200, json!([{"id": 1}, {"id": 2}]))
    );
    let visitor = answer(
        server
            .anonymous(Method::GET, "/rest/v1/notes")
            .header("accept-profile", "public"),
    )
    .await;
    assert_eq!(visitor, (200, json!([])));
    // The wall of organisations holds it as it holds everybody.
    let org = server.organization("Harbour").await;
    let maker = json!({"id": id(1), "name": "Smith"});
    let (status, made) = send(&org.owner, Method::POST, "/rest/v1/makers", &[SHOW], &maker).await;
    assert_eq!(status, 201, "{made}");
    let (status, seen) = service(&server, "/rest/v1/makers?select=id", "goods").await;
    assert_eq!((status, seen), (200, json!([])));
}

#[tokio::test]
async fn a_schema_of_tenon_s_own_cannot_be_opened() {
    let server = TestServer::start(vec![goods()]).await;
    for own in ["auth", "kernel", "tenancy", "goods"] {
        let tx = tenon_sdk::SystemTx::begin(server.kernel().db(), "test")
            .await
            .unwrap();
        let refused = tx.query("select kernel.open($1)", &[&vec![own]]).await;
        assert_eq!(refused.expect_err(own).code, "config.invalid", "{own}");
    }
}
