//! Mail by Amazon SES (v2), signed with AWS Signature Version 4 as the store for files has it, by the machine's own clock. It knows no key by
//! which it would know a message again.

use axum::http::header;
use jiff::Timestamp;
use lettre::message::Mailbox;
use object_store::{
    aws::{AwsAuthorizer, AwsCredential},
    client::{HttpRequest, HttpRequestBody},
};
use serde_json::{Value, json};
use tenon_sdk::{
    Error, Result,
    config::MailSes,
    outbound::{Answer, Outbound, Request},
};

use super::{
    Outcome, base,
    claim::Due,
    outcome::{answered, said},
};

/// Words of errors that are about our account or our pace, under whatever status they come.
const PACE: [&str; 3] = [
    "TooManyRequestsException",
    "ThrottlingException",
    "LimitExceededException",
];
const ACCOUNT: [&str; 3] = [
    "SendingPausedException",
    "AccountSuspendedException",
    "MailFromDomainNotVerifiedException",
];

pub(super) async fn send(
    outbound: &Outbound,
    ses: &MailSes,
    from: &Mailbox,
    due: &Due,
    now: Timestamp,
) -> Outcome {
    let request = match request(ses, from, due) {
        Ok(request) => request,
        Err(error) => return Outcome::NotNow(error.to_string()),
    };
    let answer = match outbound.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::no_answer(&error),
    };
    let told: Value = answer.json().unwrap_or_default();
    if (200..300).contains(&answer.status) {
        return Outcome::Taken(told["MessageId"].as_str().map(str::to_owned));
    }
    let kind = kind(&answer, &told);
    let words = said(told["message"].as_str().or(told["Message"].as_str()));
    let why = answered("ses", &answer, format!("{kind} {words}").trim());
    if PACE.contains(&kind.as_str()) {
        return Outcome::Hold(why, answer.retry_after(now));
    }
    if ACCOUNT.contains(&kind.as_str()) {
        return Outcome::NotNow(why);
    }
    Outcome::refused(now, &answer, why)
}

/// The error's name, without the namespace before and the address behind it.
fn kind(answer: &Answer, told: &Value) -> String {
    let header = answer
        .headers
        .get("x-amzn-errortype")
        .and_then(|kind| kind.to_str().ok());
    let kind = header.or(told["__type"].as_str()).unwrap_or_default();
    let kind = kind.split(':').next().unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default().to_owned()
}

fn request(ses: &MailSes, from: &Mailbox, due: &Due) -> Result<Request> {
    let part = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
    let mut body = json!({
        "FromEmailAddress": from.to_string(),
        "Destination": { "ToAddresses": [due.recipient] },
        "Content": { "Simple": {
            "Subject": part(&due.subject),
            "Body": { "Text": part(&due.text), "Html": part(&due.html) },
        } },
        "EmailTags": [{ "Name": "tenon_id", "Value": due.id.simple().to_string() }],
    });
    if !ses.configuration_set.is_empty() {
        body["ConfigurationSetName"] = json!(ses.configuration_set);
    }
    let body = serde_json::to_vec(&body).map_err(Error::internal)?;
    let own = format!("https://email.{}.amazonaws.com", ses.region);
    let url = format!("{}/v2/email/outbound-emails", base(&ses.base_url, &own));
    let signed = signed(ses, &url, body.clone())?;
    Ok(Request::post(&url)
        .accept_json()
        .body("application/json", body)
        .headers(signed))
}

/// The headers that say who asks, and when.
fn signed(ses: &MailSes, url: &str, body: Vec<u8>) -> Result<header::HeaderMap> {
    let MailSes {
        region,
        access_key_id,
        secret_access_key,
        session_token,
        ..
    } = ses;
    // They come into headers.
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    if ![region, access_key_id, session_token.expose()]
        .into_iter()
        .all(plain)
    {
        return Err(Error::internal("a setting of mail.ses is not plain text"));
    }
    let credential = AwsCredential {
        key_id: access_key_id.clone(),
        secret_key: secret_access_key.expose().to_owned(),
        token: (!session_token.is_empty()).then(|| session_token.expose().to_owned()),
    };
    let mut request: HttpRequest = axum::http::Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(HttpRequestBody::from(body))
        .map_err(Error::internal)?;
    AwsAuthorizer::new(&credential, "ses", region)
        .try_authorize(&mut request, None)
        .map_err(Error::internal)?;
    Ok(std::mem::take(request.headers_mut()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> MailSes {
        MailSes {
            region: "eu-central-1".into(),
            access_key_id: "AKIDEXAMPLE".into(),
            secret_access_key: "a secret".into(),
            session_token: "a-token".into(),
            configuration_set: String::new(),
            base_url: String::new(),
        }
    }

    #[test]
    fn a_request_is_signed_for_the_service_and_its_region() {
        let url = "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails";
        let headers = signed(&settings(), url, b"{}".to_vec()).unwrap();
        let of = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(of("x-amz-security-token"), "a-token");
        assert_eq!(of("x-amz-date").len(), "20261123T010203Z".len());
        let authorization = of("authorization");
        assert!(
            authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
                && authorization.contains("/eu-central-1/ses/aws4_request, SignedHeaders=")
                && authorization.contains("host;"),
            "{authorization}"
        );
        assert!(!format!("{headers:?}").contains("a secret"));
    }

    #[test]
    fn settings_that_headers_cannot_carry_are_an_error() {
        for bad in ["eu\r\nx: y", "eu central", "é"] {
            let ses = MailSes {
                region: bad.into(),
                ..settings()
            };
            assert!(signed(&ses, "https://x.example/", Vec::new()).is_err(), "{bad:?}");
        }
    }
}
