//! `tenon operator`: who runs the installation. The first one is made here, by whoever may read the database anyway.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::bail;
use tenon_sdk::{config::Config, db::connect};
use tokio_postgres::Client;

use crate::reach::with_database;

/// Adds, removes or lists operators.
#[derive(Clone, Debug, clap::Args)]
pub struct Operators {
    #[command(subcommand)]
    verb: Verb,
    /// Where the private database lives.
    #[arg(long, global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Verb {
    /// Makes a person who has signed up an operator.
    Add {
        /// Their e-mail address.
        email: String,
    },
    /// Takes it away again.
    Remove {
        /// Their e-mail address.
        email: String,
    },
    /// Prints the operators' addresses.
    List,
}

impl Operators {
    /// Does it; gives what to tell.
    pub async fn run(&self, config: &Config) -> anyhow::Result<String> {
        let data_dir = self.data_dir.as_ref().unwrap_or(&config.database.data_dir);
        with_database(config, data_dir, async |database| self.run_on(database).await).await
    }

    async fn run_on(&self, database: &tokio_postgres::Config) -> anyhow::Result<String> {
        let (client, task) = connect(database).await?;
        let told = match &self.verb {
            Verb::Add { email } => set(&client, email, true).await,
            Verb::Remove { email } => set(&client, email, false).await,
            Verb::List => list(&client).await,
        };
        drop(client);
        _ = task.await;
        told
    }
}

async fn set(client: &Client, email: &str, operates: bool) -> anyhow::Result<String> {
    let email = email.trim().to_lowercase();
    // Ids and time of the database: there is no server here whose clock would count.
    let known = client
        .query_opt(
            "select tenancy.set_operator(u.id, $2, gen_random_uuid(), now(), 'command line') \
             from auth.users u where u.email = $1 and u.deleted_at is null",
            &[&email, &operates],
        )
        .await?;
    if known.is_none_or(|row| row.get::<_, Option<bool>>(0).is_none()) {
        bail!("nobody has signed up with {email}; sign up first, then run this again");
    }
    Ok(if operates {
        format!("{email} runs this installation now; the console is at /operator\n")
    } else {
        format!("{email} does not run this installation any more\n")
    })
}

async fn list(client: &Client) -> anyhow::Result<String> {
    let sql = "select coalesce(email, id::text) from auth.users where is_super_admin and deleted_at is null order by 1";
    let mut text = String::new();
    for row in client.query(sql, &[]).await? {
        writeln!(text, "{}", row.try_get::<_, String>(0)?)?;
    }
    Ok(text)
}
