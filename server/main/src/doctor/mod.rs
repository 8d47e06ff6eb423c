//! `tenon doctor`: looks at everything that an installation rests on, and says of each fault what to do about it.

mod database;
mod places;
mod settings;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tenon_sdk::{Error, config::Config};

use crate::reach::with_database;

/// Looks at settings, database, keys, files and mail, and says what to do about what is wrong.
#[derive(Clone, Debug, clap::Args)]
pub struct Doctor {
    /// Prints the findings as JSON.
    #[arg(long)]
    json: bool,
    /// Where the private database and files live.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Well,
    /// It works, and will not for ever or not for everybody.
    Warn,
    /// Something does not work or is not safe.
    Bad,
}

/// What was looked at, and what was seen.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Finding {
    pub(crate) fn well(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Well,
            says: says.into(),
            remedy: None,
        }
    }

    pub(crate) fn warn(check: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            remedy: Some(remedy.into()),
            ..Self::well(check, says)
        }
    }

    pub(crate) fn bad(check: &'static str, says: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Bad,
            ..Self::warn(check, says, remedy)
        }
    }

    /// What an error says, and its hint.
    pub(crate) fn of_error(check: &'static str, error: &Error) -> Self {
        let details = error.details.as_deref().unwrap_or_default();
        let remedy = error
            .hint
            .clone()
            .unwrap_or_else(|| "Look at the log.".to_owned());
        Self::bad(check, format!("{} {details}", error.message).trim_end(), remedy)
    }
}

impl Doctor {
    /// Does it; gives what to tell, and whether nothing is bad.
    pub async fn run(self, mut config: Config) -> anyhow::Result<(String, bool)> {
        if let Some(data_dir) = &self.data_dir {
            config.database.data_dir.clone_from(data_dir);
        }
        let mut found = settings::look(&config);
        let private = config.database.url.is_empty();
        if private {
            found.extend(places::disk(&config.database.data_dir));
        }
        let within = with_database(&config, &config.database.data_dir, async |database| {
            Ok(database::look(&config, database).await)
        })
        .await;
        found.extend(within.unwrap_or_else(|error| {
            vec![Finding::bad(
                "database",
                format!("It cannot be reached: {error:#}"),
                "Look whether it runs, and at database.url or --data-dir.",
            )]
        }));
        found.extend(places::keys(&config));
        found.push(places::files(&config).await);
        found.push(places::mail(&config).await);
        let worst = found.iter().map(|finding| finding.verdict).max();
        Ok((self.told(&found)?, worst < Some(Verdict::Bad)))
    }

    fn told(&self, found: &[Finding]) -> anyhow::Result<String> {
        if self.json {
            return Ok(serde_json::to_string_pretty(found)? + "\n");
        }
        let mut text = String::new();
        for finding in found {
            let verdict = match finding.verdict {
                Verdict::Well => "well",
                Verdict::Warn => "WARN",
                Verdict::Bad => "BAD ",
            };
            writeln!(text, "{verdict}  {:<12} {}", finding.check, finding.says)?;
            if let Some(remedy) = &finding.remedy {
                writeln!(text, "{:>19}→ {remedy}", "")?;
            }
        }
        let of = |verdict| found.iter().filter(|finding| finding.verdict == verdict).count();
        writeln!(
            text,
            "{} checks: {} well, {} to look at, {} bad",
            found.len(),
            of(Verdict::Well),
            of(Verdict::Warn),
            of(Verdict::Bad)
        )?;
        Ok(text)
    }
}

/// Whether nobody on another machine reaches an address.
pub(crate) fn is_local(bind: &str) -> bool {
    bind == "localhost"
        || bind
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether a file is readable for others than its owner.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}
