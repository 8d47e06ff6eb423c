//! Codes by text message as a second factor.
//!
//! They are the weakest of the factors, since numbers can be taken over, and cost money; so the operator has to want them
//! (`[auth.mfa.phone]`). The pause between messages is the factor's own: nobody else can use it up to keep its owner out.

use axum::body::Bytes;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, config::SmsProvider, error::Kind as Group, http::ClientAddress};
use uuid::Uuid;

use super::{Factor, Failures, Kind, verify::find_challenge};
use crate::{
    identity::{
        Identity, Point,
        limits::Limit,
        one_time::{self, Code},
        phones,
        routes::read,
        users::User,
    },
    notifications,
};

fn enabled(setting: bool, verb: &str) -> Result<()> {
    if setting {
        return Ok(());
    }
    let refusal = match verb {
        "enroll" => Error::unprocessable("mfa_phone_enroll_not_enabled", "MFA enroll is disabled for Phone"),
        _ => Error::unprocessable(
            "mfa_phone_verify_not_enabled",
            "MFA verification is disabled for Phone",
        ),
    };
    Err(refusal.hint("Use an authenticator app or a security key."))
}

/// What pages have to know.
pub(in crate::identity) fn settings(identity: &Identity) -> Value {
    let settings = &identity.0.config.auth.mfa.phone;
    json!({
        "enroll_enabled": settings.enroll_enabled,
        "verify_enabled": settings.verify_enabled,
        "pause_seconds": settings.pause_seconds.max(0),
    })
}

/// Whether people may show a number they have.
///
/// Errors: `mfa_phone_verify_not_enabled`.
pub(super) fn may_be_shown(identity: &Identity) -> Result<()> {
    enabled(identity.0.config.auth.mfa.phone.verify_enabled, "verify")
}

/// The number of a new factor in its stored form. An older attempt with the same number gives way.
///
/// Errors: `mfa_phone_enroll_not_enabled`, `validation_failed`, `mfa_verified_factor_exists`.
pub(super) async fn number(identity: &Identity, tx: &SystemTx, user: Uuid, text: &str) -> Result<String> {
    let number = phones::writable(identity, text)?;
    tx.execute(
        "delete from auth.mfa_factors where user_id = $1 and phone = $2 and status = 'unverified'",
        &[&user, &number],
    )
    .await?;
    let known = tx
        .query_opt(
            "select 1 from auth.mfa_factors where user_id = $1 and phone = $2",
            &[&user, &number],
        )
        .await?;
    if known.is_some() {
        return Err(Error::unprocessable(
            "mfa_verified_factor_exists",
            "A verified phone factor already exists, unenroll the existing factor to continue",
        )
        .hint("Use another number, or remove that factor."));
    }
    Ok(number)
}

/// An error unless people may add numbers.
pub(super) fn may_be_added(identity: &Identity) -> Result<()> {
    enabled(identity.0.config.auth.mfa.phone.enroll_enabled, "enroll")
}

#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    channel: String,
}

/// Whether a code is wanted by `WhatsApp`.
///
/// Errors: `validation_failed` for another way, or where nobody sends by it.
pub(super) fn by_whatsapp(identity: &Identity, body: &Bytes) -> Result<bool> {
    let asked: Asked = if body.is_empty() {
        Asked::default()
    } else {
        read(body)?
    };
    let possible = matches!(
        identity.0.config.auth.sms.provider,
        Some(SmsProvider::Twilio | SmsProvider::TwilioVerify)
    ) || identity.0.hooks.has(Point::SendSms);
    match asked.channel.as_str() {
        "" | "sms" => Ok(false),
        "whatsapp" if possible => Ok(true),
        _ => Err(Error::invalid(
            "validation_failed",
            "Invalid channel, supported values are 'sms' or 'whatsapp'. 'whatsapp' is only supported if Twilio or \
             Twilio Verify is used as the provider.",
        )),
    }
}

/// Sends a code for a challenge; gives what is kept of it.
///
/// Errors: `over_sms_send_rate_limit`.
pub(super) async fn send(
    identity: &Identity,
    tx: &SystemTx,
    user: &User,
    factor: &Factor,
    challenge: Uuid,
    client: ClientAddress,
    whatsapp: bool,
) -> Result<String> {
    let number = factor.number()?;
    let settings = &identity.0.config.auth.mfa.phone;
    // Settings may have changed since the number was added.
    phones::writable(identity, number)?;
    let now = identity.0.env.now();
    let next = factor
        .last_challenged
        .map(|at| at + SignedDuration::from_secs(settings.pause_seconds.max(0)));
    if let Some(next) = next.filter(|next| *next > now) {
        let seconds = next.duration_since(now).as_secs().unsigned_abs() + 1;
        return Err(Error::new(
            Group::RateLimited,
            "over_sms_send_rate_limit",
            format!("For security purposes, you can only request this after {seconds} seconds."),
        )
        .hint(format!("Try again in {seconds} seconds."))
        .retry_after(seconds));
    }
    identity.limit(Limit::Sms, client)?;
    if !factor.verified {
        // Somebody types a number that need not be theirs.
        identity.0.texts.check(number)?;
    }
    let fixed = identity.0.config.auth.sms.test_otp.get(number);
    let digits = fixed
        .cloned()
        .unwrap_or_else(|| one_time::digits(identity, settings.otp_length.clamp(6, 10)));
    let code = Code {
        digits: &digits,
        template: &settings.template,
        whatsapp,
    };
    one_time::send_code(identity, tx, user, number, &code).await?;
    Ok(kept(challenge, &digits))
}

/// What is kept of a code.
fn kept(challenge: Uuid, digits: &str) -> String {
    tenon_sdk::hex(&one_time::code_hash(challenge, digits))
}

/// Whether a code is the one that went out for a challenge. What is compared are hashes, which nobody can steer.
pub(super) fn fits(challenge: Uuid, stored: Option<&str>, code: &str) -> bool {
    stored.is_some_and(|stored| stored == kept(challenge, code))
}

/// What the provider of text messages says of a code, where it makes and checks codes itself. Asked before any transaction is
/// open, and only while the person may still guess.
pub(super) async fn said_by_provider(
    identity: &Identity,
    user: Uuid,
    factor: &str,
    challenge: &str,
    code: &str,
) -> Result<Option<bool>> {
    let sms = &identity.0.config.auth.sms;
    if sms.provider != Some(SmsProvider::TwilioVerify) {
        return Ok(None);
    }
    let tx = SystemTx::begin(&identity.0.db, "factor of a provider").await?;
    let factor = Factor::lock(&tx, user, factor).await?;
    if factor.kind != Kind::Phone || sms.test_otp.contains_key(factor.number()?) {
        return Ok(None);
    }
    find_challenge(identity, &tx, &factor, challenge).await?;
    Failures::lock(identity, &tx, user).await?;
    tx.commit().await?;
    notifications::verified_by_provider(&identity.0.outbound, sms, factor.number()?, code)
        .await
        .map(Some)
}
