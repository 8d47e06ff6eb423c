//! What a request may cost, on both servers.

use reqwest::Method;
use serde_json::json;
use tenon_sdk::config::Config;
use tenon_testkit::{TestServer, TestServerOptions};

use crate::server::{SHOW, goods, id, send};
use crate::shop::Shop;
use crate::standalone::Standalone;

fn narrow(config: &mut Config) {
    config.rest.aggregates = true;
    config.rest.max_cost = 1;
}

fn options() -> TestServerOptions {
    TestServerOptions {
        config: Some(narrow),
        ..TestServerOptions::default()
    }
}

#[tokio::test]
async fn the_planner_judges_requests_that_aggregate() {
    let mut shop = Shop::open().await;
    shop.settings.aggregates = true;
    shop.settings.max_cost = Some(2);
    for query in [
        "select=value.sum()",
        "select=level&having=(count().gt.1)",
        "select=number,entries(count())",
        "select=level&order=count()",
    ] {
        let answer = shop.get(&format!("/orders?{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "rest.too_costly"),
            "{query}"
        );
    }
    let details = shop.get("/orders?select=count()").await.body["details"].to_string();
    assert!(details.contains("the limit is 2."), "{details}");
    assert_eq!(
        shop.get("/orders?select=number,entries(amount)").await.status,
        200
    );
    shop.settings.max_cost = Some(1_000_000);
    assert_eq!(
        shop.get("/orders?select=value.sum()").await.body,
        json!([{"sum": 1349.50}])
    );
}

#[tokio::test]
async fn the_server_refuses_what_is_too_dear_and_roles_have_limits_of_their_own() {
    let server = TestServer::start_with(vec![goods()], options()).await;
    let here = server.organization("Here").await;
    let there = server.organization("There").await;
    let maker = json!({"id": id(1), "name": "Acme"});
    let (status, _) = send(&here.owner, Method::POST, "/rest/v1/makers", &[SHOW], &maker).await;
    assert_eq!(status, 201);

    let dear = "/rest/v1/makers?select=name,count()";
    let (status, refused) = here.owner.get_json(dear).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("rest.too_costly")),
        "{refused}"
    );
    assert_eq!(
        here.owner.get_json("/rest/v1/makers?select=name").await,
        (200, json!([{"name": "Acme"}]))
    );
    let (status, refused) = tenon_testkit::answer(server.anonymous(Method::GET, dear)).await;
    assert_ne!(status, 200, "{refused}");

    let operations = json!([
        {"method": "POST", "path": "/makers", "body": {"id": id(2), "name": "Bolt"}},
        {"id": "sum", "method": "GET", "path": "/makers?select=count()"},
    ]);
    let (status, refused) = send(&here.owner, Method::POST, "/rest/v1/batch", &[], &operations).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("rest.too_costly")),
        "{refused}"
    );
    assert_eq!(refused["operation"], json!({"index": 1, "id": "sum"}));
    assert_eq!(
        here.owner.get_json("/rest/v1/makers?select=name").await.1,
        json!([{"name": "Acme"}]),
        "nothing was done"
    );

    // Only in this database: others use the roles at the same time.
    let admin = server.admin().await;
    let database: String = admin
        .query_one("select current_database()::text", &[])
        .await
        .expect("it has a name")
        .get(0);
    let change =
        format!("alter role authenticated in database \"{database}\" set tenon.max_cost = '1000000'");
    admin
        .batch_execute(&change)
        .await
        .expect("the role can be changed");
    let generous = server.beside(vec![goods()], options()).await;
    for (org, expected) in [
        (&here, json!([{"name": "Acme", "count": 1}])),
        (&there, json!([])),
    ] {
        let signed = org.owner.get("/").build().expect("a request");
        let request = generous
            .http()
            .get(generous.url(dear))
            .headers(signed.headers().clone());
        assert_eq!(tenon_testkit::answer(request).await, (200, expected));
    }
}

#[tokio::test]
async fn standing_alone_it_asks_before_it_runs() {
    let server = Standalone::start(
        "create schema depot;
         create table depot.boxes (id int primary key, hall text, weight int);
         insert into depot.boxes select i, 'h' || i % 3, i from generate_series(1, 30) i;
         create function depot.before() returns void language plpgsql as $$ begin
           if current_setting('request.headers', true)::json ->> 'x-refuse' is not null then
             raise insufficient_privilege using message = 'not you';
           end if;
         end $$;
         grant usage on schema depot to $visitor;
         grant select on depot.boxes to $visitor;
         grant usage on schema depot to $clerk;
         grant select on depot.boxes to $clerk;
         alter role $clerk set tenon.max_cost = '1000000'",
        &[
            ("db-schemas", "depot"),
            ("db-aggregates-enabled", "true"),
            ("db-max-cost", "1"),
            ("db-pre-request", "depot.before"),
        ],
    )
    .await;
    let dear = "/boxes?select=hall,weight.sum()&having=(weight.sum().gt.155)&order=weight.sum().desc";
    let (status, refused) = server.get(dear, None, &[]).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("rest.too_costly")),
        "{refused}"
    );
    let (status, refused) = server.get(dear, None, &[("x-refuse", "1")]).await;
    assert_eq!(
        (status, &refused["message"]),
        (401, &json!("not you")),
        "{refused}"
    );
    let (status, rows) = server.get("/boxes?select=id&limit=1", None, &[]).await;
    assert_eq!((status, rows), (200, json!([{"id": 1}])));
    let clerk = server.clerk();
    let (status, rows) = server.get(dear, Some(&clerk), &[]).await;
    assert_eq!((status, rows), (200, json!([{"hall": "h0", "sum": 165}])));
    let batch = json!([{"method": "GET", "path": "/boxes?select=count()"}]);
    let (status, refused) = server.post("/batch", None, &batch).await;
    assert_eq!(
        (status, &refused["operation"]["index"]),
        (422, &json!(0)),
        "{refused}"
    );
    let (status, counted) = server.post("/batch", Some(&clerk), &batch).await;
    assert_eq!(
        (status, &counted[0]["body"]),
        (200, &json!([{"count": 30}])),
        "{counted}"
    );
    server.stop().await;
}
