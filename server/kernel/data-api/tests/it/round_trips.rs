//! A request is one round trip to PostgreSQL: everything it needs travels at once, and one answer comes back.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tenon_data_api::standalone;
use tenon_sdk::env::Env;
use tenon_testkit::{TestDatabase, TestServer, TestServerOptions};

use crate::counted::Counted;
use crate::server::{SHOW, goods, id};

/// Method, path, headers and body.
type Asked = (Method, &'static str, Vec<(&'static str, &'static str)>, Value);

/// Requests of every kind on makers and their items.
fn requests() -> Vec<Asked> {
    let exact = ("prefer", "count=exact");
    let bulk: Vec<Value> = (0..1000)
        .map(|number| json!({"name": format!("new {number}"), "id": id(1000 + number)}))
        .collect();
    let one = json!({"name": "new", "id": id(999)});
    vec![
        (Method::GET, "/items?name=eq.Bolt", vec![], Value::Null),
        (Method::HEAD, "/items?name=eq.Bolt", vec![exact], Value::Null),
        (
            Method::GET,
            "/makers?select=name,items(name,makers(name))&order=name&limit=50",
            vec![exact],
            Value::Null,
        ),
        (
            Method::GET,
            "/items?select=name,maker:makers!inner(name)&makers.name=neq.x&order=name",
            vec![],
            Value::Null,
        ),
        (Method::POST, "/items", vec![SHOW], one),
        (Method::POST, "/items", vec![], Value::Array(bulk)),
        (
            Method::PATCH,
            "/items?name=eq.Bolt",
            vec![SHOW],
            json!({"price": 2}),
        ),
        (
            Method::DELETE,
            "/items?name=like.new*",
            vec![("prefer", "return=representation,count=exact")],
            Value::Null,
        ),
        (Method::GET, "/rpc/cheapest", vec![], Value::Null),
        (Method::POST, "/rpc/cheapest", vec![], json!({})),
        (Method::GET, "/", vec![], Value::Null),
        (Method::GET, "/items?nothing=eq.1", vec![], Value::Null),
    ]
}

/// Sends every request several times. Timers may speak to the database meanwhile, so the least that one took counts.
async fn each_takes_one_turn(counted: &Counted, ask: impl Fn(Method, &str) -> RequestBuilder) {
    for (method, path, headers, body) in requests() {
        let mut least = (usize::MAX, usize::MAX);
        for _ in 0..6 {
            let mut request = ask(method.clone(), path);
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            if !body.is_null() {
                request = request.json(&body);
            }
            counted.reset();
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("a body");
            assert_eq!(status >= 400, path.contains("nothing"), "{method} {path}: {text}");
            least = least.min(counted.taken());
            if (method.as_str(), path) == ("POST", "/items") {
                let tidy = ask(Method::DELETE, "/items?name=like.new*");
                assert!(tidy.send().await.expect("an answer").status().is_success());
            }
        }
        assert_eq!(least, (1, 1), "{method} {path}");
    }
}

fn counted() -> &'static Counted {
    static COUNTED: OnceLock<Counted> = OnceLock::new();
    COUNTED.get_or_init(Counted::default)
}

#[tokio::test]
async fn the_server_asks_the_database_once_for_each_request() {
    let options = TestServerOptions {
        no_workers: true,
        database: Some(|reached| {
            let runtime = reached.runtime.take().expect("a login");
            reached.runtime = Some(counted().forward(&runtime));
        }),
        ..TestServerOptions::default()
    };
    let server = TestServer::start_with(vec![goods()], options).await;
    let here = server.organization("Here").await;
    for (path, body) in [
        ("/rest/v1/makers", json!({"id": id(1), "name": "Acme"})),
        (
            "/rest/v1/items",
            json!({"id": id(2), "name": "Bolt", "maker_id": id(1)}),
        ),
    ] {
        let made = here.owner.request(Method::POST, path).json(&body).send().await;
        assert_eq!(made.expect("an answer").status(), 201);
    }
    each_takes_one_turn(counted(), |method, path| {
        here.owner.request(method, &format!("/rest/v1{path}"))
    })
    .await;
}

const STANDALONE: &str = "
create schema store;
create table store.makers (id uuid primary key, name text not null);
create table store.items (id uuid primary key, name text not null unique, price numeric(10,2) not null default 0,
  maker_id uuid references store.makers);
create function store.cheapest() returns numeric language sql stable as $$ select min(price) from store.items $$;
grant usage on schema store to anon;
grant execute on function store.cheapest() to anon;
grant select, insert, update, delete on all tables in schema store to anon;
insert into store.makers values ('00000000-0000-0000-0000-000000000001', 'Acme');
insert into store.items values ('00000000-0000-0000-0000-000000000002', 'Bolt', 1, '00000000-0000-0000-0000-000000000001');
";

#[tokio::test]
async fn stand_alone_mode_asks_the_database_once_for_each_request() {
    let database = TestDatabase::create(&[]).await;
    let admin = database.admin().await;
    let role =
        "do $$ begin create role anon; exception when duplicate_object or unique_violation then null; end $$";
    admin.batch_execute(role).await.expect("a role");
    admin.batch_execute(STANDALONE).await.expect("tables");
    let counted = Counted::default();
    let through = counted.forward(&database.options().admin);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let file = std::env::temp_dir().join(format!("{}.conf", database.name()));
    let settings = format!(
        "db-uri = \"host=127.0.0.1 port={} user={} dbname={}\"\ndb-schemas = \"store\"\ndb-anon-role = \"anon\"\n\
         server-host = \"127.0.0.1\"\nserver-port = {port}\ndb-channel-enabled = false\n",
        through.get_ports()[0],
        through.get_user().expect("a user"),
        database.name(),
    );
    std::fs::write(&file, settings).expect("a file");
    let serving = tokio::spawn(standalone::serve(
        Env::real(),
        Some(file.clone()),
        std::future::pending(),
    ));
    let http = reqwest::Client::new();
    let base = format!("http://127.0.0.1:{port}");
    for waited in 0.. {
        let ready = http.get(format!("{base}/items")).send().await;
        if ready.is_ok_and(|answer| answer.status().is_success()) {
            break;
        }
        assert!(
            waited < 200 && !serving.is_finished(),
            "the server does not start"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    each_takes_one_turn(&counted, |method, path| {
        http.request(method, format!("{base}{path}"))
    })
    .await;
    serving.abort();
    let _ = std::fs::remove_file(file);
}
