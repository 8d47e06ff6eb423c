//! The commands and reads of purchasing over HTTP. Lists of orders, entries and alerts are read through the data API.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tenon_sdk::http::{ErrorBody, Json, Path, Permit, Tx};
use tenon_sdk::module::Routes;
use tenon_sdk::{Error, Result};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::commands::acknowledge_alert::{self, Alert};
use crate::commands::{evaluate, set_thresholds};
use crate::model::{Level, Thresholds};
use crate::permissions::{AlertsAcknowledge, OrdersRead, SettingsUpdate};
use crate::queries;

/// All routes of the app.
pub fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(board))
        .routes(routes!(acknowledge))
        .routes(routes!(settings, update_settings))
}

/// Key figures of all orders. Money is decimal text; currencies are never added up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Board {
    /// One row per currency, most orders first.
    totals: Vec<CurrencyTotal>,
    /// Orders per level, from on track to over budget.
    levels: Vec<LevelCount>,
    /// Alerts that nobody has acknowledged yet.
    open_alerts: i64,
    /// Orders past their due date (UTC) and not fully billed.
    overdue: i64,
    /// The ten orders at warning or above that are used up furthest.
    top_risks: Vec<Risk>,
    /// Certified amounts per month of survey: the 24 months up to the latest.
    billed_by_month: Vec<MonthBilled>,
}

/// Sums over the orders of one currency.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct CurrencyTotal {
    /// ISO 4217 code.
    currency: String,
    /// Number of orders.
    orders: i64,
    /// Sum of current values.
    ordered: String,
    /// Sum billed to date.
    billed: String,
    /// Sum of what is left to bill; an order that ran over counts as zero.
    open_commitment: String,
}

/// How many orders are at a level.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct LevelCount {
    /// The level.
    level: Level,
    /// Number of orders.
    orders: i64,
}

/// An order that may run over or has.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Risk {
    /// The order's id.
    id: Uuid,
    /// The order's number.
    number: String,
    /// The supplier's name.
    supplier: String,
    /// ISO 4217 code.
    currency: String,
    /// Original value plus variations.
    current_value: String,
    /// Sum of certified entries.
    billed_to_date: String,
    /// In per cent, not rounded; null if the order has no value.
    utilisation: Option<String>,
    /// The level.
    level: Level,
}

/// What was billed in a month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct MonthBilled {
    /// `YYYY-MM`.
    month: String,
    /// ISO 4217 code.
    currency: String,
    /// Sum of certified entries.
    billed: String,
}

/// Key figures, levels, risks and billing by month
#[utoipa::path(
    get, path = "/api/v1/purchasing/board", tag = "purchasing", operation_id = "purchasing_board",
    responses(
        (status = 200, body = Board),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
async fn board(tx: Tx<OrdersRead>) -> Result<Json<Board>> {
    let today = tx.env().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let row = tx.query_one(queries::BOARD, &[&tx.org_id(), &today]).await?;
    let board = serde_json::from_value(row.try_get(0)?).map_err(Error::internal)?;
    tx.commit().await?;
    Ok(Json(board))
}

/// What the acknowledging person has to say.
#[derive(Debug, Deserialize, ToSchema)]
struct Acknowledgement {
    /// Required at critical and above; at most 2000 characters.
    note: Option<String>,
}

/// Acknowledge an alert
#[utoipa::path(
    post, path = "/api/v1/purchasing/alerts/{id}/acknowledge", tag = "purchasing",
    operation_id = "purchasing_acknowledge_alert",
    params(("id" = Uuid, Path, description = "The alert")),
    request_body = Acknowledgement,
    responses(
        (status = 200, body = Alert),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "`purchasing.alert_not_open`"),
        (status = 422, body = ErrorBody, description = "`purchasing.note_required`, `purchasing.note_too_long`"),
    )
)]
async fn acknowledge(
    permit: Permit<AlertsAcknowledge>,
    Path(id): Path<Uuid>,
    Json(body): Json<Acknowledgement>,
) -> Result<Json<Alert>> {
    let tx = permit.begin().await?;
    let alert = acknowledge_alert::acknowledge(&tx, id, body.note.as_deref()).await?;
    tx.commit().await?;
    Ok(Json(alert))
}

/// Where the levels begin, in per cent: `0 < warning < critical <= 100`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Settings {
    /// Decimal text with at most two places.
    #[schema(value_type = String, example = "80")]
    warning: Decimal,
    /// Decimal text with at most two places.
    #[schema(value_type = String, example = "95")]
    critical: Decimal,
}

impl From<Thresholds> for Settings {
    fn from(thresholds: Thresholds) -> Self {
        Self {
            warning: thresholds.warning().normalize(),
            critical: thresholds.critical().normalize(),
        }
    }
}

/// The organisation's thresholds
#[utoipa::path(
    get, path = "/api/v1/purchasing/settings", tag = "purchasing", operation_id = "purchasing_settings",
    responses(
        (status = 200, body = Settings),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
async fn settings(tx: Tx<OrdersRead>) -> Result<Json<Settings>> {
    let thresholds = evaluate::thresholds(&tx).await?;
    tx.commit().await?;
    Ok(Json(thresholds.into()))
}

/// Change the thresholds and judge every order by them
#[utoipa::path(
    put, path = "/api/v1/purchasing/settings", tag = "purchasing", operation_id = "purchasing_update_settings",
    request_body = Settings,
    responses(
        (status = 200, body = Settings),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody, description = "`purchasing.thresholds_invalid`"),
    )
)]
async fn update_settings(
    permit: Permit<SettingsUpdate>,
    Json(body): Json<Settings>,
) -> Result<Json<Settings>> {
    let thresholds = Thresholds::new(body.warning, body.critical).map_err(|error| {
        Error::unprocessable("purchasing.thresholds_invalid", sentence(&error.to_string()))
    })?;
    let tx = permit.begin().await?;
    set_thresholds::set_thresholds(&tx, thresholds).await?;
    tx.commit().await?;
    Ok(Json(thresholds.into()))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}
