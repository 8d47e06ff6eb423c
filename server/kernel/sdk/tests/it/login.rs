//! Signing in at an outside database: passwords of every kind, TCP, encryption.

use std::{path::Path, sync::Arc, time::Duration};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tenon_sdk::{
    Error, SystemTx,
    db::{Db, DbOptions, OrgSelector, RUNTIME_LOGIN, RequestContext, Surroundings},
    error::Kind,
};
use tenon_testkit::postgres::TestCluster;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_postgres::{Client, Config as PgConfig, NoTls, config::SslMode};

const PASSWORD: &str = "pässwörd with 'quotes'";

/// A cluster whose login asks for a password, reachable over TCP through a forwarder.
struct Outside {
    cluster: TestCluster,
    admin: Client,
    config: PgConfig,
}

impl Outside {
    async fn start(encrypting: bool) -> Self {
        let cluster = TestCluster::start(None).await.unwrap();
        let local: PgConfig = cluster.url().parse().unwrap();
        let (admin, connection) = local.connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        // What the tenancy module would bring; here only the way in matters.
        admin
            .batch_execute(
                "create schema kernel; create role tenon_authenticator login noinherit; \
                 grant usage on schema kernel to tenon_authenticator; \
                 create function kernel.begin_request(text, uuid, text, uuid, text, text, text, boolean, text, text, uuid, text) \
                 returns table (org_id uuid, member_role text, permissions text) \
                 language sql as $$ select null::uuid, session_user::text, '' $$; \
                 create function kernel.begin_system(text, text) returns void language sql as ''",
            )
            .await
            .unwrap();
        let socket = cluster.cluster().socket_dir().join(".s.PGSQL.5432");
        let port = forward(socket.as_path(), encrypting.then(tls_server)).await;
        let mut config = PgConfig::new();
        config
            .host("localhost")
            .port(port)
            .user(RUNTIME_LOGIN)
            .password(PASSWORD)
            .dbname("postgres");
        config.connect_timeout(Duration::from_secs(20));
        Self {
            cluster,
            admin,
            config,
        }
    }

    /// Makes the login ask for a password in one way.
    async fn ask_for(&self, method: &str, stored_as: &str) {
        let file: String = self.admin.query_one("show hba_file", &[]).await.unwrap().get(0);
        std::fs::write(
            file,
            format!("local all postgres trust\nlocal all all {method}\n"),
        )
        .unwrap();
        let password = PASSWORD.replace('\'', "''");
        let set = format!(
            "set password_encryption = '{stored_as}'; alter role tenon_authenticator password '{password}'"
        );
        self.admin.batch_execute(&set).await.unwrap();
        self.admin.execute("select pg_reload_conf()", &[]).await.unwrap();
        // The postmaster reads the file in its own time.
        crate::support::eventually("the new rules hold", async || {
            let sql = "select count(*) from pg_hba_file_rules where auth_method = $1";
            let known: i64 = self.admin.query_one(sql, &[&method]).await.unwrap().get(0);
            known > 0 && open(&self.without_password()).await.is_err()
        })
        .await;
    }

    fn without_password(&self) -> PgConfig {
        let mut config = PgConfig::new();
        config
            .host_path(self.cluster.cluster().socket_dir())
            .port(5432)
            .user(RUNTIME_LOGIN)
            .dbname("postgres");
        config
    }
}

async fn open(config: &PgConfig) -> Result<(), Error> {
    let db = db(config);
    let result = pipelined(&db).await;
    db.close();
    result
}

fn db(config: &PgConfig) -> Db {
    Db::new(DbOptions {
        admin: config.clone(),
        runtime: Some(config.clone()),
        pool_size: 2,
        pipeline_connections: 1,
        pipeline_write_connections: 0,
        pipeline_timeout: Duration::from_secs(20),
        record_statements: false,
    })
    .unwrap()
}

/// A request on the pipelined connection, which signs in by itself.
async fn pipelined(db: &Db) -> Result<(), Error> {
    let context = RequestContext {
        role: "anon",
        user: None,
        key: None,
        claims: "{}".into(),
        org: OrgSelector::Default,
        request: None,
        read_only: true,
        time_zone: None,
        surroundings: Surroundings::default(),
    };
    let resolved = db.resolve(&context).await?;
    assert_eq!(resolved.role.as_deref(), Some(RUNTIME_LOGIN));
    Ok(())
}

/// A transaction, whose connection the driver opens.
async fn pooled(db: &Db) -> Result<(), Error> {
    SystemTx::begin(db, "test").await?.commit().await
}

/// Forwards TCP connections to a unix socket; with TLS it ends the encryption, as a proxy before the database would.
async fn forward(socket: &Path, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = socket.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (socket, tls) = (socket.clone(), tls.clone());
            tokio::spawn(async move {
                let mut server = UnixStream::connect(socket).await.unwrap();
                // A client that gives up, as it should in some tests, ends the copy with an error.
                let _ = match tls {
                    Some(tls) => encrypted(client, &mut server, tls).await,
                    None => plain(client, &mut server).await,
                };
            });
        }
    });
    port
}

async fn plain(mut client: TcpStream, server: &mut UnixStream) -> std::io::Result<()> {
    copy_bidirectional(&mut client, server).await.map(drop)
}

async fn encrypted(
    mut client: TcpStream,
    server: &mut UnixStream,
    tls: Arc<ServerConfig>,
) -> std::io::Result<()> {
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await?;
    assert_eq!(
        asked,
        [0, 0, 0, 8, 4, 210, 22, 47],
        "the client asks for encryption before anything else"
    );
    client.write_all(b"S").await?;
    let mut client = tokio_rustls::TlsAcceptor::from(tls).accept(client).await?;
    copy_bidirectional(&mut client, server).await.map(drop)
}

fn tls_server() -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../data/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../data/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

#[tokio::test]
async fn both_clients_sign_in_with_every_kind_of_password() {
    let outside = Outside::start(false).await;
    for (method, stored_as) in [
        ("scram-sha-256", "scram-sha-256"),
        ("md5", "md5"),
        ("password", "scram-sha-256"),
    ] {
        outside.ask_for(method, stored_as).await;
        let right = db(&outside.config);
        pipelined(&right)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error:?}"));
        pooled(&right)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error:?}"));
        right.close();

        let mut wrong = outside.config.clone();
        let wrong = db(wrong.password("wrong"));
        let error = pipelined(&wrong).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_ref()),
            (Kind::Unavailable, "database.authentication"),
            "{method}"
        );
        assert!(
            error.details.unwrap().contains("password authentication failed"),
            "{method}"
        );
        assert!(pooled(&wrong).await.is_err(), "{method}");
        wrong.close();

        let missing = db(&outside.without_password());
        let error = pipelined(&missing).await.unwrap_err();
        assert_eq!(error.code, "database.password", "{method}: {error:?}");
        assert!(pooled(&missing).await.is_err(), "{method}");
        missing.close();
    }
    outside.cluster.stop().await;
}

#[tokio::test]
async fn encryption_that_is_required_and_not_offered_is_an_error() {
    let outside = Outside::start(false).await;
    let mut config = outside.config.clone();
    let required = db(config.ssl_mode(SslMode::Require));
    assert_eq!(pipelined(&required).await.unwrap_err().code, "database.no_tls");
    assert!(pooled(&required).await.is_err());
    required.close();
    outside.cluster.stop().await;
}

#[tokio::test]
async fn a_server_whose_authority_is_unknown_is_not_talked_to() {
    let outside = Outside::start(true).await;
    for mode in [SslMode::Require, SslMode::Prefer] {
        let mut config = outside.config.clone();
        let strict = db(config.ssl_mode(mode));
        for error in [
            pipelined(&strict).await.unwrap_err(),
            pooled(&strict).await.unwrap_err(),
        ] {
            assert_eq!(
                (error.kind, error.code.as_ref()),
                (Kind::Unavailable, "database.unavailable"),
                "{error:?}"
            );
            assert!(
                error
                    .details
                    .as_ref()
                    .is_some_and(|why| why.contains("UnknownIssuer")),
                "it says why: {error:?}"
            );
        }
        strict.close();
    }
    outside.cluster.stop().await;
}

#[tokio::test]
async fn a_server_whose_authority_is_trusted_is_talked_to_in_private() {
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/authority.pem");
    // Which authorities are trusted is read from the environment, so this test runs itself again in another one.
    if std::env::var_os("SSL_CERT_FILE").is_none_or(|file| file != authority.as_os_str()) {
        let again = [
            "login::a_server_whose_authority_is_trusted_is_talked_to_in_private",
            "--exact",
            "--nocapture",
        ];
        let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
        let status = command
            .args(again)
            .env("SSL_CERT_FILE", &authority)
            .status()
            .await
            .unwrap();
        assert!(status.success(), "with the test authority trusted");
        return;
    }
    let outside = Outside::start(true).await;
    outside.ask_for("scram-sha-256", "scram-sha-256").await;
    let mut config = outside.config.clone();
    let private = db(config.ssl_mode(SslMode::Require));
    pipelined(&private).await.unwrap();
    pooled(&private).await.unwrap();
    private.close();
    // The certificate is for localhost and for nothing else.
    let mut elsewhere = PgConfig::new();
    let port = outside.config.get_ports()[0];
    elsewhere
        .host("127.0.0.1")
        .port(port)
        .user(RUNTIME_LOGIN)
        .password(PASSWORD)
        .dbname("postgres");
    let wrong_name = db(elsewhere.ssl_mode(SslMode::Require));
    assert!(pipelined(&wrong_name).await.is_err() && pooled(&wrong_name).await.is_err());
    wrong_name.close();
    outside.cluster.stop().await;
}
