//! Acting in an organisation: the one way for commands to begin. The organisation is locked, so that what is counted stays true until the
//! commit, and then the caller's rights are asked once more: they may have been taken while the request's body came, or while the
//! lock was waited for.

use std::collections::BTreeSet;

use tenon_sdk::{
    Ctx, Error, OrgId, Result, SystemTx,
    ctx::Rights,
    db::Resolved,
    env::Env,
    events::Event,
    permission::{Permission, Role},
};

use super::commands::{Locked, Standing, standing};

/// A caller in a transaction of the kernel that has their organisation locked.
pub(crate) struct Acting {
    tx: SystemTx,
    ctx: Ctx,
    /// The organisation.
    pub(crate) locked: Locked,
    /// The built-in role that says whom the caller may touch; keys of programs have none.
    role: Option<Role>,
    rights: Rights,
}

impl Acting {
    /// Begins, if the caller has the permission `P`; `reason` as in [`SystemTx::begin`].
    ///
    /// Errors: as at the start of a request.
    pub(crate) async fn begin<P: Permission>(ctx: &Ctx, reason: &'static str) -> Result<Self> {
        let tx = SystemTx::begin(ctx.kernel().db(), reason).await?;
        let locked = standing::lock(&tx, ctx.org_id()).await?;
        let rights = ctx.resolve_again(&tx).await?;
        rights.now.require(P::DEF.name)?;
        Ok(Self {
            role: rights.now.role.as_deref().and_then(Role::parse),
            rights,
            ctx: ctx.clone(),
            tx,
            locked,
        })
    }

    /// The transaction.
    pub(crate) fn tx(&self) -> &SystemTx {
        &self.tx
    }

    /// The organisation.
    pub(crate) fn org(&self) -> OrgId {
        self.ctx.org_id()
    }

    /// Clock, ids and randomness.
    pub(crate) fn env(&self) -> &Env {
        self.ctx.kernel().env()
    }

    /// The caller's request.
    pub(crate) fn ctx(&self) -> &Ctx {
        &self.ctx
    }

    /// The caller's built-in role.
    pub(crate) fn role(&self) -> Option<Role> {
        self.role
    }

    /// What the caller was given, permissions of apps that are off included.
    pub(crate) fn granted(&self) -> &Resolved {
        &self.rights.granted
    }

    /// The highest built-in role all of whose permissions the caller has: what they may give. A token that was narrowed has fewer than
    /// its owner.
    pub(crate) fn gives(&self) -> Option<Role> {
        let off = |name: &str| {
            let app = name.split('.').next().unwrap_or_default();
            self.locked.disabled_apps.iter().any(|disabled| disabled == app)
        };
        let all = || {
            let modules = self.ctx.kernel().modules().iter();
            modules
                .flat_map(|module| module.permissions)
                .filter(|def| !off(def.name))
        };
        let held: BTreeSet<&str> = self.rights.now.permissions().collect();
        let holds = |role: &Role| {
            all()
                .filter(|def| def.from <= *role)
                .all(|def| held.contains(def.name))
        };
        let own = self.role?;
        Role::ALL
            .into_iter()
            .filter(|role| *role <= own)
            .take_while(holds)
            .last()
    }

    /// The caller as a member. Keys of programs and operators who help have no standing among members.
    pub(crate) async fn member(&self) -> Result<Standing> {
        let nobody = || {
            Error::forbidden(
                "tenancy.member_needed",
                "Only a member of the organisation may do this.",
            )
        };
        let user = self.ctx.user_id().ok_or_else(nobody)?;
        let mut member = standing::find(&self.tx, self.org(), user)
            .await?
            .ok_or_else(nobody)?;
        // Who has a custom role alone is less than their built-in one says.
        member.role = member.role.min(self.role.ok_or_else(nobody)?);
        Ok(member)
    }

    /// An error unless the caller may give a role.
    pub(crate) fn may_give(&self, role: Role) -> Result<()> {
        if self.gives().is_some_and(|highest| role <= highest) {
            return Ok(());
        }
        Err(
            Error::forbidden("tenancy.role_above_own", "You cannot give a role above your own.")
                .hint("A token that is narrowed gives no role at all."),
        )
    }

    /// Records an event of the organisation, caused by the caller.
    pub(crate) async fn emit(&self, event: &Event) -> Result<()> {
        self.tx
            .emit(self.env(), self.org(), self.ctx.user_id(), event)
            .await
    }

    /// Makes everything done here lasting and visible.
    pub(crate) async fn commit(self) -> Result<()> {
        self.tx.commit().await
    }
}
