//! Providers of text messages.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::{Config, SmsProvider};
use tenon_testkit::{TestServer, answer};

use super::{Asked, Reply, StandIn, log, reachable, server};
use crate::chores::until;

const ADA: &str = "+49 30 1234567";
const STORED: &str = "49301234567";
const SECRET: &str = "a secret & more";

fn by(config: &mut Config, provider: SmsProvider) {
    config.auth.sms.base_url = reachable(config) + "/";
    config.auth.sms.enabled = true;
    config.auth.sms.pause_seconds = 0;
    config.auth.sms.provider = Some(provider);
    config.auth.sms.account = "AC0123".into();
    config.auth.sms.secret = SECRET.into();
    config.auth.sms.from = "+4915112345".into();
}

fn says(body: &Value) -> Reply {
    Reply::With(200, body.to_string())
}

async fn ask_for_code(server: &TestServer) {
    let request = server.anonymous(Method::POST, "/auth/v1/otp");
    let (status, told) = answer(request.json(&json!({ "phone": ADA }))).await;
    assert_eq!(status, 200, "{told}");
}

async fn reached(server: &TestServer, condition: &str) {
    let sql =
        format!("select exists (select from notifications.messages where channel = 'sms' and {condition})");
    until(&server.admin().await, &sql).await;
}

/// Sends a code by the stand-in; gives the one request that it took.
async fn sent(server: &TestServer, service: &StandIn) -> Asked {
    ask_for_code(server).await;
    reached(server, "state = 'sent' and body_text = '' and error is null").await;
    let mut asked = service.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].method, Method::POST);
    assert_eq!(asked[0].header("accept"), "application/json");
    asked.remove(0)
}

/// The code of a message in its form, which is told by nobody else.
fn code(text: &str) -> String {
    let code = text.strip_prefix("Your code is ").expect("a code").to_owned();
    assert!(code.len() == 6 && !log().contains(&code), "{code} in {}", log());
    code
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("AC0123:{SECRET}")))
}

/// The code opens the account; neither number nor secret stands in the log.
async fn signs_in(server: &TestServer, code: &str) {
    let body = json!({ "type": "sms", "phone": ADA, "token": code });
    let request = server.anonymous(Method::POST, "/auth/v1/verify");
    let (status, session) = answer(request.json(&body)).await;
    assert_eq!(
        (status, &session["user"]["phone"]),
        (200, &json!(STORED)),
        "{session}"
    );
    discreet();
}

fn discreet() {
    let log = log();
    for secret in [
        SECRET,
        "a+secret",
        "a%20secret",
        &STANDARD.encode(format!("AC0123:{SECRET}")),
        STORED,
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn twilio_gets_a_form_with_the_accounts_name_and_token() {
    let service = StandIn::start(vec![says(&json!({ "sid": "SM1", "status": "queued" }))]).await;
    let server = server(|config| by(config, SmsProvider::Twilio)).await;
    let asked = sent(&server, &service).await;
    assert_eq!(asked.path, "/2010-04-01/Accounts/AC0123/Messages.json");
    assert_eq!(asked.header("authorization"), basic());
    let form = asked.form();
    assert_eq!(form.keys().collect::<Vec<_>>(), ["Body", "From", "To"]);
    assert_eq!(
        (form["To"].as_str(), form["From"].as_str()),
        ("+49301234567", "+4915112345")
    );
    signs_in(&server, &code(&form["Body"])).await;
}

#[tokio::test]
async fn twilio_sends_by_a_messaging_service_where_one_is_set() {
    let service = StandIn::start(vec![says(&json!({ "status": "accepted" }))]).await;
    let server = server(|config| {
        by(config, SmsProvider::Twilio);
        config.auth.sms.from = "MG0123".into();
    })
    .await;
    let form = sent(&server, &service).await.form();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["Body", "MessagingServiceSid", "To"]
    );
    assert_eq!(form["MessagingServiceSid"], "MG0123");
}

#[tokio::test]
async fn twilio_verify_makes_the_code_and_is_asked_about_it() {
    let service = StandIn::start(vec![Reply::With(
        201,
        json!({ "sid": "VE1", "status": "pending", "valid": false }).to_string(),
    )])
    .await;
    let server = server(|config| {
        by(config, SmsProvider::TwilioVerify);
        config.auth.sms.from = "VA0123".into();
    })
    .await;
    let asked = sent(&server, &service).await;
    assert_eq!(asked.path, "/v2/Services/VA0123/Verifications");
    assert_eq!(asked.header("authorization"), basic());
    let form = asked.form();
    assert_eq!(form.keys().collect::<Vec<_>>(), ["Channel", "To"]);
    assert_eq!(
        (form["To"].as_str(), form["Channel"].as_str()),
        ("+49301234567", "sms")
    );
    let show = async |code: &str| {
        let body = json!({ "type": "sms", "phone": ADA, "token": code });
        let request = server.anonymous(Method::POST, "/auth/v1/verify");
        answer(request.json(&body)).await
    };
    // It says no, knows no such check, is broken, or says something else.
    for (reply, status) in [
        (says(&json!({ "status": "pending", "valid": false })), 403),
        (Reply::With(404, json!({ "code": 20404 }).to_string()), 403),
        (Reply::With(500, String::new()), 503),
        (Reply::With(200, "<html>".into()), 503),
        (says(&json!({ "status": "approved" })), 403),
    ] {
        service.answer(reply.clone());
        let (got, told) = show("987654").await;
        assert_eq!(got, status, "{reply:?}: {told}");
        let asked = service.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].path, "/v2/Services/VA0123/VerificationCheck");
        assert_eq!(asked[0].header("authorization"), basic());
        let form = asked[0].form();
        assert_eq!(
            (form["To"].as_str(), form["Code"].as_str()),
            ("+49301234567", "987654")
        );
    }
    service.answer(says(&json!({ "status": "approved", "valid": true })));
    assert_eq!(show("987654").await.0, 200);
    discreet();
    assert!(!log().contains("987654"));
}

#[tokio::test]
async fn messagebird_gets_a_form_with_its_access_key() {
    let service = StandIn::start(vec![Reply::With(
        201,
        json!({ "id": "1", "recipients": { "totalSentCount": 1 } }).to_string(),
    )])
    .await;
    let server = server(|config| by(config, SmsProvider::Messagebird)).await;
    let asked = sent(&server, &service).await;
    assert_eq!(asked.path, "/messages");
    assert_eq!(asked.header("authorization"), format!("AccessKey {SECRET}"));
    let form = asked.form();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["body", "datacoding", "originator", "recipients", "type"]
    );
    assert_eq!(
        (form["recipients"].as_str(), form["originator"].as_str()),
        (STORED, "+4915112345")
    );
    assert_eq!(
        (form["type"].as_str(), form["datacoding"].as_str()),
        ("sms", "auto")
    );
    signs_in(&server, &code(&form["body"])).await;
}

#[tokio::test]
async fn vonage_gets_key_and_secret_in_the_form() {
    let service = StandIn::start(vec![says(
        &json!({ "message-count": "1", "messages": [{ "status": "0" }] }),
    )])
    .await;
    let server = server(|config| by(config, SmsProvider::Vonage)).await;
    let asked = sent(&server, &service).await;
    assert_eq!(
        (asked.path.as_str(), asked.header("authorization")),
        ("/sms/json", "")
    );
    let form = asked.form();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["api_key", "api_secret", "from", "text", "to", "type"]
    );
    assert_eq!(
        (form["api_key"].as_str(), form["api_secret"].as_str()),
        ("AC0123", SECRET)
    );
    assert_eq!(
        (form["to"].as_str(), form["from"].as_str()),
        (STORED, "+4915112345")
    );
    assert_eq!(form["type"], "text");
    signs_in(&server, &code(&form["text"])).await;
}

#[tokio::test]
async fn textlocal_gets_its_key_in_the_form() {
    let service = StandIn::start(vec![says(&json!({ "status": "success" }))]).await;
    let server = server(|config| by(config, SmsProvider::Textlocal)).await;
    let asked = sent(&server, &service).await;
    assert_eq!(
        (asked.path.as_str(), asked.header("authorization")),
        ("/send/", "")
    );
    let form = asked.form();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["apikey", "message", "numbers", "sender"]
    );
    assert_eq!(
        (form["apikey"].as_str(), form["numbers"].as_str()),
        (SECRET, STORED)
    );
    signs_in(&server, &code(&form["message"])).await;
}

/// A message that was not taken waits, is sent again, and in the end is given up.
async fn refused(service: StandIn, config: fn(&mut Config), no: Reply, yes: Reply, word: &str) {
    service.answer(no.clone());
    let server = server(config).await;
    ask_for_code(&server).await;
    reached(
        &server,
        &format!("state = 'queued' and attempts = 1 and error = '{word}'"),
    )
    .await;
    assert_eq!(
        service.asked().len(),
        1,
        "a message is no question to repeat at once"
    );
    server.advance(SignedDuration::from_secs(31));
    reached(&server, "state = 'queued' and attempts = 2 and error is not null").await;
    service.answer(yes);
    server.advance(SignedDuration::from_secs(61));
    reached(&server, "state = 'sent' and attempts = 3 and body_text = ''").await;
    assert_eq!(service.asked().len(), 2);
    assert!(log().contains(word), "{}", log());
    discreet();
    // Another, which nobody ever takes.
    service.answer(no);
    server
        .admin()
        .await
        .execute("delete from notifications.messages", &[])
        .await
        .unwrap();
    ask_for_code(&server).await;
    for attempt in 1..8 {
        reached(
            &server,
            &format!("state = 'queued' and attempts = {attempt} and error is not null"),
        )
        .await;
        server
            .admin()
            .await
            .execute("update notifications.messages set error = null", &[])
            .await
            .unwrap();
        server.advance(SignedDuration::from_secs(30 << attempt));
    }
    reached(&server, "state = 'failed' and attempts = 8 and body_text = ''").await;
    assert_eq!(service.asked().len(), 8);
    discreet();
}

#[tokio::test]
async fn what_twilio_cannot_take_at_the_moment_is_sent_again_and_given_up_in_the_end() {
    let service = StandIn::start(vec![Reply::Never]).await;
    // Its words name the number, and stay outside.
    let no = json!({ "code": 20500, "message": "Nothing for +49301234567 now.", "status": 500 });
    refused(
        service,
        |config| by(config, SmsProvider::Twilio),
        Reply::With(500, no.to_string()),
        says(&json!({ "status": "sent" })),
        "twilio answered 500: 20500",
    )
    .await;
}

#[tokio::test]
async fn what_twilio_refuses_for_good_ends_at_once() {
    let no = json!({ "code": 21610, "message": "+49301234567 wants no messages.", "status": 400 });
    let service = StandIn::start(vec![Reply::With(400, no.to_string())]).await;
    let server = server(|config| by(config, SmsProvider::Twilio)).await;
    ask_for_code(&server).await;
    let failed =
        "state = 'failed' and attempts = 1 and error = 'twilio answered 400: 21610' and body_text = ''";
    reached(&server, failed).await;
    assert_eq!(service.asked().len(), 1);
    discreet();
}

/// How long Twilio is given to answer.
fn in_a_hurry(config: &mut Config) {
    by(config, SmsProvider::Twilio);
    config.outbound.timeout_ms = 300;
}

#[tokio::test]
async fn a_message_that_twilio_may_have_taken_is_asked_after_and_never_doubled() {
    let service = StandIn::start(vec![Reply::Never]).await;
    let server = server(in_a_hurry).await;
    ask_for_code(&server).await;
    reached(
        &server,
        "state = 'uncertain' and attempts = 1 and body_text <> ''",
    )
    .await;
    let text = service.asked()[0].form()["Body"].clone();
    let now = tenon_sdk::env::Env::real()
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC);
    let at = now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    service.answer(says(&json!({ "messages": [
        { "sid": "SM8", "body": "Another", "status": "sent", "date_created": at },
        { "sid": "SM9", "body": text, "status": "sent", "date_created": at },
    ] })));
    server.advance(SignedDuration::from_secs(61));
    reached(
        &server,
        "state = 'sent' and provider = 'twilio' and provider_id = 'SM9' and attempts = 1 and body_text = ''",
    )
    .await;
    let asked = service.asked();
    assert_eq!((asked.len(), &asked[0].method), (1, &Method::GET));
    assert_eq!(
        asked[0].path,
        "/2010-04-01/Accounts/AC0123/Messages.json?To=%2B49301234567&PageSize=200"
    );
    discreet();
}

#[tokio::test]
async fn a_message_that_twilio_knows_nothing_of_is_sent_again() {
    let service = StandIn::start(vec![Reply::Broken]).await;
    let server = server(in_a_hurry).await;
    ask_for_code(&server).await;
    reached(&server, "state = 'uncertain' and attempts = 1").await;
    service.answer(says(&json!({ "messages": [] })));
    server.advance(SignedDuration::from_secs(61));
    reached(&server, "state = 'queued' and attempts = 1").await;
    service.answer(says(&json!({ "sid": "SM2", "status": "queued" })));
    server.advance(SignedDuration::from_secs(31));
    reached(&server, "state = 'sent' and attempts = 2 and provider_id = 'SM2'").await;
    let methods: Vec<_> = service.asked().into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, [Method::POST, Method::GET, Method::POST]);
}

#[tokio::test]
async fn what_vonage_refuses_in_a_good_answer_is_sent_again() {
    let service = StandIn::start(vec![Reply::Never]).await;
    refused(
        service,
        |config| by(config, SmsProvider::Vonage),
        says(&json!({ "messages": [{ "status": "4", "error-text": "Bad Credentials" }] })),
        says(&json!({ "messages": [{ "status": "0" }] })),
        "vonage answered 200.",
    )
    .await;
}

#[tokio::test]
async fn what_textlocal_refuses_in_a_good_answer_is_sent_again() {
    let service = StandIn::start(vec![Reply::Never]).await;
    refused(
        service,
        |config| by(config, SmsProvider::Textlocal),
        says(&json!({ "status": "failure", "errors": [{ "code": 3, "message": "Invalid login details" }] })),
        says(&json!({ "status": "success" })),
        "textlocal answered 200.",
    )
    .await;
}

#[tokio::test]
async fn what_messagebird_refuses_is_sent_again() {
    let service = StandIn::start(vec![Reply::Never]).await;
    refused(
        service,
        |config| by(config, SmsProvider::Messagebird),
        Reply::With(
            401,
            json!({ "errors": [{ "code": 2, "description": "Request not allowed" }] }).to_string(),
        ),
        Reply::With(201, json!({ "recipients": { "totalSentCount": 1 } }).to_string()),
        "messagebird answered 401.",
    )
    .await;
}
