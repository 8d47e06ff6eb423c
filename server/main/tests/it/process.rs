//! The real binary as a process: started, watched, killed.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A folder that the account of PostgreSQL may enter, for data directories and logs.
pub fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new()
        .prefix("tenon-process-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A command of the binary without anything of the surroundings but what is given.
pub fn tenon(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenon"));
    let kept = [
        "PATH",
        "HOME",
        "TMPDIR",
        "TENON_PG_BIN",
        "LD_LIBRARY_PATH",
        "LLVM_PROFILE_FILE",
    ];
    let kept: Vec<_> = kept
        .iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
        .collect();
    command
        .env_clear()
        .envs(kept)
        .env("RUST_LOG", "warn")
        .env("TENON_JOBS__LEASE_SECONDS", "3")
        .args(arguments)
        .kill_on_drop(true);
    command
}

/// A running `tenon serve`.
pub struct Process {
    child: Child,
    base: String,
    log: PathBuf,
}

impl Process {
    /// Serves a data directory.
    pub async fn serve(data_dir: &Path) -> Self {
        let log = data_dir.with_extension("log");
        let data_dir = data_dir.to_str().unwrap();
        Self::start(tenon(&["serve", "--data-dir", data_dir, "--port", "0"]), &log).await
    }

    /// Starts a command that serves, and waits until it is ready.
    pub async fn start(mut command: Command, log: &Path) -> Self {
        let stderr = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(address) = line.strip_prefix("Tenon is ready at ") {
                    return Some(address.trim().to_owned());
                }
            }
            None
        };
        let base = tokio::time::timeout(Duration::from_mins(2), ready)
            .await
            .ok()
            .flatten();
        let base = base.unwrap_or_else(|| panic!("the server did not come up:\n{}", read(log)));
        // Somebody must read on, or a full pipe stops the server.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            child,
            base,
            log: log.to_owned(),
        }
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().expect("it runs").try_into().unwrap())
    }

    /// `http://` and where it listens.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Asks it to end and waits; whether it ended well.
    pub async fn terminate(self) -> bool {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        self.ends().await
    }

    /// Waits until it has ended; whether it ended well.
    pub async fn ends(mut self) -> bool {
        let status = tokio::time::timeout(Duration::from_mins(1), self.child.wait()).await;
        status.expect("it ends when told to").unwrap().success()
    }

    /// A request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
        let client = CLIENT.get_or_init(|| {
            // Without kept connections: servers come and go.
            let client = reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .timeout(Duration::from_mins(1));
            client.build().expect("a client")
        });
        client.request(method, format!("{}{path}", self.base))
    }

    /// What it logged.
    pub fn log(&self) -> String {
        read(&self.log)
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}

/// A person with an organisation, whom every server on the same database knows.
pub struct Person {
    token: String,
    org: String,
}

impl Person {
    /// Signs up and founds an organisation.
    pub async fn new(server: &Process, name: &str) -> Self {
        let account = json!({ "email": format!("{name}@example.com"), "password": "correct horse battery" });
        let session = send(server.request(Method::POST, "/auth/v1/signup").json(&account)).await;
        let token = session["access_token"].as_str().unwrap().to_owned();
        let found = server
            .request(Method::POST, "/api/v1/tenancy/organizations")
            .bearer_auth(&token);
        let made = send(found.json(&json!({ "name": name }))).await;
        Self {
            token,
            org: made["id"].as_str().unwrap().to_owned(),
        }
    }

    /// The id of the organisation.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// What signs this person in.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A request of this person in the organisation.
    pub fn request(&self, server: &Process, method: Method, path: &str) -> RequestBuilder {
        server
            .request(method, path)
            .bearer_auth(&self.token)
            .header("x-org-id", &self.org)
    }

    /// `GET`; `None` while the server or its database is away.
    pub async fn try_get(&self, server: &Process, path: &str) -> Option<Value> {
        let answer = self.request(server, Method::GET, path).send().await.ok()?;
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.ok()?;
        assert!(
            [200, 503].contains(&status),
            "{path}: {status} {body}\n{}",
            server.log()
        );
        (status == 200).then_some(body)
    }

    /// `GET`, patient with a database that is on its way back.
    pub async fn get(&self, server: &Process, path: &str) -> Value {
        for _ in 0..600 {
            if let Some(body) = self.try_get(server, path).await {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path}: no answer within half a minute\n{}", server.log());
    }

    /// Uploads a file and waits until it is checked.
    pub async fn upload(&self, server: &Process, filename: &str, bytes: impl Into<Vec<u8>>) -> Value {
        let path = format!("/api/v1/imports?template=purchasing.register&filename={filename}");
        let made = send(self.request(server, Method::POST, &path).body(bytes.into())).await;
        let checked = self.settled(server, made["id"].as_str().unwrap()).await;
        assert_eq!(checked["state"], "validated", "{checked}");
        checked
    }

    /// Confirms a checked import.
    pub async fn confirm(&self, server: &Process, checked: &Value) {
        let path = format!("/api/v1/imports/{}/confirm", checked["id"].as_str().unwrap());
        let body = json!({ "validation_version": checked["validation_version"] });
        send(self.request(server, Method::POST, &path).json(&body)).await;
    }

    /// Waits until the server no longer works on an import.
    pub async fn settled(&self, server: &Process, id: &str) -> Value {
        let mut last = Value::Null;
        for _ in 0..2400 {
            last = self.get(server, &format!("/api/v1/imports/{id}")).await;
            let state = last["state"].as_str().unwrap();
            if ![
                "uploaded",
                "parsing",
                "parsed",
                "mapped",
                "confirmed",
                "committing",
            ]
            .contains(&state)
            {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "the import did not settle within two minutes: {last}\n{}",
            server.log()
        );
    }
}

/// Sends a request that must succeed.
pub async fn send(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("an answer");
    let (status, url) = (answer.status(), answer.url().clone());
    let body: Value = answer.json().await.unwrap_or_default();
    assert!(status.is_success(), "{url}: {status} {body}");
    body
}
