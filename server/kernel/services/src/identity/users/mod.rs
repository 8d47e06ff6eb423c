//! People: what is known of them, and the verbs on their accounts, one a file.

mod change;
mod confirm;
mod contact;
mod create;
pub(super) mod email_change;
mod leave;
mod phone;
mod rules;
mod ways;

pub use create::{NewUser, create_user};

pub(super) use change::{Changes, change, merged};
pub(super) use confirm::{confirm, keep_own_identities};
pub(super) use contact::Contact;
pub(super) use create::{
    Prepared, create_anonymous, create_user_in, hash_of_new, insert, prepare, sign_up_unconfirmed, signed_up,
};
pub(super) use leave::{delete, erase, export};
pub(super) use phone::{by_phone, confirm_phone, normal_phone};
pub(super) use rules::{check_data, normal_email};
pub(super) use ways::keep_providers;

use jiff::Timestamp;
use serde_json::{Value, json};
use tenon_sdk::{Result, SystemTx};
use tokio_postgres::Row;
use uuid::Uuid;

use super::mails;

/// What is known of a person beyond their address, in the two halves that clients of GoTrue expect.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    /// What the server says: how they sign in.
    pub(super) app: Value,
    /// What they say of themselves.
    pub(super) person: Value,
}

/// What was sent to somebody, and what they have still to confirm.
#[derive(Clone, Debug, Default)]
struct Pending {
    new_email: String,
    new_phone: String,
    /// By the names on the wire.
    sent: [(&'static str, Option<Timestamp>); 5],
}

/// A person, as the wire shows them.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// Their e-mail address, in lower case; a visitor's account has none.
    pub email: Option<String>,
    pub(super) about: Metadata,
    created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
    pub(super) password: Option<String>,
    email_confirmed_at: Option<Timestamp>,
    /// Their telephone number, E.164 without the plus sign.
    pub(super) phone: Option<String>,
    phone_confirmed_at: Option<Timestamp>,
    /// Until when they may not sign in.
    pub(super) banned_until: Option<Timestamp>,
    invited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    pending: Pending,
    /// Whether the account was made for a visitor who has not said who they are.
    pub(super) anonymous: bool,
    identities: Value,
    /// Second factors, confirmed or not; none is null.
    factors: Option<Value>,
}

/// What [`User::from_row`] reads of `auth.users`.
pub(super) const COLUMNS: &str = "id, email, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, \
     last_sign_in_at, encrypted_password, email_confirmed_at, is_anonymous, \
     phone, phone_confirmed_at, banned_until, invited_at, deleted_at, \
     (select coalesce(jsonb_agg(jsonb_build_object('identity_id', i.id, 'id', i.provider_id, 'user_id', i.user_id, \
        'identity_data', i.identity_data, 'provider', i.provider, 'email', i.identity_data ->> 'email', \
        'last_sign_in_at', i.last_sign_in_at, 'created_at', i.created_at, 'updated_at', i.updated_at) \
        order by i.created_at, i.provider, i.id), '[]') from auth.identities i where i.user_id = users.id), \
     (select jsonb_agg(jsonb_build_object('id', f.id, 'friendly_name', f.friendly_name, 'factor_type', f.factor_type, \
        'status', f.status, 'created_at', f.created_at, 'updated_at', f.updated_at, \
        'last_challenged_at', f.last_challenged_at) || case when f.phone is null then '{}' \
        else jsonb_build_object('phone', f.phone) end order by f.created_at, f.id) \
        from auth.mfa_factors f where f.user_id = users.id), \
     email_change, phone_change, confirmation_sent_at, recovery_sent_at, email_change_sent_at, phone_change_sent_at, \
     reauthentication_sent_at";

impl User {
    pub(super) fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.try_get(0)?,
            email: row.try_get(1)?,
            about: Metadata {
                app: row.try_get(2)?,
                person: row.try_get(3)?,
            },
            created_at: row.try_get(4)?,
            updated_at: row.try_get(5)?,
            last_sign_in_at: row.try_get(6)?,
            password: row.try_get(7)?,
            email_confirmed_at: row.try_get(8)?,
            anonymous: row.try_get(9)?,
            phone: row.try_get(10)?,
            phone_confirmed_at: row.try_get(11)?,
            banned_until: row.try_get(12)?,
            invited_at: row.try_get(13)?,
            deleted_at: row.try_get(14)?,
            identities: row.try_get(15)?,
            factors: row.try_get(16)?,
            pending: Pending {
                new_email: row.try_get(17)?,
                new_phone: row.try_get(18)?,
                sent: [
                    ("confirmation_sent_at", row.try_get(19)?),
                    ("recovery_sent_at", row.try_get(20)?),
                    ("email_change_sent_at", row.try_get(21)?),
                    ("phone_change_sent_at", row.try_get(22)?),
                    ("reauthentication_sent_at", row.try_get(23)?),
                ],
            },
        })
    }

    /// Whether their address is known to be theirs.
    pub(super) const fn confirmed(&self) -> bool {
        self.email_confirmed_at.is_some()
    }

    /// Whether their number is known to be theirs.
    pub(super) const fn phone_confirmed(&self) -> bool {
        self.phone_confirmed_at.is_some()
    }

    /// Whether they may not sign in now.
    pub(super) fn banned(&self, now: Timestamp) -> bool {
        self.banned_until.is_some_and(|until| until > now)
    }

    /// Whether what could name them is gone.
    pub(super) fn erased(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// The language to write to them in.
    pub(super) fn language(&self) -> &'static str {
        mails::language(self.about.person["locale"].as_str())
    }

    pub(super) fn to_json(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.email.as_deref().unwrap_or_default(),
            "phone": self.phone.as_deref().unwrap_or_default(),
            "last_sign_in_at": self.last_sign_in_at,
            "app_metadata": self.about.app,
            "user_metadata": self.about.person,
            "identities": self.identities,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "is_anonymous": self.anonymous,
        });
        if let Some(factors) = &self.factors {
            shown["factors"] = factors.clone();
        }
        // Clients ask whether these are there.
        let moments = [
            ("email_confirmed_at", self.email_confirmed_at),
            ("phone_confirmed_at", self.phone_confirmed_at),
            (
                "confirmed_at",
                self.email_confirmed_at
                    .into_iter()
                    .chain(self.phone_confirmed_at)
                    .min(),
            ),
            ("invited_at", self.invited_at),
            ("banned_until", self.banned_until),
            ("deleted_at", self.deleted_at),
        ];
        for (name, address) in [
            ("new_email", &self.pending.new_email),
            ("new_phone", &self.pending.new_phone),
        ] {
            if !address.is_empty() {
                shown[name] = json!(address);
            }
        }
        for (name, at) in moments.into_iter().chain(self.pending.sent) {
            if let Some(at) = at {
                shown[name] = json!(at);
            }
        }
        shown
    }
}

/// The person with an id.
pub(super) async fn find(tx: &SystemTx, id: Uuid) -> Result<Option<User>> {
    let row = tx
        .query_opt(&format!("select {COLUMNS} from auth.users where id = $1"), &[&id])
        .await?;
    row.as_ref().map(User::from_row).transpose()
}

/// The person with an address in its stored form.
pub(super) async fn by_address(tx: &SystemTx, email: &str) -> Result<Option<User>> {
    Contact::Email(email).holder(tx, false).await
}
