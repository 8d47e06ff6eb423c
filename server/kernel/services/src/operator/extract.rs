//! Operators as an extractor: a handler that names it runs for nobody else.

use axum::{extract::FromRequestParts, http::request::Parts};
use jiff::Timestamp;
use serde_json::Value;
use tenon_sdk::{Error, Kernel, Result, SystemTx, UserId, http::Caller};
use uuid::Uuid;

/// A person who runs the installation, signed in with all factors they have. Everybody else finds nothing at the address.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The person.
    pub user: UserId,
    session: Uuid,
    /// How many factors they showed: `aal1` or `aal2`.
    pub aal: &'static str,
}

fn nothing_here() -> Error {
    Error::not_found("request.not_found", "There is nothing at this address.")
}

/// Whether an operator has a second factor; an error if they are none, or their session is over.
async fn look(tx: &SystemTx, user: UserId, session: Uuid, now: Timestamp) -> Result<bool> {
    let row = tx
        .query_opt(
            "select exists (select from auth.mfa_factors f where f.user_id = u.id and f.status = 'verified') \
             from auth.users u join auth.sessions s on s.user_id = u.id and s.id = $2 \
             and (s.not_after is null or s.not_after > $3) \
             where u.id = $1 and u.is_super_admin and u.deleted_at is null \
             and (u.banned_until is null or u.banned_until <= $3)",
            &[&user, &session, &now],
        )
        .await?
        .ok_or_else(nothing_here)?;
    Ok(row.try_get(0)?)
}

impl Operator {
    /// Begins a transaction in which they run the installation still: that may have been taken while the request's body came.
    pub(super) async fn begin(&self, kernel: &Kernel, reason: &'static str) -> Result<SystemTx> {
        let tx = SystemTx::begin(kernel.db(), reason).await?;
        look(&tx, self.user, self.session, kernel.env().now()).await?;
        Ok(tx)
    }
}

impl FromRequestParts<Kernel> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, kernel: &Kernel) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, kernel).await?;
        let claims: Value = serde_json::from_str(&caller.identity.claims).unwrap_or_default();
        // A token is kept in programs, and other programs have one that a person granted; the console is for people at it.
        let Some(session) = caller.identity.session.filter(|_| claims["client_id"].is_null()) else {
            return Err(nothing_here());
        };
        let tx = SystemTx::begin(kernel.db(), "operator").await?;
        let has_factor = look(&tx, caller.user, session, kernel.env().now()).await?;
        tx.commit().await?;
        let strong = claims["aal"].as_str() == Some("aal2");
        if has_factor && !strong {
            return Err(Error::forbidden(
                "operator.second_factor_required",
                "The console asks for your second factor.",
            )
            .hint("Show it, and try again."));
        }
        Ok(Self {
            user: caller.user,
            session,
            aal: if strong { "aal2" } else { "aal1" },
        })
    }
}
