//! Text messages by way of a provider. All of them take a form by POST; what differs stands in one table.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde_json::Value;
use tenon_sdk::{
    Kernel, Result, SystemTx,
    config::{Sms, SmsProvider},
    outbound::{Outbound, Request},
};

use super::deliver::{Due, Outcome, answered};

/// Stands before a number that is written to by `WhatsApp`, as in the addresses of Twilio.
pub(crate) const WHATSAPP: &str = "whatsapp:";

/// How a provider is called.
struct Way {
    /// Its address, unless the settings name another.
    base: &'static str,
    /// The path below it.
    path: String,
    /// The form.
    form: Vec<(&'static str, String)>,
    /// How Tenon says who it is, beside what the form has.
    proof: Proof,
    /// Whether an answer with a good status says that the message was taken.
    taken: fn(&Value) -> bool,
    /// What the provider calls the message.
    id: fn(&Value) -> &Value,
}

/// How the provider knows us.
enum Proof {
    /// Name and password.
    Basic,
    /// `Authorization: AccessKey`.
    AccessKey,
    /// In the form.
    Form,
}

fn way(sms: &Sms, provider: SmsProvider, number: &str, text: &str) -> Way {
    let own = |value: &str| value.to_owned();
    let secret = || sms.secret.expose().to_owned();
    let (scheme, number) = match number.strip_prefix(WHATSAPP) {
        Some(number) => (WHATSAPP, number),
        None => ("", number),
    };
    match provider {
        SmsProvider::Twilio => Way {
            base: "https://api.twilio.com",
            path: format!("/2010-04-01/Accounts/{}/Messages.json", segment(&sms.account)),
            form: vec![
                ("To", format!("{scheme}+{number}")),
                // A service's id, or a number.
                if sms.from.starts_with("MG") {
                    ("MessagingServiceSid", own(&sms.from))
                } else {
                    ("From", format!("{scheme}{}", sms.from))
                },
                ("Body", own(text)),
            ],
            proof: Proof::Basic,
            taken: |answer| !matches!(answer["status"].as_str(), Some("failed" | "undelivered")),
            id: |answer| &answer["sid"],
        },
        // Twilio writes the message and makes the code.
        SmsProvider::TwilioVerify => Way {
            base: "https://verify.twilio.com",
            path: format!("/v2/Services/{}/Verifications", segment(&sms.from)),
            form: vec![
                ("To", format!("+{number}")),
                ("Channel", own(if scheme.is_empty() { "sms" } else { "whatsapp" })),
            ],
            proof: Proof::Basic,
            taken: |_| true,
            id: |answer| &answer["sid"],
        },
        SmsProvider::Messagebird => Way {
            base: "https://rest.messagebird.com",
            path: own("/messages"),
            form: vec![
                ("originator", own(&sms.from)),
                ("recipients", own(number)),
                ("body", own(text)),
                ("type", own("sms")),
                ("datacoding", own("auto")),
            ],
            proof: Proof::AccessKey,
            taken: |answer| answer["recipients"]["totalSentCount"] != 0,
            id: |answer| &answer["id"],
        },
        SmsProvider::Textlocal => Way {
            base: "https://api.textlocal.in",
            path: own("/send/"),
            form: vec![
                ("apikey", secret()),
                ("sender", own(&sms.from)),
                ("numbers", own(number)),
                ("message", own(text)),
            ],
            proof: Proof::Form,
            taken: |answer| answer["status"] == "success",
            id: |answer| &answer["messages"][0]["id"],
        },
        SmsProvider::Vonage => Way {
            base: "https://rest.nexmo.com",
            path: own("/sms/json"),
            form: vec![
                ("api_key", own(&sms.account)),
                ("api_secret", secret()),
                ("from", own(&sms.from)),
                ("to", own(number)),
                ("text", own(text)),
                ("type", own(if text.is_ascii() { "text" } else { "unicode" })),
            ],
            proof: Proof::Form,
            taken: |answer| answer["messages"][0]["status"] == "0",
            id: |answer| &answer["messages"][0]["message-id"],
        },
    }
}

/// A setting as one part of a path.
fn segment(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn request(sms: &Sms, way: &Way) -> Request {
    let base = if sms.base_url.is_empty() {
        way.base
    } else {
        sms.base_url.trim_end_matches('/')
    };
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(&way.form);
    let request = Request::post(format!("{base}{}", way.path))
        .accept_json()
        .body("application/x-www-form-urlencoded", body.finish());
    match way.proof {
        Proof::Basic => request.basic(&sms.account, sms.secret.expose()),
        Proof::AccessKey => request.header("authorization", &format!("AccessKey {}", sms.secret.expose())),
        Proof::Form => request,
    }
}

/// Sends one message to a number (E.164 without the plus sign).
pub(super) async fn send(outbound: &Outbound, sms: &Sms, due: &Due, now: Timestamp) -> Outcome {
    let Some(provider) = sms.provider else {
        return Outcome::Never("auth.sms.provider is not set".to_owned());
    };
    let way = way(sms, provider, &due.recipient, &due.text);
    let answer = match outbound.send(request(sms, &way)).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::no_answer(&error),
    };
    let told: Value = answer.json().unwrap_or_default();
    if (200..300).contains(&answer.status) {
        if (way.taken)(&told) {
            let id = (way.id)(&told);
            let id = id
                .as_str()
                .map(str::to_owned)
                .or_else(|| id.as_i64().map(|id| id.to_string()));
            return Outcome::Taken(id);
        }
        let why = answered(provider.name(), &answer, "");
        // Twilio says of a message of its own that it is lost; others may say so of our account.
        return if provider == SmsProvider::Twilio {
            Outcome::Never(why)
        } else {
            Outcome::NotNow(why)
        };
    }
    // Twilio's own number says more than the status, such as 21610, a recipient who wants no messages. Its words name the number.
    let code = told["code"].as_i64().map(|code| code.to_string());
    let why = answered(provider.name(), &answer, &code.unwrap_or_default());
    Outcome::refused(now, &answer, why)
}

/// How far the provider's clock may be behind.
const CLOCKS: SignedDuration = SignedDuration::from_mins(2);
/// States of Twilio's in which a message reaches nobody.
const LOST: [&str; 3] = ["failed", "undelivered", "canceled"];

/// Asks Twilio what became of a message in doubt: by its number and text, since there is no other name for it yet. What it does not
/// know a minute later it never took.
pub(super) async fn ask(kernel: &Kernel, due: &Due) -> Result<Outcome> {
    let sms = &kernel.config().auth.sms;
    if sms.provider != Some(SmsProvider::Twilio) {
        return Ok(Outcome::Doubt("The provider cannot be asked.".to_owned()));
    }
    let url = list_address(sms, &due.recipient);
    let request = Request::get(url)
        .accept_json()
        .basic(&sms.account, sms.secret.expose());
    let answer = match kernel.outbound().send(request).await {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            return Ok(Outcome::Doubt(format!(
                "Asked, the provider answered {}.",
                answer.status
            )));
        }
        Err(error) => {
            return Ok(Outcome::Doubt(format!(
                "The provider could not be asked: {}",
                error.message
            )));
        }
    };
    let Ok(told) = answer.json::<Value>() else {
        return Ok(Outcome::Doubt(
            "Asked, the provider answered something else.".to_owned(),
        ));
    };
    let found = candidates(&told, due);
    // One with the same text that is known as another message is not this one.
    let ids: Vec<&str> = found.iter().map(|(id, _)| *id).collect();
    let (tx, row) = SystemTx::begin_query_opt(
        kernel.db(),
        "messages",
        "select coalesce(array_agg(provider_id), '{}') from notifications.messages \
         where provider = 'twilio' and provider_id = any($1) and id <> $2",
        &[&ids, &due.id],
    )
    .await?;
    tx.commit().await?;
    let others: Vec<String> = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let own = found
        .into_iter()
        .find(|(id, _)| !others.iter().any(|other| other == id));
    Ok(match own {
        Some((_, status)) if LOST.contains(&status) => Outcome::Never(format!("Twilio says: {status}.")),
        Some((id, _)) => Outcome::Taken(Some(id.to_owned())),
        None => Outcome::NotNow("Twilio knows nothing of it.".to_owned()),
    })
}

/// Where Twilio lists the messages to a number.
fn list_address(sms: &Sms, recipient: &str) -> String {
    let base = if sms.base_url.is_empty() {
        "https://api.twilio.com"
    } else {
        sms.base_url.trim_end_matches('/')
    };
    let (scheme, number) = match recipient.strip_prefix(WHATSAPP) {
        Some(number) => (WHATSAPP, number),
        None => ("", recipient),
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("To", &format!("{scheme}+{number}"))
        .append_pair("PageSize", "200");
    format!(
        "{base}/2010-04-01/Accounts/{}/Messages.json?{}",
        segment(&sms.account),
        query.finish()
    )
}

/// Ids and states of messages with the same text since the first try.
fn candidates<'a>(told: &'a Value, due: &Due) -> Vec<(&'a str, &'a str)> {
    let made = |message: &Value| -> Option<Timestamp> {
        let text = message["date_created"].as_str()?;
        rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    };
    let all = told["messages"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter()
        .filter(|message| {
            message["body"]
                .as_str()
                .is_some_and(|body| body.ends_with(&due.text))
        })
        .filter(|message| made(message).is_some_and(|at| at >= due.since - CLOCKS))
        .filter_map(|message| {
            Some((
                message["sid"].as_str()?,
                message["status"].as_str().unwrap_or_default(),
            ))
        })
        .collect()
}

/// Whether the provider, which made the code itself, knows it for this number.
pub(crate) async fn verified_by_provider(
    outbound: &Outbound,
    sms: &Sms,
    number: &str,
    code: &str,
) -> Result<bool> {
    let way = Way {
        base: "https://verify.twilio.com",
        path: format!("/v2/Services/{}/VerificationCheck", segment(&sms.from)),
        form: vec![("To", format!("+{number}")), ("Code", code.to_owned())],
        proof: Proof::Basic,
        taken: |_| true,
        id: |answer| &answer["sid"],
    };
    let answer = outbound.send(request(sms, &way)).await?;
    // 404: no check is pending there, or it was used up.
    if answer.status == 404 {
        return Ok(false);
    }
    let said: Value = answer.ok()?.json()?;
    Ok(said["status"] == "approved" && said["valid"] == true)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenon_sdk::config::Config;

    use super::*;

    fn settings() -> Sms {
        let mut sms = Config::defaults().auth.sms;
        sms.account = "AC1/../x".into();
        sms.secret = "key&more".into();
        sms.from = "Harbour".into();
        sms
    }

    #[test]
    fn every_provider_gets_number_text_and_sender_in_its_own_words() {
        let sms = settings();
        for (provider, path, proof) in [
            (
                SmsProvider::Twilio,
                "/2010-04-01/Accounts/AC1x/Messages.json",
                true,
            ),
            (
                SmsProvider::TwilioVerify,
                "/v2/Services/Harbour/Verifications",
                true,
            ),
            (SmsProvider::Messagebird, "/messages", true),
            (SmsProvider::Textlocal, "/send/", false),
            (SmsProvider::Vonage, "/sms/json", false),
        ] {
            let way = way(&sms, provider, "49301112223", "Ihr Code ist 123456 – bitte");
            assert_eq!(way.path, path);
            assert!(
                way.form.iter().any(|(_, value)| value.ends_with("49301112223")),
                "{provider:?}"
            );
            let secret = way.form.iter().any(|(_, value)| value == "key&more");
            assert_eq!(secret, !proof, "{provider:?}");
            let text = way.form.iter().any(|(_, value)| value.contains("123456"));
            assert_eq!(text, provider != SmsProvider::TwilioVerify, "{provider:?}");
        }
    }

    #[test]
    fn by_whatsapp_the_addresses_say_so() {
        let mut sms = settings();
        sms.from = "+14155238886".into();
        let form = |sms: &Sms, provider| way(sms, provider, "whatsapp:49301112223", "x").form;
        let twilio = form(&sms, SmsProvider::Twilio);
        assert!(twilio.contains(&("To", "whatsapp:+49301112223".into())));
        assert!(twilio.contains(&("From", "whatsapp:+14155238886".into())));
        let verify = form(&sms, SmsProvider::TwilioVerify);
        assert!(verify.contains(&("To", "+49301112223".into())));
        assert!(verify.contains(&("Channel", "whatsapp".into())));
    }

    #[test]
    fn only_a_message_of_the_same_text_since_the_first_try_can_be_the_one_in_doubt() {
        let mut due = Due::sample();
        due.text = "Fertig".into();
        due.since = "2026-11-23T01:00:00Z".parse().unwrap();
        let message = |sid: &str, body: &str, at: &str| json!({ "sid": sid, "body": body, "date_created": at, "status": "sent" });
        let told = json!({ "messages": [
            message("SM1", "Fertig", "Mon, 23 Nov 2026 01:00:01 +0000"),
            message("SM2", "Sent from your Twilio trial account - Fertig", "Mon, 23 Nov 2026 00:59:00 +0000"),
            message("SM3", "Fertig", "Mon, 23 Nov 2026 00:30:00 +0000"),
            message("SM4", "Anderes", "Mon, 23 Nov 2026 01:00:01 +0000"),
            message("SM5", "Fertig", "gestern"),
        ]});
        let found: Vec<_> = candidates(&told, &due).into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, ["SM1", "SM2"]);
        assert!(
            candidates(&json!({}), &due).is_empty() && candidates(&json!({ "messages": 7 }), &due).is_empty()
        );
    }

    #[test]
    fn a_provider_that_says_no_in_a_good_answer_is_heard() {
        let sms = settings();
        let taken = |provider, answer: Value| (way(&sms, provider, "1", "x").taken)(&answer);
        assert!(taken(SmsProvider::Twilio, json!({ "status": "queued" })));
        assert!(!taken(SmsProvider::Twilio, json!({ "status": "failed" })));
        assert!(taken(SmsProvider::Textlocal, json!({ "status": "success" })));
        assert!(!taken(SmsProvider::Textlocal, json!({ "status": "failure" })));
        assert!(taken(
            SmsProvider::Vonage,
            json!({ "messages": [{ "status": "0" }] })
        ));
        assert!(!taken(
            SmsProvider::Vonage,
            json!({ "messages": [{ "status": "4" }] })
        ));
        assert!(!taken(
            SmsProvider::Messagebird,
            json!({ "recipients": { "totalSentCount": 0 } })
        ));
    }
}
