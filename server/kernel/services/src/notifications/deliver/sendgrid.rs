//! Mail by `SendGrid` (v3). It knows no key by which it would know a message again, and nothing that can be asked what became of one.

use jiff::Timestamp;
use lettre::message::Mailbox;
use serde_json::{Value, json};
use tenon_sdk::{
    config::MailKey,
    outbound::{Outbound, Request},
};

use super::{
    Outcome, base,
    claim::Due,
    outcome::{answered, said},
};

pub(super) async fn send(
    outbound: &Outbound,
    key: &MailKey,
    from: &Mailbox,
    due: &Due,
    now: Timestamp,
) -> Outcome {
    let url = format!("{}/v3/mail/send", base(&key.base_url, "https://api.sendgrid.com"));
    let mut sender = json!({ "email": from.email.to_string() });
    if let Some(name) = &from.name {
        sender["name"] = json!(name);
    }
    let body = json!({
        "personalizations": [{ "to": [{ "email": due.recipient }] }],
        "from": sender,
        "subject": due.subject,
        // Plain text first, as it asks.
        "content": [
            { "type": "text/plain", "value": due.text },
            { "type": "text/html", "value": due.html },
        ],
        // Links are people's own ways; counting clicks would lead them elsewhere.
        "tracking_settings": {
            "click_tracking": { "enable": false, "enable_text": false },
            "open_tracking": { "enable": false },
        },
        "custom_args": { "tenon_id": due.id },
    });
    let request = Request::post(url)
        .bearer(key.api_key.expose())
        .accept_json()
        .json(&body);
    let answer = match outbound.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::no_answer(&error),
    };
    if (200..300).contains(&answer.status) {
        let id = answer.headers.get("x-message-id").and_then(|id| id.to_str().ok());
        return Outcome::Taken(id.map(str::to_owned));
    }
    let told: Value = answer.json().unwrap_or_default();
    let why = answered("sendgrid", &answer, &said(told["errors"][0]["message"].as_str()));
    Outcome::refused(now, &answer, why)
}
