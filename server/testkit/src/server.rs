//! A whole server on a real port.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::SignedDuration;
use serde_json::json;
use tenon_sdk::{
    Kernel, Module, OrgId, UserId,
    config::{Config, Limits},
    db::DbOptions,
    http::{Forgiving, Peer, Prompt},
    permission::Role,
};
use tenon_services::{
    identity::{Identity, NewUser},
    server::{Server, all_modules},
    tenancy::{self, NewOrganization},
};
use tokio::sync::Notify;

use crate::{TestClock, TestDatabase, TestOrg, TestUser};

/// How a test server is made.
#[derive(Debug, Default)]
pub struct TestServerOptions {
    /// Jobs stay in the queue.
    pub no_workers: bool,
    /// Changes to the settings.
    pub config: Option<fn(&mut Config)>,
    /// Changes to how the database is reached.
    pub database: Option<fn(&mut DbOptions)>,
}

/// A running server with a database of its own.
pub struct TestServer {
    server: Option<Server>,
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
    http: reqwest::Client,
    clock: TestClock,
    files: Arc<tempfile::TempDir>,
    // Last, so that connections are gone before it is dropped.
    database: Arc<TestDatabase>,
}

/// The master key of all test servers: 32 bytes of nothing.
pub const MASTER_KEY: &str = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// The service key of all test servers.
pub const SERVICE_KEY: &str = "sb_secret_of_tests_and_of_nothing_else";
/// The shared secret of all test servers, for tokens of older installations.
pub const JWT_SECRET: &str = "a-shared-secret-of-tests-and-of-nothing-else";

/// The password of all people in tests.
pub const PASSWORD: &str = "correct horse battery";

impl TestServer {
    /// Starts the kernel with the data API and the given modules.
    pub async fn start(modules: Vec<Module>) -> Self {
        Self::start_with(modules, TestServerOptions::default()).await
    }

    /// Starts with settings of its own.
    pub async fn configured(modules: Vec<Module>, config: fn(&mut Config)) -> Self {
        let options = TestServerOptions {
            config: Some(config),
            ..TestServerOptions::default()
        };
        Self::start_with(modules, options).await
    }

    /// Starts with options.
    pub async fn start_with(modules: Vec<Module>, options: TestServerOptions) -> Self {
        log_to_test_output();
        let reload = Arc::new(Notify::new());
        let modules = with_kernel(modules, &reload);
        let database = Arc::new(TestDatabase::create(&with_services(&modules)).await);
        let files = Arc::new(tempfile::tempdir().expect("a folder"));
        Self::start_on(database, files, modules, reload, options).await
    }

    /// Another server on the same database, as after a restart or beside it.
    pub async fn beside(&self, modules: Vec<Module>, options: TestServerOptions) -> Self {
        let reload = Arc::new(Notify::new());
        let modules = with_kernel(modules, &reload);
        Self::start_on(
            self.database.clone(),
            self.files.clone(),
            modules,
            reload,
            options,
        )
        .await
    }

    async fn start_on(
        database: Arc<TestDatabase>,
        files: Arc<tempfile::TempDir>,
        modules: Vec<Module>,
        reload: Arc<Notify>,
        options: TestServerOptions,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut config = Config::defaults();
        config.server.site_url = format!("http://{address}");
        // Tests ask for more from one address than people do; those about limits set theirs.
        config.auth.limits = Limits::NONE;
        config.auth.secret_key = SERVICE_KEY.into();
        config.auth.jwt_secret = JWT_SECRET.into();
        config.secrets.master_keys = MASTER_KEY.into();
        files.path().clone_into(&mut config.storage.folder);
        config.jobs.lease_seconds = 3;
        config.jobs.poll_seconds = 1;
        if let Some(change) = options.config {
            change(&mut config);
        }
        let mut reached = database.options();
        if let Some(change) = options.database {
            change(&mut reached);
        }
        let clock = TestClock::new();
        let mut server = Box::pin(Server::start(clock.env(), config, reached, reload, modules))
            .await
            .expect("the server starts");
        if !options.no_workers {
            server.start_workers();
        }
        let router = server.router();
        let serving = tokio::spawn(async move {
            axum::serve(
                Forgiving(Prompt(listener)),
                router.into_make_service_with_connect_info::<Peer>(),
            )
            .await
            .expect("the server serves");
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .expect("a client");
        Self {
            server: Some(server),
            address,
            serving,
            http,
            clock,
            files,
            database,
        }
    }

    /// Stops it as one that is told to: it takes leave, closes, and ends in order.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("taken only when dropped")
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        self.server().kernel()
    }

    /// The identity service.
    pub fn identity(&self) -> &Identity {
        self.server().identity()
    }

    /// The description of all commands.
    pub fn openapi(&self) -> serde_json::Value {
        serde_json::to_value(self.server().openapi()).expect("a document")
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client without identity.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A request by nobody.
    pub fn anonymous(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Puts the clock of the server forward.
    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A connection as the superuser.
    pub async fn admin(&self) -> tokio_postgres::Client {
        self.database.admin().await
    }

    /// A new person, signed in.
    pub async fn user(&self, name: &str) -> TestUser {
        let email = format!("{name}.{}@example.com", self.kernel().env().new_id().simple());
        let new = NewUser {
            email: &email,
            password: PASSWORD,
            data: &json!({ "name": name }),
        };
        let user = self.identity().create_user(new).await.expect("a new person");
        self.sign_in(UserId(user.id), &email).await
    }

    async fn sign_in(&self, id: UserId, email: &str) -> TestUser {
        let answer = self
            .http
            .post(self.url("/auth/v1/token?grant_type=password"))
            .json(&json!({ "email": email, "password": PASSWORD }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200, "sign-in of {email}");
        let session: serde_json::Value = answer.json().await.expect("a session");
        let token = session["access_token"].as_str().expect("a token").to_owned();
        TestUser::new(id, email.to_owned(), token, None, self.url(""), self.http.clone())
    }

    /// A new organisation with an owner.
    pub async fn organization(&self, name: &str) -> TestOrg {
        let owner = self.user("owner").await;
        let new = NewOrganization {
            name: name.to_owned(),
        };
        let made = tenancy::create_organization(self.kernel(), owner.id, &new)
            .await
            .expect("an organisation");
        TestOrg {
            id: OrgId(made.id),
            slug: made.slug,
            owner: owner.in_org(OrgId(made.id)),
        }
    }

    /// A new member of an organisation.
    pub async fn member(&self, org: &TestOrg, role: Role) -> TestUser {
        let user = self.user(role.as_str()).await;
        tenancy::add_member(self.kernel(), org.id, user.id, role)
            .await
            .expect("a new member");
        user.in_org(org.id)
    }

    /// Waits until no job is waiting or running, and fails if one was put aside.
    pub async fn drain_jobs(&self) {
        let admin = self.admin().await;
        for _ in 0..1200 {
            let row = admin
                .query_one(
                    "select count(*) filter (where state <> 'dead'), \
                     string_agg(name || ': ' || error::text, '; ') filter (where state = 'dead') from jobs.queue",
                    &[],
                )
                .await
                .expect("the queue");
            let dead: Option<String> = row.get(1);
            assert_eq!(dead, None, "a job was put aside");
            if row.get::<_, i64>(0) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("jobs are still in the queue after a minute");
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.serving.abort();
        if let (Some(server), Ok(runtime)) = (self.server.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(server.abandon());
        }
    }
}

/// What went wrong inside is shown with a failing test; `RUST_LOG` asks for more.
fn log_to_test_output() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    // A second test of the process finds the first one's subscriber.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_test_writer()
        .try_init();
}

/// What every server has, and the given modules: their tables write their changes to the trail.
fn with_kernel(modules: Vec<Module>, reload: &Arc<Notify>) -> Vec<Module> {
    let kernel = [tenon_data_api::module(reload.clone()), tenon_audit::module()];
    kernel.into_iter().chain(modules).collect()
}

/// The modules as a server will know them, to make the template database.
pub fn with_services(modules: &[Module]) -> Vec<Module> {
    all_modules(&Identity::describe_only(), modules.to_vec())
}
