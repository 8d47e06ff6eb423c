//! What a request would cost by the estimate of PostgreSQL's planner, and the limit that it has to keep.
//!
//! Only requests that aggregate are asked about: they may read a whole table for one row of answer, whereas others end
//! with their page. The planner is asked with `EXPLAIN`, which runs nothing, in a round trip of its own before the
//! statement; the statement cannot ask for itself in a database without functions of ours.

use crate::error::{Error, Result};
use crate::plan::{Explain, Plan, PlannedAction};
use crate::schema_cache::RoleSettings;
use crate::settings::Settings;
use crate::sql::{Statement, estimated_cost};

/// What `ALTER ROLE … SET` calls the limit of a role.
const ROLE_SETTING: &str = "tenon.max_cost";

/// A request whose cost has to be known before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostGate {
    limit: u64,
    statement: Statement,
}

impl CostGate {
    /// None if the request may run whatever it costs.
    pub fn new(plan: &Plan, settings: &Settings, role: Option<&RoleSettings>) -> Option<Self> {
        let runs = plan.explain.as_ref().is_none_or(Explain::runs);
        let aggregates = match &plan.action {
            PlannedAction::Read(read) => read.aggregates(),
            PlannedAction::Call(call) => call.read_only && call.read.aggregates(),
            PlannedAction::Mutate(_) | PlannedAction::Describe(_) | PlannedAction::Info(_) => false,
        };
        if !runs || !aggregates {
            return None;
        }
        let limit = limit(settings, role).filter(|limit| *limit > 0)?;
        let statement = Statement::priced(plan)?;
        Some(Self { limit, statement })
    }

    /// What asks the planner; [`CostGate::judge`] reads its one JSON value.
    pub fn statement(&self) -> Statement {
        self.statement.clone()
    }

    /// Refuses what is too dear, or of unknown price.
    pub fn judge(&self, explained: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(explained).unwrap_or_default();
        let cost = estimated_cost(text).unwrap_or(f64::INFINITY);
        #[allow(clippy::cast_precision_loss, reason = "both are estimates")]
        let limit = self.limit as f64;
        if cost <= limit {
            return Ok(());
        }
        Err(Error::too_costly(&rounded(cost), self.limit))
    }
}

/// The limit of the role, or else that of all.
fn limit(settings: &Settings, role: Option<&RoleSettings>) -> Option<u64> {
    let own = role.and_then(|role| role.settings.get(ROLE_SETTING));
    match own.and_then(|text| text.trim().parse().ok()) {
        Some(limit) => Some(limit),
        None => settings.max_cost,
    }
}

/// Two digits: more would tell the size of tables of which the caller sees a part.
fn rounded(cost: f64) -> String {
    if !cost.is_finite() {
        return "unknown".to_owned();
    }
    let mut unit = 1.0;
    while cost / unit >= 100.0 {
        unit *= 10.0;
    }
    format!("{:.0}", (cost / unit).ceil() * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::plan;

    fn settings(max_cost: Option<u64>) -> Settings {
        Settings {
            max_cost,
            ..Settings::default()
        }
    }

    fn gate(method: &str, target: &str) -> Option<CostGate> {
        let plan = plan(method, target, "return=representation", "{}")
            .unwrap_or_else(|error| panic!("{target}: {error}"));
        CostGate::new(&plan, &settings(Some(1000)), None)
    }

    #[test]
    fn only_reads_that_aggregate_are_priced() {
        for target in [
            "/orders?select=value.sum()",
            "/orders?select=number&having=(count().gt.1)",
            "/orders?select=number&order=value.max()",
            "/suppliers?select=name,orders(count())",
            "/entries?select=...orders(value.sum())",
        ] {
            let gate = gate("GET", target).unwrap_or_else(|| panic!("{target}"));
            let sql = gate.statement().sql;
            assert!(
                sql.starts_with("EXPLAIN (FORMAT JSON) SELECT "),
                "{target}: {sql}"
            );
        }
        for target in [
            "/orders",
            "/orders?select=number,entries(amount)&order=number",
            "/",
        ] {
            assert_eq!(gate("GET", target), None, "{target}");
        }
        assert_eq!(gate("POST", "/orders?select=count()"), None);
    }

    #[test]
    fn without_a_limit_nothing_is_priced_and_roles_may_have_their_own() {
        let plan = plan("GET", "/orders?select=count()", "", "").expect("plans");
        let role = |text: &str| RoleSettings {
            settings: [(ROLE_SETTING.to_owned(), text.to_owned())].into(),
            ..RoleSettings::default()
        };
        let limit = |most, role: Option<&RoleSettings>| {
            CostGate::new(&plan, &settings(most), role).map(|gate| gate.limit)
        };
        assert_eq!(limit(None, None), None);
        assert_eq!(limit(Some(0), None), None);
        assert_eq!(limit(Some(7), None), Some(7));
        assert_eq!(limit(Some(7), Some(&role("90"))), Some(90));
        assert_eq!(limit(None, Some(&role("90"))), Some(90));
        assert_eq!(limit(Some(7), Some(&role("0"))), None, "this role has no limit");
        assert_eq!(
            limit(Some(7), Some(&role("much"))),
            Some(7),
            "what is no number says nothing"
        );
        assert_eq!(limit(Some(7), Some(&RoleSettings::default())), Some(7));
    }

    #[test]
    fn what_is_too_dear_is_refused_with_its_price() {
        let gate = gate("GET", "/orders?select=count()").expect("it aggregates");
        let explained =
            |cost: &str| format!(r#"[{{"Plan": {{"Node Type": "Aggregate", "Total Cost": {cost}}}}}]"#);
        assert_eq!(gate.judge(explained("1000.00").as_bytes()), Ok(()));
        let error = gate
            .judge(explained("123456.78").as_bytes())
            .expect_err("too dear");
        assert_eq!((error.status, error.code.as_ref()), (422, "rest.too_costly"));
        let details = error.details.as_deref().and_then(|details| details.as_str());
        assert_eq!(
            details,
            Some("PostgreSQL estimates a cost of about 130000; the limit is 1000.")
        );
        assert!(gate.judge(b"nothing that can be read").is_err());
    }

    #[test]
    fn prices_are_told_roughly() {
        for (cost, told) in [
            (12.4, "13"),
            (99.0, "99"),
            (101.0, "110"),
            (1000.5, "1100"),
            (9.9e9, "9900000000"),
            (f64::INFINITY, "unknown"),
        ] {
            assert_eq!(rounded(cost), told);
        }
    }
}
