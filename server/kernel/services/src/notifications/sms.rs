//! Text messages by way of a provider. All of them take a form by POST; what differs stands in one table.

use serde_json::Value;
use tenon_sdk::{
    Error, Result,
    config::{Sms, SmsProvider},
    outbound::{Outbound, Request},
};

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
///
/// Errors: of the outbound client; `sms_send_failed` if the provider did not take the message.
pub(super) async fn send(outbound: &Outbound, sms: &Sms, number: &str, text: &str) -> Result<()> {
    let Some(provider) = sms.provider else {
        return Err(Error::unavailable(
            "sms_send_failed",
            "No provider of text messages is set.",
        ));
    };
    let way = way(sms, provider, number, text);
    let answer = outbound.send(request(sms, &way)).await?;
    let said: Value = answer.json().unwrap_or_default();
    if (200..300).contains(&answer.status) && (way.taken)(&said) {
        return Ok(());
    }
    Err(
        Error::unavailable("sms_send_failed", "The provider did not take the text message.")
            .details(format!("{} answered {}.", provider.name(), answer.status)),
    )
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
