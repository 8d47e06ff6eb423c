//! Whose account a provider's belongs to. An account of a provider that was seen before leads to its person; a new one leads to
//! whoever has the address that the provider verified, and else to a new person.

use serde_json::{Value, json};
use tenon_sdk::{Error, Result, SystemTx, http::ClientAddress};
use uuid::Uuid;

use super::{Provider, profile::Profile};
use crate::identity::{
    Identity, Point, audit, errors,
    factors::require_level,
    hooks::Newcomer,
    mails::{self, Notice},
    one_time, sessions, users,
};

impl Provider {
    /// The address that the provider knows to be theirs, in its stored form.
    fn verified_address(&self, profile: &Profile) -> Option<String> {
        let verified = profile.verified || self.settings.trust_email;
        let email = profile.email.as_deref().filter(|_| verified)?;
        users::normal_email(email).ok()
    }

    fn data(&self, profile: &Profile) -> Value {
        let verified = self.verified_address(profile).is_some();
        let profile = Profile {
            verified,
            ..profile.clone()
        };
        profile.data(&self.issuer)
    }
}

/// Whoever comes in by a provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comer {
    pub(super) user: Uuid,
    /// Whether they had no account before.
    new: bool,
}

impl Comer {
    const fn known(user: Uuid) -> Self {
        Self { user, new: false }
    }

    /// Tells the hook of somebody new; their account is committed.
    pub(super) fn tell(self, identity: &Identity, client: ClientAddress) {
        if self.new {
            identity.after_user_created(client, self.user);
        }
    }
}

/// Asks the hook about somebody who would be new, before any transaction is open. Gives whether an account may be made for them.
///
/// Errors: the hook's.
pub(super) async fn may_be_new(
    identity: &Identity,
    client: ClientAddress,
    provider: &Provider,
    profile: &Profile,
) -> Result<bool> {
    if !identity.0.hooks.has(Point::BeforeUserCreated) {
        return Ok(true);
    }
    let email = provider.verified_address(profile);
    let tx = SystemTx::begin(&identity.0.db, "is somebody new").await?;
    let known = tx
        .query_opt(
            "select 1 from auth.identities where provider = $1 and provider_id = $2 \
             union all select 1 from auth.users where email = $3 limit 1",
            &[&provider.name, &profile.id, &email],
        )
        .await?;
    tx.commit().await?;
    if known.is_some() || (email.is_none() && !provider.settings.email_optional) {
        return Ok(false);
    }
    let newcomer = Newcomer {
        email: email.as_deref().unwrap_or_default(),
        phone: "",
        data: &provider.data(profile),
        provider: &provider.name,
    };
    identity.before_user_created(client, &newcomer).await?;
    Ok(true)
}

/// The person whom a provider's account stands for, as part of `tx`; a new one where there was none and `may_be_new` allowed it.
///
/// Errors: `provider_email_needs_verification`, `signup_disabled`, `user_banned`.
pub(super) async fn enter(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
    may_be_new: bool,
) -> Result<Comer> {
    if let Some(user) = seen_before(identity, tx, provider, profile).await? {
        return Ok(Comer::known(user));
    }
    let email = provider.verified_address(profile);
    if email.is_none() && !provider.settings.email_optional {
        return Err(needs_verification(provider));
    }
    if let Some(email) = &email
        && let Some(user) = by_address(identity, tx, provider, profile, email).await?
    {
        return Ok(Comer::known(user));
    }
    if !may_be_new {
        // They had an account a moment ago, so nobody asked the hook.
        return Err(
            Error::unavailable("unexpected_failure", "The account was deleted just now.")
                .hint("Begin again."),
        );
    }
    if let Some(user) = create(identity, tx, provider, profile, email.as_deref()).await? {
        return Ok(Comer { user, new: true });
    }
    // Somebody was created with this address meanwhile.
    let address = email.as_deref().unwrap_or_default();
    let user = by_address(identity, tx, provider, profile, address).await?;
    user.map(Comer::known)
        .ok_or_else(|| Error::internal("an address was somebody's and nobody's"))
}

async fn seen_before(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
) -> Result<Option<Uuid>> {
    let row = tx
        .query_opt(
            "update auth.identities set identity_data = $3, last_sign_in_at = $4, updated_at = $4 \
             where provider = $1 and provider_id = $2 returning user_id",
            &[
                &provider.name,
                &profile.id,
                &provider.data(profile),
                &identity.0.env.now(),
            ],
        )
        .await?;
    row.map(|row| row.try_get(0).map_err(Error::from)).transpose()
}

/// Whoever has an address that the provider verified gets the provider's account as a further way in.
async fn by_address(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
    email: &str,
) -> Result<Option<Uuid>> {
    // Nobody changes the account meanwhile.
    let row = tx
        .query_opt(
            "select email_proven_at is not null from auth.users where email = $1 for update",
            &[&email],
        )
        .await?;
    let (Some(row), Some(user)) = (row, users::by_address(tx, email).await?) else {
        return Ok(None);
    };
    if user.banned(identity.0.env.now()) {
        return Err(errors::user_banned());
    }
    let auth = &identity.0.config.auth;
    if user.confirmed() && !(row.try_get(0)? || auth.confirm_email || auth.link_unproven_addresses) {
        // Its address was taken as it was typed, perhaps by a stranger who waits for its owner.
        return Err(Error::unprocessable(
            "email_exists",
            "A user with this email address has already been registered",
        )
        .hint("Sign in to it as before, then add this way in to the account."));
    }
    if !user.confirmed() {
        // Whoever signed up with this address never showed that it is theirs: their password and what they said of
        // themselves go.
        tx.execute(
            "update auth.users set raw_user_meta_data = '{}' where id = $1",
            &[&user.id],
        )
        .await?;
        users::confirm(identity, tx, user.id, email, "magiclink").await?;
    }
    attach(identity, tx, provider, profile, user.id).await?;
    Ok(Some(user.id))
}

/// A new person; `None` if the address is somebody's.
async fn create(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
    email: Option<&str>,
) -> Result<Option<Uuid>> {
    if !identity.0.config.auth.sign_up {
        return Err(errors::signup_disabled());
    }
    let (id, now) = (identity.0.env.new_id(), identity.0.env.now());
    let confirmed = email.map(|_| now);
    let inserted = tx
        .execute(
            "insert into auth.users (id, email, email_confirmed_at, email_proven_at, created_at, updated_at) \
             values ($1, $2, $3, $3, $4, $4) on conflict (email) do nothing",
            &[&id, &email, &confirmed, &now],
        )
        .await?;
    if inserted == 0 {
        return Ok(None);
    }
    attach(identity, tx, provider, profile, id).await?;
    let traits = json!({ "provider": provider.name });
    audit::record(tx, &identity.0.env, Some(id), "user_signedup", traits).await?;
    Ok(Some(id))
}

/// Makes a provider's account a way in of a person, who takes over what they have not said of themselves.
async fn attach(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
    user: Uuid,
) -> Result<()> {
    let (now, data) = (identity.0.env.now(), provider.data(profile));
    let inserted = tx
        .execute(
            "insert into auth.identities \
             (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $6, $6) on conflict (provider, provider_id) do nothing",
            &[
                &identity.0.env.new_id(),
                &user,
                &provider.name,
                &profile.id,
                &data,
                &now,
            ],
        )
        .await?;
    if inserted == 0 {
        return Err(linked_to_another());
    }
    tx.execute(
        "update auth.users set raw_user_meta_data = $2 || raw_user_meta_data \
         where id = $1 and length(($2 || raw_user_meta_data)::text) <= 4096",
        &[&user, &data],
    )
    .await?;
    users::keep_providers(tx, user, now).await?;
    let traits = json!({ "provider": provider.name });
    audit::record(tx, &identity.0.env, Some(user), "identity_linked", traits).await
}

/// Somebody who is signed in and wants a further way in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linker {
    pub(super) user: Uuid,
    /// What they began in. When it has ended nobody links by it any more.
    pub(super) session: Uuid,
}

/// Gives somebody who is signed in a further way in; a visitor's account becomes a person's by it.
///
/// Errors: `identity_already_exists`, `email_exists`, `session_not_found`, `user_banned`, `insufficient_aal`.
pub(super) async fn link(
    identity: &Identity,
    tx: &SystemTx,
    provider: &Provider,
    profile: &Profile,
    Linker { user, session }: Linker,
) -> Result<Comer> {
    // Neither the account nor the session changes meanwhile.
    let row = tx
        .query_opt(
            "select u.email from auth.users u join auth.sessions s on s.user_id = u.id \
             where u.id = $1 and s.id = $2 for update of u for key share of s",
            &[&user, &session],
        )
        .await?
        .ok_or_else(errors::session_not_found)?;
    sessions::whose(identity, tx, session).await?;
    require_level(tx, user, session).await?;
    let own: Option<String> = row.try_get(0)?;
    let linked = tx
        .query_opt(
            "select user_id from auth.identities where provider = $1 and provider_id = $2",
            &[&provider.name, &profile.id],
        )
        .await?;
    if let Some(row) = linked {
        return Err(if row.try_get::<_, Uuid>(0)? == user {
            Error::unprocessable("identity_already_exists", "Identity is already linked")
        } else {
            linked_to_another()
        });
    }
    attach(identity, tx, provider, profile, user).await?;
    if let Some(person) = users::find(tx, user).await? {
        let provider = &provider.name;
        mails::notify(identity, tx, &person, Notice::IdentityLinked { provider }).await?;
    }
    let email = provider.verified_address(profile).filter(|_| own.is_none());
    tx.execute(
        "update auth.users set is_anonymous = false, updated_at = $3, email = coalesce(email, $2), \
         email_confirmed_at = case when $2::text is null then email_confirmed_at else $3 end, \
         email_proven_at = case when $2::text is null then email_proven_at else $3 end where id = $1",
        &[&user, &email, &identity.0.env.now()],
    )
    .await
    .map_err(|error| error.if_taken(errors::email_exists))?;
    Ok(Comer::known(user))
}

/// Takes one of somebody's own ways in away, never the last. Their address becomes that of another if it came with this one.
///
/// Errors: `identity_not_found`, `single_identity_not_deletable`, `email_conflict_identity_not_deletable`.
pub(super) async fn unlink(identity: &Identity, user: Uuid, way: Uuid) -> Result<()> {
    let now = identity.0.env.now();
    let tx = SystemTx::begin(&identity.0.db, "unlinking").await?;
    tx.query("select from auth.users where id = $1 for update", &[&user])
        .await?;
    let rows = tx
        .query(
            "select id, provider from auth.identities where user_id = $1 order by created_at, id",
            &[&user],
        )
        .await?;
    let mut provider = None;
    for row in &rows {
        if row.try_get::<_, Uuid>(0)? == way {
            provider = Some(row.try_get::<_, String>(1)?);
        }
    }
    let provider =
        provider.ok_or_else(|| Error::not_found("identity_not_found", "Identity doesn't exist"))?;
    if rows.len() < 2 {
        return Err(Error::unprocessable(
            "single_identity_not_deletable",
            "User must have at least 1 identity after unlinking",
        )
        .hint("Link another way in first."));
    }
    if let Some(person) = users::find(&tx, user).await? {
        let provider = &provider;
        mails::notify(identity, &tx, &person, Notice::IdentityUnlinked { provider }).await?;
    }
    tx.execute("delete from auth.identities where id = $1", &[&way])
        .await?;
    if provider == "phone" {
        tx.execute(
            "update auth.users set phone = null, phone_confirmed_at = null where id = $1",
            &[&user],
        )
        .await?;
        one_time::forget(&tx, user).await?;
    }
    if provider == "email" {
        // The password belongs to the address, and so do links on their way to it.
        tx.execute(
            "update auth.users set encrypted_password = null where id = $1",
            &[&user],
        )
        .await?;
        one_time::forget(&tx, user).await?;
    }
    tx.execute(
        "update auth.users u set updated_at = $2, email = o.email, \
         email_confirmed_at = case when o.email is null then null else coalesce(u.email_confirmed_at, $2) end, \
         email_proven_at = case when o.email is null then null else $2 end \
         from (select (select i.email from auth.identities i where i.user_id = $1 \
             and coalesce((i.identity_data ->> 'email_verified')::boolean, false) \
             order by i.created_at, i.id limit 1) as email) o \
         where u.id = $1 and not exists (select from auth.identities i where i.user_id = $1 and i.email = u.email)",
        &[&user, &now],
    )
    .await
    .map_err(|error| error.if_taken(|| Error::unprocessable(
            "email_conflict_identity_not_deletable",
            "Unable to unlink identity due to email conflict",
        )
        .hint("Another account has the address that would be left.")))?;
    users::keep_providers(&tx, user, now).await?;
    let traits = json!({ "provider": provider });
    audit::record(&tx, &identity.0.env, Some(user), "identity_unlinked", traits).await?;
    tx.commit().await
}

fn linked_to_another() -> Error {
    Error::unprocessable(
        "identity_already_exists",
        "Identity is already linked to another user",
    )
}

fn needs_verification(provider: &Provider) -> Error {
    let label = provider.label();
    Error::forbidden(
        "provider_email_needs_verification",
        format!("Unverified email with {label}. Verify the email with {label} in order to sign in"),
    )
}
