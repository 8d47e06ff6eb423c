//! The organisation decides where warning and critical begin; every order is judged by it at once.

use tenon_sdk::{Error, Result, TenantTx};

use super::evaluate::{self, Outcome};
use super::plans;
use crate::model::Thresholds;
use crate::{events, queries};

/// Decimal places a threshold may have.
const SCALE: u32 = 2;

/// Stores other thresholds and moves levels and alerts to what they make of the present figures.
pub async fn set_thresholds(tx: &TenantTx, thresholds: Thresholds) -> Result<Outcome> {
    let (warning, critical) = (
        thresholds.warning().normalize(),
        thresholds.critical().normalize(),
    );
    if warning.scale() > SCALE || critical.scale() > SCALE {
        return Err(Error::unprocessable(
            "purchasing.thresholds_invalid",
            "A threshold has at most two decimal places.",
        ));
    }
    super::bump_revision(tx).await?;
    let before = evaluate::thresholds(tx).await?;
    if before == thresholds {
        return Ok(Outcome::default());
    }
    tx.execute(queries::SET_THRESHOLDS, &[&tx.org_id(), &warning, &critical])
        .await?;
    tx.emit(&events::thresholds_changed(before, thresholds)).await?;
    plans::each_time(tx).await?;
    let standings = evaluate::all_standings(tx).await?;
    let outcome = evaluate::evaluate(tx, &standings, None).await?;
    plans::as_usual(tx).await?;
    Ok(outcome)
}
