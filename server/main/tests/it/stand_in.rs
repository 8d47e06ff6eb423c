//! `docs/supabase.toml`: what programs and suites written for a local Supabase stack find, as they ask for it.

use std::{net::TcpListener, path::PathBuf, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::process::{Process, folder, tenon};

// Of every stack that `supabase start` makes.
pub(crate) const ANON: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNni43kdQwgnWNReilDMblYTn_I0";
pub(crate) const SERVICE: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1vIiwicm9sZSI6InNlcnZpY2Vfcm9sZSIsImV4cCI6MTk4MzgxMjk5Nn0.EGIM96RAZx35lJzdJsyH-qQwv8Hdp7fsn3W0YpN81IU";

/// A server with the settings of the file, on ports of its own.
pub(crate) struct Stack {
    pub(crate) server: Process,
    sql: u16,
    mail: u16,
    _folder: TempDir,
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn profile() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/supabase.toml"))
}

impl Stack {
    pub(crate) async fn start(more: &[&str]) -> Self {
        let folder = folder();
        let (sql, mail) = (free_port(), free_port());
        let mut command = tenon(&["serve", "--port", "0", "--set", "server.site_url="]);
        command.arg("--config").arg(profile());
        command.arg("--data-dir").arg(folder.path().join("data"));
        for setting in [
            format!("database.sql_port={sql}"),
            format!("mail.catcher_port={mail}"),
        ] {
            command.arg("--set").arg(setting);
        }
        for setting in more {
            command.arg("--set").arg(setting);
        }
        let server = Process::start(command, &folder.path().join("log")).await;
        Self {
            server,
            sql,
            mail,
            _folder: folder,
        }
    }

    /// SQL as `psql postgresql://postgres:postgres@127.0.0.1:54322/postgres` has it.
    pub(crate) async fn sql(&self, user: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.sql)
            .user(user)
            .password(password)
            .dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    fn request(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        let request = self.server.request(method, path);
        if key.is_empty() {
            request
        } else {
            request.header("apikey", key).bearer_auth(key)
        }
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, key: &str, body: Value) -> (u16, Value) {
        tenon_testkit::answer(self.request(method, path, key).json(&body)).await
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> (u16, Value) {
        tenon_testkit::answer(self.request(Method::GET, path, key)).await
    }

    /// Waits until a relation that was just made is known.
    pub(crate) async fn known(&self, path: &str) {
        for _ in 0..200 {
            if self.get(path, SERVICE).await.0 == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} is not known: {:?}", self.get(path, SERVICE).await);
    }

    /// A new person's token and id.
    async fn person(&self, email: &str) -> (String, String) {
        let body = json!({ "email": email, "password": "password123", "data": { "name": "Ada" } });
        let (status, session) = self.ask(Method::POST, "/auth/v1/signup", ANON, body).await;
        assert_eq!(status, 200, "{session}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&session["access_token"]), text(&session["user"]["id"]))
    }

    async fn mail(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let request = reqwest::Client::new().request(method, format!("http://127.0.0.1:{}{path}", self.mail));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

#[tokio::test]
async fn the_keys_that_every_local_stack_has_are_good() {
    let stack = Stack::start(&[]).await;
    for (key, path, status) in [
        (ANON, "/rest/v1/", 200),
        (ANON, "/auth/v1/settings", 200),
        (ANON, "/auth/v1/admin/users", 403),
        ("", "/auth/v1/admin/users", 401),
        (SERVICE, "/auth/v1/admin/users", 200),
        (SERVICE, "/rest/v1/", 200),
        ("sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH", "/rest/v1/", 200),
        (
            "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz",
            "/auth/v1/admin/users",
            200,
        ),
    ] {
        let (answered, body) = stack.get(path, key).await;
        assert_eq!(answered, status, "{path} with {key:?}: {body}");
    }
    // In GoTrue's words, which suites look for.
    for (path, body, words) in [
        ("/auth/v1/sso", json!({}), "SAML 2.0 is disabled"),
        (
            "/auth/v1/token?grant_type=web3",
            json!({ "chain": "solana" }),
            "Web3 provider is disabled",
        ),
        (
            "/auth/v1/token?grant_type=id_token",
            json!({ "provider": "google", "id_token": "x" }),
            "Provider (issuer \"https://accounts.google.com\") is not enabled",
        ),
        (
            "/auth/v1/signup",
            json!({ "email": "a", "password": "123456" }),
            "Unable to validate email address: invalid format",
        ),
        (
            "/auth/v1/otp",
            json!({ "email": "nobody@example.com", "create_user": false }),
            "Signups not allowed for otp",
        ),
        (
            "/auth/v1/otp",
            json!({ "phone": "+4930123456" }),
            "Unable to get SMS provider",
        ),
        (
            "/auth/v1/factors",
            json!({ "factor_type": "totp" }),
            "This endpoint requires a valid Bearer token",
        ),
    ] {
        let (status, answer) = stack.ask(Method::POST, path, ANON, body).await;
        assert!(
            status >= 400 && answer["msg"] == words,
            "{path}: {status} {answer}"
        );
    }
    let (status, answer) = stack.get("/auth/v1/user", "not.a.token").await;
    assert_eq!((status, &answer["error_code"]), (403, &json!("bad_jwt")));
    assert!(
        answer["msg"]
            .as_str()
            .unwrap()
            .starts_with("invalid JWT: unable to parse or verify signature")
    );
    assert!(stack.server.log().contains("takes SQL from its superuser"));
    assert!(stack.server.terminate().await);
}

#[tokio::test]
async fn what_is_made_by_sql_is_reached_as_on_a_local_stack() {
    let stack = Stack::start(&[]).await;
    for (user, password) in [
        ("postgres", "other"),
        ("postgres", ""),
        ("tenon_authenticator", "postgres"),
    ] {
        assert!(stack.sql(user, password).await.is_err(), "{user}");
    }
    let sql = stack.sql("postgres", "postgres").await.unwrap();
    sql.batch_execute(
        "create table public.profiles (id uuid primary key references auth.users (id) on delete cascade, name text); \
         alter table public.profiles enable row level security; \
         create policy \"their own\" on public.profiles for select to authenticated using ((select auth.uid()) = id); \
         create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$ \
           begin insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'name'); return new; end $$; \
         create trigger on_auth_user_created after insert on auth.users \
           for each row execute procedure public.handle_new_user(); \
         create table public.notes (id uuid primary key default uuid_generate_v4(), body text, \
           owner uuid default auth.uid(), made_by text default auth.role()); \
         alter table public.notes enable row level security; \
         create policy \"all read\" on notes for select using (true); \
         create policy \"people write\" on notes for insert to authenticated with check (owner = auth.uid()); \
         create table public.many (id int primary key); insert into many select generate_series(1, 1200); \
         create schema personal; grant usage on schema personal to anon; \
         create table personal.things (id int primary key); grant select on personal.things to anon; \
         create function public.who() returns jsonb language sql stable as $$ \
           select jsonb_build_object('role', auth.role(), 'email', auth.email(), 'jwt', auth.jwt() ->> 'iss', \
             'crypt', extensions.crypt('x', extensions.gen_salt('bf')) is not null) $$; \
         alter publication supabase_realtime add table public.notes; \
         select instance_id, aud, role, invited_at, confirmation_token, recovery_token, email_change, phone, confirmed_at, \
           banned_until, is_sso_user, is_anonymous, deleted_at, raw_app_meta_data from auth.users; \
         set role authenticator; set role authenticated; reset role",
    )
    .await
    .unwrap();
    stack.known("/rest/v1/notes").await;
    stack.known("/rest/v1/many").await;

    let (ada, id) = stack.person("ada@example.com").await;
    let (eve, _) = stack.person("eve@example.com").await;
    let profile = "/rest/v1/profiles?select=id,name";
    assert_eq!(
        stack.get(profile, &ada).await,
        (200, json!([{ "id": id, "name": "Ada" }]))
    );
    assert_eq!(stack.get(profile, ANON).await, (200, json!([])));
    assert_eq!(stack.get(profile, SERVICE).await.1.as_array().unwrap().len(), 2);

    let note = |body: &str| json!({ "body": body });
    assert_eq!(
        stack
            .ask(Method::POST, "/rest/v1/notes", &ada, note("hers"))
            .await
            .0,
        201
    );
    assert_eq!(
        stack
            .ask(Method::POST, "/rest/v1/notes", ANON, note("nobody's"))
            .await
            .0,
        401
    );
    let forged = json!({ "body": "x", "owner": id });
    assert_eq!(
        stack.ask(Method::POST, "/rest/v1/notes", &eve, forged).await.0,
        403
    );
    let (_, notes) = stack.get("/rest/v1/notes?select=body,owner,made_by", "").await;
    assert_eq!(
        notes,
        json!([{ "body": "hers", "owner": id, "made_by": "authenticated" }])
    );
    let (status, who) = stack.ask(Method::POST, "/rest/v1/rpc/who", &ada, json!({})).await;
    assert_eq!(
        (status, &who["role"], &who["email"]),
        (200, &json!("authenticated"), &json!("ada@example.com"))
    );

    // The profile of the data API.
    assert_eq!(
        stack.get("/rest/v1/many", ANON).await.1.as_array().unwrap().len(),
        1000
    );
    assert_eq!(
        stack.get("/rest/v1/many?select=count()", ANON).await.1,
        json!([{ "count": 1200 }])
    );
    let in_schema = async |schema: &str, path: &str| {
        let request = stack
            .request(Method::GET, path, ANON)
            .header("accept-profile", schema);
        tenon_testkit::answer(request).await
    };
    assert_eq!(in_schema("personal", "/rest/v1/things").await, (200, json!([])));
    assert_eq!(in_schema("graphql_public", "/rest/v1/").await.0, 200);
    assert_eq!(in_schema("kernel", "/rest/v1/").await.0, 406);
    let graphql = stack.request(Method::POST, "/rest/v1/rpc/graphql", ANON);
    let graphql = graphql
        .header("content-profile", "graphql_public")
        .json(&json!({ "query": "{ x }" }));
    let (status, answer) = tenon_testkit::answer(graphql).await;
    assert_eq!(
        (status, &answer["errors"][0]["message"]),
        (200, &json!("pg_graphql extension is not enabled."))
    );
    let plan = stack
        .request(Method::GET, "/rest/v1/many", ANON)
        .header("accept", "application/vnd.pgrst.plan+json");
    assert_eq!(plan.send().await.unwrap().status(), 200);
    let undone = stack
        .request(Method::POST, "/rest/v1/many", SERVICE)
        .header("prefer", "tx=rollback");
    let undone = undone.json(&json!({ "id": 5000 })).send().await.unwrap();
    assert_eq!(
        (undone.status().as_u16(), &undone.headers()["preference-applied"]),
        (201, &"tx=rollback".parse().unwrap())
    );
    assert_eq!(stack.get("/rest/v1/many?id=eq.5000", ANON).await.1, json!([]));

    // Whose person goes goes along.
    let gone = stack
        .ask(
            Method::DELETE,
            &format!("/auth/v1/admin/users/{id}"),
            SERVICE,
            json!({}),
        )
        .await;
    assert_eq!(gone.0, 200, "{}", gone.1);
    drop(sql);
    assert!(stack.server.terminate().await);
}

#[tokio::test]
async fn the_mail_catcher_answers_as_mailpit_and_as_inbucket_do() {
    let stack = Stack::start(&[]).await;
    let (_, info) = stack.mail(Method::GET, "/api/v1/info", None).await;
    assert_eq!(info["Messages"], 0);
    assert_eq!(
        stack.mail(Method::GET, "/api/v1/message/latest", None).await.0,
        404
    );
    for email in ["ada@example.com", "eve+cats@example.com"] {
        stack.person(email).await;
        let (status, _) = stack
            .ask(Method::POST, "/auth/v1/recover", ANON, json!({ "email": email }))
            .await;
        assert_eq!(status, 200);
    }
    let (_, all) = stack.mail(Method::GET, "/api/v1/messages?limit=1", None).await;
    assert_eq!(
        (&all["total"], &all["count"], &all["messages_count"]),
        (&json!(2), &json!(1), &json!(2))
    );
    assert_eq!(all["messages"][0]["To"][0]["Address"], "eve+cats@example.com");
    for (query, count) in [
        ("to:ada@example.com", 1),
        ("to:%22ada@example.com%22%20subject:password", 1),
        ("-to:ada@example.com", 1),
        ("example.com", 2),
        ("to:nobody@example.com", 0),
        ("tag:x", 0),
        ("", 2),
    ] {
        let (status, found) = stack
            .mail(Method::GET, &format!("/api/v1/search?query={query}"), None)
            .await;
        assert_eq!(
            (status.as_u16(), &found["messages_count"]),
            (200, &json!(count)),
            "{query}: {found}"
        );
    }
    let (_, found) = stack
        .mail(Method::GET, "/api/v1/search?query=to:ada@example.com", None)
        .await;
    let id = found["messages"][0]["ID"].as_str().unwrap().to_owned();
    let (_, mail) = stack
        .mail(Method::GET, &format!("/api/v1/message/{id}"), None)
        .await;
    assert!(
        mail["Text"].as_str().unwrap().contains("/auth/v1/verify?token="),
        "{mail}"
    );
    assert!(mail["HTML"].as_str().unwrap().contains("<a href="), "{mail}");
    // Without an address to go to, to the front end.
    assert!(
        mail["Text"]
            .as_str()
            .unwrap()
            .contains("redirect_to=http://127.0.0.1:3000"),
        "{mail}"
    );
    let (_, shown) = stack.mail(Method::GET, &format!("/view/{id}.txt"), None).await;
    assert_eq!(&shown, &mail["Text"]);
    for path in [
        "/api/v1/message/x",
        "/api/v1/message/00000000-0000-0000-0000-000000000000",
        "/view/x",
    ] {
        assert_eq!(stack.mail(Method::GET, path, None).await.0, 404, "{path}");
    }

    let (_, list) = stack.mail(Method::GET, "/api/v1/mailbox/eve", None).await;
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["mailbox"]),
        (1, &json!("eve"))
    );
    let (_, newest) = stack
        .mail(Method::GET, "/api/v1/mailbox/eve+cats@example.com/latest", None)
        .await;
    assert!(
        newest["body"]["text"].as_str().unwrap().contains("token="),
        "{newest}"
    );
    assert_eq!(
        stack.mail(Method::GET, "/api/v1/mailbox/bob", None).await.1,
        json!([])
    );
    assert_eq!(
        stack.mail(Method::DELETE, "/api/v1/mailbox/eve", None).await.0,
        200
    );

    let (_, left) = stack.mail(Method::GET, "/api/v1/messages", None).await;
    assert_eq!(left["total"], 1);
    let named = json!({ "IDs": ["none"] });
    stack.mail(Method::DELETE, "/api/v1/messages", Some(named)).await;
    assert_eq!(
        stack.mail(Method::GET, "/api/v1/messages", None).await.1["total"],
        1
    );
    assert_eq!(stack.mail(Method::DELETE, "/api/v1/messages", None).await.0, 200);
    assert_eq!(
        stack.mail(Method::GET, "/api/v1/messages", None).await.1["total"],
        0
    );
    assert!(stack.server.terminate().await);
}

#[tokio::test]
async fn gotrue_alone_has_its_paths_at_the_root() {
    let stack = Stack::start(&["auth.at_root=true", "auth.sign_up=false"]).await;
    assert_eq!(stack.get("/health", ANON).await.0, 200);
    assert_eq!(stack.get("/.well-known/jwks.json", ANON).await.0, 200);
    let body = json!({ "email": "ada@example.com", "password": "password123" });
    let (status, answer) = stack.ask(Method::POST, "/signup", ANON, body).await;
    assert_eq!(
        (status, &answer["msg"]),
        (422, &json!("Signups not allowed for this instance"))
    );
    assert_eq!(
        stack.get("/auth/v1/settings", ANON).await.1["disable_signup"],
        true
    );
    assert_eq!(stack.get("/rest/v1/", ANON).await.0, 200);
    assert!(stack.server.terminate().await);
}

#[tokio::test]
async fn settings_that_do_not_fit_together_are_named_at_the_start() {
    let folder = folder();
    for (settings, words) in [
        (
            ["database.sql_port=1", "database.sql_password="],
            "database.sql_password",
        ),
        (["mail.catcher_port=1", "mail.mailbox=false"], "mail.mailbox"),
        (
            ["rest.default_schema=elsewhere", "database.sql_port=0"],
            "rest.default_schema",
        ),
    ] {
        let mut command = tenon(&["serve", "--port", "0", "--data-dir"]);
        command.arg(folder.path().join("data"));
        for setting in settings {
            command.arg("--set").arg(setting);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains(words),
            "{settings:?}: {said}"
        );
    }
}
