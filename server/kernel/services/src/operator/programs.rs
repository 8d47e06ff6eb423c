//! The programs that sign people in here, as those who run the installation look after them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Operator,
    search::{PAGE, Search},
};
use crate::identity::{PROGRAM_COLUMNS, Program, programs};

/// A program in the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramRow {
    /// What it shows itself with (`client_id`).
    pub id: Uuid,
    pub name: String,
    /// Where it is.
    pub uri: Option<String>,
    pub logo_uri: Option<String>,
    /// Where people are sent back to.
    pub redirect_uris: Vec<String>,
    /// The most it may ask for, separated by spaces; absent: whatever there is.
    pub scope: Option<String>,
    /// Whether it has a secret.
    pub confidential: bool,
    /// Whether it registered itself, so that nobody looked at it.
    pub self_registered: bool,
    /// How many people let it in.
    pub people: i64,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A page of programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgramPage {
    /// Whether programs sign people in at present (`auth.issuer.enabled`).
    pub enabled: bool,
    /// How many there are in all.
    pub total: i64,
    /// How many fill a page.
    pub page_size: i64,
    /// Those of this page, newest first.
    pub programs: Vec<ProgramRow>,
}

/// A program to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProgram {
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Where people are sent back to: 1 to 10 addresses, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Whether it can keep a secret: it runs on a server of its own, and not in people's browsers or telephones.
    pub confidential: bool,
    #[serde(default)]
    pub uri: Option<String>,
    #[serde(default)]
    pub logo_uri: Option<String>,
    /// The most it may ask for, separated by spaces; absent: whatever there is.
    #[serde(default)]
    pub scope: Option<String>,
}

/// What is different about a program; what is left out stays, and an empty text takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramChange {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    #[serde(default)]
    pub redirect_uris: Option<Vec<String>>,
    #[serde(default)]
    pub uri: Option<String>,
    #[serde(default)]
    pub logo_uri: Option<String>,
    #[serde(default)]
    pub scope: Option<String>,
}

/// A program that was registered.
#[derive(Serialize, ToSchema)]
pub struct MadeProgram {
    pub id: Uuid,
    /// Told this once; absent for a program without one.
    pub secret: Option<String>,
}

/// A secret, told this once.
#[derive(Serialize, ToSchema)]
pub struct NewSecret {
    pub secret: String,
}

fn not_found() -> Error {
    Error::not_found("operator.program_not_found", "There is no such program.")
}

fn refused(why: String) -> Error {
    Error::unprocessable("operator.program_invalid", why)
}

async fn locked(tx: &SystemTx, id: Uuid) -> Result<Program> {
    programs::locked(tx, id).await?.ok_or_else(not_found)
}

/// Programs that a search finds.
pub async fn list(kernel: &Kernel, search: &Search) -> Result<ProgramPage> {
    let columns = format!(
        "{PROGRAM_COLUMNS}, (select count(*) from auth.oauth_consents k where k.client_id = c.id and k.revoked_at is null) \
         as people"
    );
    let (total, rows) = search
        .find(
            kernel,
            "operator: programs",
            &columns,
            "auth.oauth_clients c",
            "(c.client_name ilike $1 or array_to_string(c.redirect_uris, ' ') ilike $1 or c.id = $2)",
        )
        .await?;
    let programs = rows.iter().map(|row| {
        let program = Program::from_row(row)?;
        Ok(ProgramRow {
            id: program.id,
            confidential: program.confidential(),
            self_registered: !program.checked(),
            name: program.metadata.name,
            uri: program.metadata.uri,
            logo_uri: program.metadata.logo_uri,
            redirect_uris: program.metadata.redirect_uris,
            scope: program.metadata.scope,
            people: row.try_get("people")?,
            created_at: program.created_at,
        })
    });
    Ok(ProgramPage {
        enabled: kernel.config().auth.issuer.enabled,
        total,
        page_size: PAGE,
        programs: programs.collect::<Result<_>>()?,
    })
}

/// Registers a program.
pub async fn create(kernel: &Kernel, operator: &Operator, new: NewProgram) -> Result<MadeProgram> {
    let kind = if new.confidential {
        "confidential"
    } else {
        "public"
    };
    let asked = programs::Asked {
        client_name: Some(new.name),
        redirect_uris: Some(new.redirect_uris),
        client_type: Some(kind.to_owned()),
        client_uri: new.uri,
        logo_uri: new.logo_uri,
        scope: new.scope,
        ..programs::Asked::default()
    };
    let metadata = programs::check(asked, None, refused)?;
    let tx = operator.begin(kernel, "operator: new program").await?;
    let (made, secret) = programs::create(kernel.env(), &tx, Some(operator.user.0), &metadata).await?;
    tx.commit().await?;
    Ok(MadeProgram { id: made.id, secret })
}

/// Changes a program. Whoever is on their way to an address that was struck off does not arrive.
pub async fn change(kernel: &Kernel, operator: &Operator, id: Uuid, change: ProgramChange) -> Result<()> {
    let asked = programs::Asked {
        client_name: change.name,
        redirect_uris: change.redirect_uris,
        client_uri: change.uri,
        logo_uri: change.logo_uri,
        scope: change.scope,
        ..programs::Asked::default()
    };
    let tx = operator.begin(kernel, "operator: program").await?;
    let program = locked(&tx, id).await?;
    let metadata = programs::check(asked, Some(&program), refused)?;
    programs::change(kernel.env(), &tx, Some(operator.user.0), &program, &metadata).await?;
    tx.commit().await
}

/// Gives a program another secret.
pub async fn renew_secret(kernel: &Kernel, operator: &Operator, id: Uuid) -> Result<String> {
    let tx = operator.begin(kernel, "operator: secret of program").await?;
    let program = locked(&tx, id).await?;
    let secret = programs::renew_secret(kernel.env(), &tx, Some(operator.user.0), &program).await?;
    let secret = secret.ok_or_else(|| refused("A public program has no secret.".to_owned()))?;
    tx.commit().await?;
    Ok(secret)
}

/// Forgets a program; its sessions and grants end with it.
pub async fn remove(kernel: &Kernel, operator: &Operator, id: Uuid) -> Result<()> {
    let tx = operator.begin(kernel, "operator: end of program").await?;
    let program = locked(&tx, id).await?;
    programs::remove(kernel.env(), &tx, Some(operator.user.0), &program).await?;
    tx.commit().await
}
