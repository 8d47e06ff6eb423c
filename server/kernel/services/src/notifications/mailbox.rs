//! The mailbox of a development installation: what would have been sent, for everybody who can reach the server.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use tenon_sdk::{
    Error, Kernel, Result, SystemTx,
    http::{ErrorBody, Json},
    module::Routes,
};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(mailbox))
}

/// A mail or text message that was kept instead of sent.
#[derive(Serialize, ToSchema)]
struct KeptMail {
    /// Its id.
    id: Uuid,
    /// `module.message`.
    kind: String,
    /// `mail` or `sms`.
    channel: String,
    /// The address or number it was for.
    recipient: String,
    /// The subject; empty for a text message.
    subject: String,
    /// The body as plain text.
    text: String,
    /// The body as HTML; empty for a text message.
    html: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// The last hundred messages, newest first. Only where `mail.mailbox` is set, which no installation for real people has.
#[utoipa::path(get, path = "/api/v1/notifications/mailbox", tag = "notifications", security(()),
    responses((status = 200, body = Vec<KeptMail>), (status = 404, body = ErrorBody)))]
async fn mailbox(State(kernel): State<Kernel>) -> Result<Json<Vec<KeptMail>>> {
    if !kernel.config().mail.mailbox {
        return Err(
            Error::not_found("notifications.no_mailbox", "This installation keeps no mail.")
                .hint("For development, start it with --set mail.mailbox=true."),
        );
    }
    let tx = SystemTx::begin(kernel.db(), "mailbox").await?;
    let rows = tx
        .query(
            "select id, kind, recipient, subject, body_text, body_html, created_at, channel from notifications.messages \
             where state = 'kept' order by created_at desc, id desc limit 100",
            &[],
        )
        .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(KeptMail {
                id: row.try_get(0)?,
                kind: row.try_get(1)?,
                channel: row.try_get(7)?,
                recipient: row.try_get(2)?,
                subject: row.try_get(3)?,
                text: row.try_get(4)?,
                html: row.try_get(5)?,
                created_at: row.try_get(6)?,
            })
        })
        .collect::<Result<_>>()
        .map(Json)
}
