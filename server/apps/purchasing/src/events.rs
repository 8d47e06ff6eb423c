//! What purchasing tells others. Subjects are ids of imports, alerts and organisations; money and percentages are text.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tenon_sdk::events::Event;
use uuid::Uuid;

use crate::model::{Level, Thresholds};

/// An import's rows are in the books and evaluated.
pub fn import_committed(import: Uuid, summary: &Value) -> Event {
    Event::new("purchasing.import_committed", import, summary.clone())
}

/// An import was taken back.
pub fn import_undone(import: Uuid) -> Event {
    Event::new("purchasing.import_undone", import, json!({}))
}

/// An order rose to a level.
pub fn alert_opened(alert: Uuid, order: Uuid, level: Level, utilisation: Option<&str>) -> Event {
    Event::new(
        "purchasing.alert_opened",
        alert,
        json!({ "order": order, "level": level, "utilisation": utilisation }),
    )
}

/// An order fell back below the alert's level.
pub fn alert_closed(alert: Uuid, order: Uuid, level: Level) -> Event {
    Event::new(
        "purchasing.alert_closed",
        alert,
        json!({ "order": order, "level": level }),
    )
}

/// Somebody took note of an alert.
pub fn alert_acknowledged(
    alert: Uuid,
    order: Uuid,
    level: Level,
    by: Option<Uuid>,
    note: Option<&str>,
) -> Event {
    Event::new(
        "purchasing.alert_acknowledged",
        alert,
        json!({ "order": order, "level": level, "by": by, "note": note }),
    )
}

/// The organisation has other thresholds.
pub fn thresholds_changed(before: Thresholds, after: Thresholds) -> Event {
    let percent = |value: Decimal| value.normalize().to_string();
    Event {
        kind: "purchasing.thresholds_changed",
        subject: None,
        payload: json!({
            "before": { "warning": percent(before.warning()), "critical": percent(before.critical()) },
            "after": { "warning": percent(after.warning()), "critical": percent(after.critical()) },
        }),
    }
}
