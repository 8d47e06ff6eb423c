//! Somebody takes note of an alert, and says why if it is grave.

use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{Error, Result, TenantTx};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{AlertState, AlertStep, Level};
use crate::{events, queries};

/// Longest note, in characters.
pub const NOTE_MAX: usize = 2000;

/// An alert about an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// The order it is about.
    pub order_id: Uuid,
    /// The level the order reached.
    pub level: Level,
    /// Its state.
    pub state: AlertState,
    /// The order's utilisation in per cent when the alert was opened, as decimal text; null if the order has no value.
    pub utilisation: Option<String>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    /// When it was acknowledged.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it.
    pub acknowledged_by: Option<Uuid>,
    /// What they wrote.
    pub note: Option<String>,
    /// When it was settled, or its order fell back.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Timestamp>,
}

/// Acknowledges an open or escalated alert. A note is required at critical and above.
pub async fn acknowledge(tx: &TenantTx, id: Uuid, note: Option<&str>) -> Result<Alert> {
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    let Some(row) = tx
        .query_opt(queries::ALERT_FOR_UPDATE, &[&tx.org_id(), &id])
        .await?
    else {
        return Err(Error::not_found(
            "purchasing.alert_not_found",
            "There is no such alert.",
        ));
    };
    let level: Level = row.try_get::<_, &str>(0)?.parse().map_err(Error::internal)?;
    let state: AlertState = row.try_get::<_, &str>(1)?.parse().map_err(Error::internal)?;
    let Some(after) = state.after(AlertStep::Acknowledge) else {
        return Err(Error::conflict(
            "purchasing.alert_not_open",
            format!("The alert is already {state}."),
        )
        .hint("Load the alerts again to see what has happened since."));
    };
    if level.needs_note() && note.is_none() {
        return Err(Error::unprocessable(
            "purchasing.note_required",
            "An alert at critical or above is acknowledged with a note.",
        )
        .details(format!("The alert's level is {level}."))
        .hint("Say what is being done about the order."));
    }
    if note.is_some_and(|note| note.chars().count() > NOTE_MAX) {
        return Err(
            Error::unprocessable("purchasing.note_too_long", "The note is too long.")
                .details(format!("A note has at most {NOTE_MAX} characters.")),
        );
    }
    let row = tx
        .query_one(
            queries::ACKNOWLEDGE_ALERT,
            &[
                &tx.org_id(),
                &id,
                &after.as_str(),
                &tx.env().now(),
                &tx.user_id(),
                &note,
            ],
        )
        .await?;
    let alert = Alert {
        id: row.try_get(0)?,
        order_id: row.try_get(1)?,
        level,
        state: after,
        utilisation: row.try_get(4)?,
        opened_at: row.try_get(5)?,
        acknowledged_at: row.try_get(6)?,
        acknowledged_by: row.try_get(7)?,
        note: row.try_get(8)?,
        resolved_at: row.try_get(9)?,
    };
    tx.emit(&events::alert_acknowledged(
        id,
        alert.order_id,
        level,
        alert.acknowledged_by,
        note,
    ))
    .await?;
    Ok(alert)
}
