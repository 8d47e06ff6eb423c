//! Every setting. `tenon.default.toml` at the root of the repository is both the defaults and their documentation;
//! a file and `TENON_…` variables override it (`TENON_SERVER__PORT=9000`).

mod auth;
mod captcha;
mod events;
mod external;
mod hooks;
mod issuer;
mod limits;
mod mail;
mod mails;
mod mfa;
mod outbound;
mod passkeys;
mod realtime;
mod secret;
mod secrets;
mod sms;
mod storage;
mod telemetry;
mod tenancy;
mod webhooks;

pub use auth::{Auth, CharacterClass};
pub use captcha::{Captcha, CaptchaProvider};
pub use events::Events;
pub use external::External;
pub use hooks::{Hook, Hooks};
pub use issuer::Issuer;
pub use limits::Limits;
pub use mail::{Mail, MailKey, MailProvider, MailSes};
pub use mails::{MailTemplate, MailWords, Mails};
pub use mfa::{Mfa, MfaPhone};
pub use outbound::Outbound;
pub use passkeys::Passkeys;
pub use realtime::Realtime;
pub use secret::Secret;
pub use secrets::{Secrets, SecretsVault};
pub use sms::{Sms, SmsProvider};
pub use storage::{Storage, StorageBackend, StorageProtocol, StorageRender, StorageS3, StorageScan};
pub use telemetry::{LogFormat, RequestLog, Telemetry};
pub use tenancy::Tenancy;
pub use webhooks::Webhooks;

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env as EnvVars, Format, Toml},
    value::Value,
};
use serde::Deserialize;

use crate::error::{Error, Result};

/// The defaults, as documented text.
pub const DEFAULTS: &str = include_str!("../../../../../tenon.default.toml");

/// All settings of one installation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the server listens.
    pub server: Server,
    /// Which PostgreSQL, and how it is used.
    pub database: Database,
    /// Sign-in.
    pub auth: Auth,
    /// Calls to others.
    pub outbound: Outbound,
    /// Organisations.
    pub tenancy: Tenancy,
    /// Mail.
    pub mail: Mail,
    /// Limits of uploads and workbooks.
    pub imports: Imports,
    /// Files.
    pub storage: Storage,
    /// The data API.
    pub rest: Rest,
    /// The job queue.
    pub jobs: Jobs,
    /// The outbox.
    pub events: Events,
    /// Telling others.
    pub webhooks: Webhooks,
    /// Live changes.
    pub realtime: Realtime,
    /// Master keys.
    pub secrets: Secrets,
    /// Logs, figures and traces.
    pub telemetry: Telemetry,
}

/// How the server listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address to listen on.
    pub bind: String,
    /// TCP port; 0 takes any free one.
    pub port: u16,
    /// Threads that serve requests; 0: one for each core, or for every second where a private PostgreSQL shares them.
    pub worker_threads: usize,
    /// The address people use, for links in invitations; empty: derived from bind and port.
    pub site_url: String,
    /// Largest request body in bytes outside of uploads.
    pub max_body_bytes: usize,
    /// Seconds in which some more of a request's body must come.
    pub body_idle_seconds: u64,
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed, as `10.0.0.0/8`.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Seconds between a stopping server's saying so and its closing.
    pub leave_seconds: u64,
    /// Seconds a closing server waits for open requests and running jobs.
    pub drain_seconds: u64,
}

/// Which PostgreSQL, and how it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// An outside server; empty: a private cluster under the data directory.
    pub url: String,
    /// Where the private cluster and its lock live.
    pub data_dir: PathBuf,
    /// The private cluster's database.
    pub name: String,
    /// The TCP port on 127.0.0.1 at which the private cluster takes SQL, too; 0: none.
    pub sql_port: u16,
    /// The password of its superuser there.
    pub sql_password: Secret,
    /// Exclusive connections, for transactions of commands and jobs.
    pub pool_size: usize,
    /// Shared connections on which reads of the data API are pipelined.
    pub pipeline_connections: usize,
    /// The same for its writes; none lets them share those of reads.
    pub pipeline_write_connections: usize,
    /// Milliseconds after which a pipelined statement is given up.
    pub pipeline_timeout_ms: u64,
}

/// Limits of uploads and workbooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    /// Largest file in bytes.
    pub max_file_bytes: usize,
    /// Largest size in bytes after decompression.
    pub max_decompressed_bytes: u64,
    /// Most data rows in a file.
    pub max_rows: u32,
}

/// The data API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// Most rows of one answer.
    pub max_rows: u64,
    /// Aggregate functions are allowed.
    pub aggregates: bool,
    /// Most that a request which aggregates may cost by the estimate of PostgreSQL's planner; 0 for no limit.
    pub max_cost: u64,
    /// Exposed schemas of the operator's own, after those that apps show.
    pub schemas: Vec<String>,
    /// The exposed schema of requests that name none; empty: the first.
    pub default_schema: String,
    /// Those of them in which the defaults of Supabase hold: what is made there is granted to all three roles of requests, and no
    /// policy holds `service_role`.
    pub open_schemas: Vec<String>,
    /// Where functions and policies of those schemas look for names without a schema, after their own.
    pub extra_search_path: Vec<String>,
    /// `Prefer: tx=rollback` is granted.
    pub tx_rollback: bool,
    /// `Accept: application/vnd.pgrst.plan` is answered with how PostgreSQL would run the request.
    pub plan: bool,
}

/// The job queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Jobs one process works on at a time; 0: this process works on none.
    pub workers: usize,
    /// Seconds a worker may be silent before its job is given to another.
    pub lease_seconds: i64,
    /// Seconds between looks at the queue when no wake-up comes.
    pub poll_seconds: u64,
    /// Days that finished jobs are remembered, by whole weeks.
    pub history_days: i32,
}

impl Config {
    /// Reads defaults, then the file (if any), then `DATABASE_URL` and `TENON_…` variables, then single settings of the
    /// form `rest.max_rows=50`, whose values are written as in a variable.
    pub fn load(file: Option<&Path>, single: &[String]) -> Result<Self> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment
            .merge(
                EnvVars::raw()
                    .only(&["DATABASE_URL"])
                    .map(|_| "database.url".into()),
            )
            .merge(
                EnvVars::prefixed("TENON_")
                    .split("__")
                    .filter(|key| key.as_str().contains('.')),
            );
        for setting in single {
            let (key, value) = setting
                .split_once('=')
                .ok_or_else(|| wrong(format!("{setting}: the form is section.key=value")))?;
            // Any text is a value; what looks like a number, a truth or a list is one.
            let Ok(value) = value.parse::<Value>();
            figment = figment.merge((key.trim(), value));
        }
        figment.extract().map_err(wrong)
    }

    /// The documented defaults alone.
    ///
    /// # Panics
    /// Never: the defaults are part of the program, and every test reads them.
    pub fn defaults() -> Self {
        Figment::from(Toml::string(DEFAULTS))
            .extract()
            .expect("the defaults are checked by a test")
    }
}

fn wrong(cause: impl std::fmt::Display) -> Error {
    Error::invalid("config.invalid", format!("A setting is wrong: {cause}"))
        .hint("tenon.default.toml lists every setting with its default.")
}
