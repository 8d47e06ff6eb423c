//! The plans of the installation: what organisations may have.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon_sdk::{Error, Kernel, Result, SystemTx};
use utoipa::ToSchema;

use super::Operator;
use crate::{
    identity::audit,
    tenancy::{Feature, PLAN_COLUMNS, Plan},
    words::hyphenated,
};

/// Most plans.
const MAX_PLANS: i64 = 50;
/// Highest limit that can be written; without one there is none.
const HIGHEST: i32 = 1_000_000;

/// A plan that an organisation may have.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanRow {
    /// The word for it.
    pub name: String,
    /// For people.
    pub title: String,
    /// Most members; absent: no limit.
    pub members: Option<i32>,
    /// Most departments; absent: no limit.
    pub departments: Option<i32>,
    /// What it includes.
    pub features: Vec<Feature>,
    /// How many organisations have it.
    pub organizations: i64,
}

/// What a plan says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanText {
    /// For people; the word for it is made from it, and stays.
    #[schema(example = "Business", min_length = 1, max_length = 80)]
    pub title: String,
    /// Most members, open invitations counted: 1 to 1,000,000; absent: no limit.
    #[serde(default)]
    pub members: Option<i32>,
    /// Most departments: 0 to 1,000,000; absent: no limit.
    #[serde(default)]
    pub departments: Option<i32>,
    /// What it includes.
    pub features: Vec<Feature>,
}

impl PlanText {
    fn check(&self) -> Result<(&str, Vec<&'static str>)> {
        let title = self.title.trim();
        let in_range = |limit: Option<i32>, least| limit.is_none_or(|most| (least..=HIGHEST).contains(&most));
        if title.is_empty()
            || title.chars().count() > 80
            || title.chars().any(char::is_control)
            || !in_range(self.members, 1)
            || !in_range(self.departments, 0)
        {
            return Err(Error::unprocessable(
                "operator.plan_invalid",
                "A plan has a title of 1 to 80 characters, and limits of at most 1,000,000.",
            ));
        }
        let features = Feature::ALL
            .into_iter()
            .filter(|feature| self.features.contains(feature));
        Ok((title, features.map(Feature::as_str).collect()))
    }
}

/// All plans, the least first.
pub async fn list(kernel: &Kernel) -> Result<Vec<PlanRow>> {
    let tx = SystemTx::begin(kernel.db(), "operator: plans").await?;
    let rows = tx
        .query(
            &format!(
                "select {PLAN_COLUMNS}, (select count(*) from tenancy.organizations o where o.plan = p.name) \
                 from tenancy.plans p order by p.place, p.name"
            ),
            &[],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            let plan = Plan::read(row, 0)?;
            Ok(PlanRow {
                name: plan.name,
                title: plan.title,
                members: plan.members,
                departments: plan.departments,
                features: plan.features,
                organizations: row.try_get(5)?,
            })
        })
        .collect()
}

/// Whether there is a plan, which stays as long as `tx` goes on.
pub(super) async fn is_known(tx: &SystemTx, name: &str) -> Result<bool> {
    let row = tx
        .query_opt("select from tenancy.plans where name = $1 for share", &[&name])
        .await?;
    Ok(row.is_some())
}

fn not_found() -> Error {
    Error::not_found("operator.plan_not_found", "There is no such plan.")
}

/// Makes a plan, the last in the list; gives its word.
pub async fn create(kernel: &Kernel, operator: &Operator, text: &PlanText) -> Result<String> {
    let (title, features) = text.check()?;
    let taken = || {
        Error::conflict("operator.plan_exists", "There is a plan of this name.").hint("Choose another title.")
    };
    let mut name = hyphenated(title);
    name.truncate(40);
    let name = name
        .trim_matches(|c: char| c == '-' || c.is_ascii_digit())
        .to_owned();
    if name.is_empty() {
        return Err(Error::unprocessable(
            "operator.plan_invalid",
            "The title has no letters that the word for the plan could be made of.",
        ));
    }
    let tx = operator.begin(kernel, "operator: new plan").await?;
    let count: i64 = tx
        .query_one("select count(*) from tenancy.plans", &[])
        .await?
        .try_get(0)?;
    if count >= MAX_PLANS {
        return Err(Error::conflict(
            "operator.too_many_plans",
            format!("There are at most {MAX_PLANS} plans."),
        ));
    }
    let inserted = tx
        .execute(
            "insert into tenancy.plans (name, title, place, members, departments, features, updated_at) \
             select $1, $2, coalesce(max(place), 0) + 1, $3, $4, $5, $6 from tenancy.plans on conflict (name) do nothing",
            &[&name, &title, &text.members, &text.departments, &features, &kernel.env().now()],
        )
        .await?;
    if inserted == 0 {
        return Err(taken());
    }
    record(kernel, &tx, operator, "operator_plan_created", &name, text).await?;
    tx.commit().await?;
    Ok(name)
}

/// Writes a plan anew. Organisations that have it are entitled to what it says from now on; what they have beyond its limits stays, and
/// they get no more of it.
pub async fn change(kernel: &Kernel, operator: &Operator, name: &str, text: &PlanText) -> Result<()> {
    let (title, features) = text.check()?;
    let tx = operator.begin(kernel, "operator: plan").await?;
    let updated = tx
        .execute(
            "update tenancy.plans set title = $2, members = $3, departments = $4, features = $5, updated_at = $6 where name = $1",
            &[&name, &title, &text.members, &text.departments, &features, &kernel.env().now()],
        )
        .await?;
    if updated == 0 {
        return Err(not_found());
    }
    record(kernel, &tx, operator, "operator_plan_written", name, text).await?;
    tx.commit().await
}

/// How many organisations are named that stand in the way of a plan's end.
const NAMED: usize = 5;

/// Removes a plan that nobody has.
///
/// Errors: `operator.plan_not_found`; `operator.plan_in_use` while organisations have it, with who they are, or new ones get it.
pub async fn remove(kernel: &Kernel, operator: &Operator, name: &str) -> Result<()> {
    let in_use = |details: String, hint: &str| {
        Error::conflict("operator.plan_in_use", "This plan is in use.")
            .details(details)
            .hint(hint.to_owned())
    };
    let tx = operator.begin(kernel, "operator: plan removed").await?;
    // Whoever gives it to an organisation at this moment holds it.
    tx.query_opt("select from tenancy.plans where name = $1 for update", &[&name])
        .await?
        .ok_or_else(not_found)?;
    if kernel.config().tenancy.default_plan == name {
        return Err(in_use(
            "New organisations get it.".to_owned(),
            "Name another in the setting tenancy.default_plan first.",
        ));
    }
    let rows = tx
        .query(
            "select name from tenancy.organizations where plan = $1 order by lower(name), id",
            &[&name],
        )
        .await?;
    if !rows.is_empty() {
        let mut names: Vec<String> = Vec::new();
        for row in rows.iter().take(NAMED) {
            names.push(row.try_get(0)?);
        }
        let more = rows.len().saturating_sub(NAMED);
        let rest = if more > 0 {
            format!(" (+{more})")
        } else {
            String::new()
        };
        return Err(in_use(
            format!("{}{rest}", names.join(", ")),
            "Give these organisations another plan first.",
        ));
    }
    tx.execute("delete from tenancy.plans where name = $1", &[&name])
        .await?;
    let traits = json!({ "plan": name });
    audit::record(
        &tx,
        kernel.env(),
        Some(operator.user.0),
        "operator_plan_removed",
        traits,
    )
    .await?;
    tx.commit().await
}

/// All plans in the order they are to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanOrder {
    /// The words for them, the least first.
    #[schema(max_items = 50)]
    pub names: Vec<String>,
}

/// Gives the plans another order. The first is what organisations have whose plan there is no more.
pub async fn order(kernel: &Kernel, operator: &Operator, order: &PlanOrder) -> Result<()> {
    let tx = operator.begin(kernel, "operator: order of plans").await?;
    let rows = tx
        .query("select name from tenancy.plans order by name for update", &[])
        .await?;
    let mut known: Vec<String> = Vec::new();
    for row in &rows {
        known.push(row.try_get(0)?);
    }
    let mut wanted = order.names.clone();
    wanted.sort();
    known.sort();
    if wanted != known {
        return Err(Error::unprocessable(
            "operator.plan_order_invalid",
            "The order names each plan once, and nothing else.",
        )
        .hint("Look at the plans once more: one may have come or gone."));
    }
    tx.execute(
        "update tenancy.plans p set place = o.place::int from unnest($1::text[]) with ordinality as o (name, place) \
         where p.name = o.name",
        &[&order.names],
    )
    .await?;
    let traits = json!({ "plans": order.names });
    audit::record(
        &tx,
        kernel.env(),
        Some(operator.user.0),
        "operator_plans_ordered",
        traits,
    )
    .await?;
    tx.commit().await
}

async fn record(
    kernel: &Kernel,
    tx: &SystemTx,
    operator: &Operator,
    action: &str,
    name: &str,
    text: &PlanText,
) -> Result<()> {
    let traits = json!({
        "plan": name,
        "title": text.title.trim(),
        "members": text.members,
        "departments": text.departments,
        "features": text.features,
    });
    audit::record(tx, kernel.env(), Some(operator.user.0), action, traits).await
}
