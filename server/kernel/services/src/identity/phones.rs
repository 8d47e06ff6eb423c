//! The ways in by telephone: sign-up, a code in a text message, and how often one may ask for such.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, config::SmsProvider, http::ClientAddress};

use super::{
    Identity, Point, errors,
    hooks::Newcomer,
    limits::Limit,
    one_time::{self, Proof, Purpose, Way},
    places,
    sessions::{self, Method},
    users::{self, Contact},
};
use crate::notifications;

/// An error where people do not sign in by telephone.
pub(super) fn enabled(identity: &Identity) -> Result<()> {
    if identity.0.config.auth.sms.enabled {
        return Ok(());
    }
    Err(
        Error::invalid("phone_provider_disabled", "Unsupported phone provider")
            .hint("This installation sends no text messages; use an e-mail address."),
    )
}

/// A number in its stored form, if this installation writes to such.
///
/// Errors: `validation_failed`.
pub(super) fn writable(identity: &Identity, phone: &str) -> Result<String> {
    let phone = users::normal_phone(phone)?;
    let sms = &identity.0.config.auth.sms;
    let prefixes = &sms.allowed_prefixes;
    let known = prefixes.is_empty()
        || sms.test_otp.contains_key(&phone)
        || prefixes
            .iter()
            .any(|prefix| phone.starts_with(prefix.trim_start_matches('+')));
    if !known {
        return Err(
            Error::invalid("validation_failed", "This number cannot be written to")
                .hint("This installation writes to numbers of some countries only."),
        );
    }
    Ok(phone)
}

/// A number that a message is asked for, in its stored form, if it may be written to now.
///
/// Errors: `phone_provider_disabled`, `validation_failed`, `over_sms_send_rate_limit`.
pub(super) fn asked_for(identity: &Identity, phone: &str, client: ClientAddress) -> Result<String> {
    enabled(identity)?;
    let phone = writable(identity, phone)?;
    identity.limit(Limit::Sms, client)?;
    identity.0.texts.check(&phone)?;
    Ok(phone)
}

/// An error where a message to this number would go nowhere, whoever has it.
fn reachable(identity: &Identity, phone: &str) -> Result<()> {
    let config = &identity.0.config;
    let sms = &config.auth.sms;
    let kept = config.mail.mailbox && sms.mailbox;
    if kept
        || sms.provider.is_some()
        || sms.test_otp.contains_key(phone)
        || identity.0.hooks.has(Point::SendSms)
    {
        return Ok(());
    }
    Err(
        Error::unprocessable("sms_send_failed", "Unable to get SMS provider")
            .hint("The operator sets auth.sms.provider, or a code for this number in auth.sms.test_otp."),
    )
}

/// `POST /signup` with a number. Gives a session, or where numbers are confirmed the person who waits for it.
pub(super) async fn sign_up(
    identity: &Identity,
    client: ClientAddress,
    phone: &str,
    password: &str,
    data: &Value,
    user_agent: Option<&str>,
) -> Result<Value> {
    enabled(identity)?;
    let confirm = identity.0.config.auth.sms.confirm;
    let number = users::normal_phone(phone)?;
    let hash = users::hash_of_new(identity, password, data).await?;
    let newcomer = Newcomer {
        email: "",
        phone: &number,
        data,
        provider: "phone",
    };
    identity.before_user_created(client, &newcomer).await?;
    if confirm {
        reachable(identity, &number)?;
        let number = asked_for(identity, &number, client)?;
        let (shown, created) = {
            let contact = Contact::Phone(&number);
            users::sign_up_unconfirmed(identity, contact, &hash, data, &Way::nowhere()).await?
        };
        if let Some(user) = created {
            identity.after_user_created(client, user);
        }
        return Ok(shown);
    }
    let tx = SystemTx::begin(&identity.0.db, "sign-up").await?;
    let user = users::insert(identity, &tx, Contact::Phone(&number), Some(&hash), data, true)
        .await?
        .ok_or_else(errors::user_already_exists)?;
    users::signed_up(identity, &tx, user.id, "phone").await?;
    places::remember(identity, &tx, user.id, client).await?;
    let session = sessions::open(identity, tx, user.id, Method::Password, user_agent).await?;
    identity.after_user_created(client, user.id);
    Ok(session)
}

/// `POST /otp` with a number.
pub(super) async fn otp(
    identity: &Identity,
    client: ClientAddress,
    phone: &str,
    create_user: bool,
    data: &Value,
) -> Result<Value> {
    let number = asked_for(identity, phone, client)?;
    reachable(identity, &number)?;
    let may_create = create_user && identity.0.config.auth.sign_up;
    if may_create {
        let newcomer = Newcomer {
            email: "",
            phone: &number,
            data,
            provider: "phone",
        };
        identity.before_user_created(client, &newcomer).await?;
    }
    let tx = SystemTx::begin(&identity.0.db, "one-time code").await?;
    let mut created = None;
    let found = match users::by_phone(&tx, &number).await? {
        Some(user) => Some((user, Purpose::Sms)),
        None if may_create => users::insert(identity, &tx, Contact::Phone(&number), None, data, false)
            .await?
            .map(|user| {
                created = Some(user.id);
                (user, Purpose::SmsSignUp)
            }),
        None => None,
    };
    match found {
        Some((user, purpose)) => one_time::text(identity, &tx, &user, purpose, &number).await?,
        None if identity.0.config.auth.tell_unknown => return Err(errors::otp_disabled()),
        None => one_time::pretend(identity, &tx, Purpose::Sms).await?,
    }
    tx.commit().await?;
    if let Some(user) = created {
        identity.after_user_created(client, user);
    }
    Ok(json!({ "message_id": null }))
}

/// What a code proves, where the provider of text messages made it: asked before any transaction is open.
pub(super) async fn checked<'a>(identity: &Identity, kind: &str, proof: Proof<'a>) -> Result<Proof<'a>> {
    let sms = &identity.0.config.auth.sms;
    match proof {
        Proof::Code { address, code }
            if one_time::by_phone(kind)
                && sms.provider == Some(SmsProvider::TwilioVerify)
                && !sms.test_otp.contains_key(address) =>
        {
            let good =
                notifications::verified_by_provider(&identity.0.outbound, sms, address, code.trim()).await?;
            Ok(Proof::Checked { address, good })
        }
        other => Ok(other),
    }
}
