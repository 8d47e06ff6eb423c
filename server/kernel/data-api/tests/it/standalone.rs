//! The data API alone, on a socket, in front of a database of a test's own.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use tenon_data_api::standalone;
use tenon_sdk::env::Env;
use tenon_testkit::postgres::{PostgresHandle, shared};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_postgres::{Client, NoTls};

const SECRET: &str = "a secret that is long enough for tests";

/// A server, its database, and two roles: one for everybody, one for those with a token.
pub struct Standalone {
    postgres: PostgresHandle,
    folder: PathBuf,
    name: String,
    serving: tokio::task::JoinHandle<()>,
}

/// A connection of the superuser.
pub async fn superuser(postgres: &PostgresHandle, database: &str) -> Client {
    let (client, connection) = postgres
        .superuser(database)
        .connect(NoTls)
        .await
        .expect("the test cluster answers");
    tokio::spawn(connection);
    client
}

impl Standalone {
    /// Makes a database by a script, in which `$visitor` and `$clerk` are the roles, and serves it.
    pub async fn start(script: &str, settings: &[(&str, &str)]) -> Self {
        let name = format!("alone_{}", Env::real().new_id().simple());
        let postgres = shared();
        let admin = superuser(&postgres, "postgres").await;
        for text in [
            format!("create role {name}_visitor; create role {name}_clerk"),
            format!("create database {name}"),
        ] {
            admin.batch_execute(&text).await.expect("roles and a database");
        }
        let script = script
            .replace("$visitor", &format!("{name}_visitor"))
            .replace("$clerk", &format!("{name}_clerk"));
        let own = superuser(&postgres, &name).await;
        own.batch_execute(&script).await.expect("the script is valid");
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir(&folder).expect("a folder");
        let mut text = format!(
            "db-uri = \"{} dbname={name}\"\ndb-anon-role = \"{name}_visitor\"\njwt-secret = \"{SECRET}\"\n\
             server-unix-socket = \"{}\"\n",
            postgres.url(),
            folder.join("socket").display()
        );
        for (key, value) in settings {
            writeln!(text, "{key} = \"{value}\"").expect("a text grows");
        }
        let file = folder.join("settings");
        std::fs::write(&file, text).expect("the settings can be written");
        let serving = tokio::spawn(async move {
            standalone::serve(Env::real(), Some(file), std::future::pending())
                .await
                .expect("it serves");
        });
        while UnixStream::connect(folder.join("socket")).await.is_err() {
            assert!(!serving.is_finished(), "it serves");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Self {
            postgres,
            folder,
            name,
            serving,
        }
    }

    /// The operator's connection.
    pub async fn operator(&self) -> Client {
        superuser(&self.postgres, &self.name).await
    }

    /// The whole name of `visitor` or `clerk`.
    pub fn role(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// A token of the other role.
    pub fn clerk(&self) -> String {
        let claims =
            json!({"role": format!("{}_clerk", self.name), "exp": Env::real().now().as_second() + 600});
        encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(SECRET.as_bytes()),
        )
        .expect("a token")
    }

    pub async fn get(&self, target: &str, token: Option<&str>, headers: &[(&str, &str)]) -> (u16, Value) {
        self.send("GET", target, token, headers, "").await
    }

    pub async fn post(&self, target: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let headers = [("Content-Type", "application/json")];
        self.send("POST", target, token, &headers, &body.to_string())
            .await
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, Value) {
        // The older version: its answers are not in chunks and end with the connection.
        let mut text = format!("{method} {target} HTTP/1.0\r\nContent-Length: {}\r\n", body.len());
        let bearer = token.map(|token| ("Authorization", format!("Bearer {token}")));
        let bearer = bearer.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in headers.iter().copied().chain(bearer) {
            write!(text, "{name}: {value}\r\n").expect("a text grows");
        }
        write!(text, "\r\n{body}").expect("a text grows");
        let socket = self.folder.join("socket");
        let mut stream = UnixStream::connect(socket).await.expect("it listens");
        stream.write_all(text.as_bytes()).await.expect("it can be asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Ends it and removes what it made.
    pub async fn stop(self) {
        self.serving.abort();
        let admin = superuser(&self.postgres, "postgres").await;
        for text in [
            format!("drop database {} with (force)", self.name),
            format!("drop role {0}_visitor; drop role {0}_clerk", self.name),
        ] {
            admin.batch_execute(&text).await.expect("it can be removed");
        }
        std::fs::remove_dir_all(&self.folder).expect("the folder can be removed");
    }
}
