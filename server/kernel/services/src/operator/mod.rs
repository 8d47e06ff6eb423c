//! The console of those who run the installation: organisations and people across it, and entering an organisation to help.
//!
//! An operator is a person whose account says so (`auth.users.is_super_admin`). That gives no rights inside organisations: to look
//! into one, an operator enters it with a reason and for a time, as somebody with the role `support`; its owners see that and can
//! end it. What `kernel.begin_request` makes of such a visit is tenancy's. The programs that sign people in here are identity's;
//! operators look after them in the console.

mod extract;
mod messages;
mod organizations;
mod plans;
mod programs;
mod routes;
mod search;
mod users;
mod visits;

pub use extract::Operator;

use tenon_sdk::{Error, Kernel, Module, Result, SystemTx, UserId};

/// The module's manifest. Its tables are tenancy's.
pub fn module() -> Module {
    Module::new("operator", "Operator")
        .job::<visits::EndVisit>()
        .routes(routes::routes)
}

/// Makes a person an operator, or takes it away, and writes that to the log of the installation; for demo data and tests. The command line
/// calls the same function of the database.
pub async fn set_operator(kernel: &Kernel, user: UserId, operates: bool) -> Result<()> {
    let (env, by) = (kernel.env(), "server");
    let tx = SystemTx::begin(kernel.db(), "operator").await?;
    let known: Option<bool> = tx
        .query_one(
            "select tenancy.set_operator($1, $2, $3, $4, $5)",
            &[&user, &operates, &env.new_id(), &env.now(), &by],
        )
        .await?
        .try_get(0)?;
    if known.is_none() {
        return Err(Error::not_found(
            "operator.user_not_found",
            "There is no such person.",
        ));
    }
    tx.commit().await
}
