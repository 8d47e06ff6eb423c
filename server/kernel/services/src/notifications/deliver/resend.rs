//! Mail by Resend. It knows a message again by its key for a day, so that one in doubt is sent again without becoming two.

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
    let url = format!("{}/emails", base(&key.base_url, "https://api.resend.com"));
    let body = json!({
        "from": from.to_string(),
        "to": [due.recipient],
        "subject": due.subject,
        "text": due.text,
        "html": due.html,
        "tags": [{ "name": "tenon_id", "value": due.id.simple().to_string() }],
    });
    let request = Request::post(url)
        .bearer(key.api_key.expose())
        .header("idempotency-key", &due.id.to_string())
        .accept_json()
        .json(&body);
    let answer = match outbound.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::no_answer(&error),
    };
    let told: Value = answer.json().unwrap_or_default();
    if (200..300).contains(&answer.status) {
        return Outcome::Taken(told["id"].as_str().map(str::to_owned));
    }
    let why = answered("resend", &answer, &said(told["message"].as_str()));
    match (answer.status, told["name"].as_str()) {
        // The try before is still being worked on.
        (409, Some("concurrent_idempotent_requests")) => Outcome::NotNow(why),
        // Something was sent by this key that was not quite this: it is there already.
        (409, Some("invalid_idempotent_request")) => Outcome::Doubt(why),
        _ => Outcome::refused(now, &answer, why),
    }
}
