//! Who is asking, and the door to data on their behalf.

use std::sync::Arc;

use crate::{
    db::{OrgSelector, RequestContext, Resolved, Surroundings, SystemTx, TenantTx},
    error::{Error, Result},
    ids::{OrgId, UserId},
    kernel::Kernel,
};

/// A key of an organisation, which speaks for no person, or a person's own token. Whether it is good is asked of the database at
/// the start of every request; this only says which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRef {
    /// Its row in `tenancy.api_keys`.
    pub id: uuid::Uuid,
    /// The only organisation it is good in.
    pub org: Option<OrgId>,
    /// Whether it may do less than its owner: then it is no good outside of organisations.
    pub narrow: bool,
}

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Database role of the data API: `anon`, `authenticated`, or `service_role` for a program of the operator's own.
    pub role: &'static str,
    /// The person.
    pub user: Option<UserId>,
    /// The session, if the token belongs to one.
    pub session: Option<uuid::Uuid>,
    /// The key or personal token, if it came with one instead.
    pub key: Option<KeyRef>,
    /// The token's claims as JSON text.
    pub claims: Arc<str>,
}

impl Identity {
    /// A visitor who is not signed in.
    pub fn anonymous() -> Self {
        Self {
            role: "anon",
            user: None,
            session: None,
            key: None,
            claims: r#"{"role":"anon"}"#.into(),
        }
    }

    /// Whether a person or a key is known; otherwise it is a visitor, or the server itself.
    pub fn is_principal(&self) -> bool {
        self.user.is_some() || self.key.is_some()
    }

    /// A program of the operator's own, which speaks for nobody and belongs to no organisation.
    pub fn service() -> Self {
        Self {
            role: "service_role",
            user: None,
            session: None,
            key: None,
            claims: r#"{"role":"service_role"}"#.into(),
        }
    }
}

/// A caller inside one organisation whose permission has been checked.
#[derive(Clone, Debug)]
pub struct Ctx {
    kernel: Kernel,
    org: OrgId,
    user: Option<UserId>,
    door: Door,
}

#[derive(Clone, Debug)]
enum Door {
    Request {
        identity: Identity,
        resolved: Arc<Resolved>,
    },
    Job,
}

impl Ctx {
    /// A caller of a request, resolved by the database.
    pub(crate) fn for_request(kernel: Kernel, identity: Identity, resolved: Resolved) -> Result<Self> {
        let Some(org) = resolved.org else {
            return Err(Error::not_found(
                "tenancy.org_not_found",
                "There is no such organisation.",
            ));
        };
        let user = identity.user;
        Ok(Self {
            kernel,
            org,
            user,
            door: Door::Request {
                identity,
                resolved: resolved.into(),
            },
        })
    }

    /// The server itself, working for an organisation and perhaps a person.
    pub fn for_job(kernel: Kernel, org: OrgId, user: Option<UserId>) -> Self {
        Self {
            kernel,
            org,
            user,
            door: Door::Job,
        }
    }

    /// Begins a transaction in the organisation. Rights are read anew: who was removed meanwhile is out.
    pub async fn begin(&self) -> Result<TenantTx> {
        match &self.door {
            Door::Request { identity, .. } => {
                let context = server_context(identity, OrgSelector::Id(self.org.0));
                TenantTx::begin(self.kernel.db(), self.kernel.env(), &context).await
            }
            Door::Job => TenantTx::begin_job(self.kernel.db(), self.kernel.env(), self.org, self.user).await,
        }
    }

    /// Begins a job's transaction that only reads, and sees everything as it is when it first looks.
    pub async fn begin_snapshot(&self) -> Result<TenantTx> {
        TenantTx::begin_snapshot(self.kernel.db(), self.kernel.env(), self.org, self.user).await
    }

    /// Asks once more what the caller may do, inside a transaction of the kernel: what was answered at the start of the request may
    /// have changed while its body came, or while the transaction waited for a lock.
    ///
    /// Errors: as at the start of a request, if the caller is not let in any more.
    pub async fn resolve_again(&self, tx: &SystemTx) -> Result<Rights> {
        let Door::Request { identity, .. } = &self.door else {
            return Err(Error::internal("a job has no rights to be asked for"));
        };
        let row = tx
            .query_one(
                "select member_role, permissions, granted from tenancy.resolve_again($1, $2, $3, $4)",
                &[
                    &identity.user,
                    &&*identity.claims,
                    &self.org,
                    &identity.key.map(|key| key.id),
                ],
            )
            .await?;
        let role: Option<String> = row.try_get(0)?;
        Ok(Rights {
            now: Resolved::new(Some(self.org.0), role.clone(), row.try_get(1)?),
            granted: Resolved::new(Some(self.org.0), role, row.try_get(2)?),
        })
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The organisation.
    pub fn org_id(&self) -> OrgId {
        self.org
    }

    /// The person.
    pub fn user_id(&self) -> Option<UserId> {
        self.user
    }

    /// An error naming the permission, unless the caller has it. A job has every permission.
    pub fn require(&self, permission: &str) -> Result<()> {
        match &self.door {
            Door::Request { resolved, .. } => resolved.require(permission),
            Door::Job => Ok(()),
        }
    }

    /// The caller's role and permissions; `None` for a job.
    pub fn resolved(&self) -> Option<&Resolved> {
        match &self.door {
            Door::Request { resolved, .. } => Some(resolved),
            Door::Job => None,
        }
    }
}

/// What a caller may do in an organisation.
#[derive(Clone, Debug)]
pub struct Rights {
    /// What counts.
    pub now: Resolved,
    /// What they were given: that, and what belongs to apps which are switched off.
    pub granted: Resolved,
}

/// The context of server code acting for a caller: more rights on tables, the same wall and the same permissions.
pub(crate) fn server_context(identity: &Identity, org: OrgSelector) -> RequestContext {
    RequestContext {
        role: "service_role",
        user: identity.user,
        key: identity.key.map(|key| key.id),
        claims: identity.claims.clone(),
        org,
        request: None,
        read_only: false,
        time_zone: None,
        surroundings: Surroundings::default(),
    }
}
