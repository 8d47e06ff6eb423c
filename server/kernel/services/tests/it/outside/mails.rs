//! Providers of mail: what they are asked, and what comes of each of their answers, and of none.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tenon_sdk::{
    config::{Config, MailProvider},
    notify::Notification,
};
use tenon_testkit::{TestOrg, TestServer};

use super::{Asked, Reply, StandIn, log, reachable};
use crate::{chores::until, notices};

const SECRET: &str = "a-secret-of-this-test";

fn by(config: &mut Config, provider: MailProvider) {
    let base = reachable(config);
    config.outbound.timeout_ms = 300;
    let mail = &mut config.mail;
    mail.from = "Hafen <no-reply@example.com>".into();
    mail.provider = provider;
    for key in [&mut mail.sendgrid, &mut mail.resend] {
        key.api_key = SECRET.into();
        key.base_url.clone_from(&base);
    }
    mail.ses.region = "eu-central-1".into();
    mail.ses.access_key_id = "AKIDEXAMPLE".into();
    mail.ses.secret_access_key = SECRET.into();
    mail.ses.base_url = base;
}

async fn server(config: fn(&mut Config)) -> (TestServer, TestOrg) {
    let server = TestServer::configured(vec![notices::module()], config).await;
    let org = server.organization("Hafen & Söhne").await;
    (server, org)
}

/// Tells the owner something by mail.
async fn tell(server: &TestServer, org: &TestOrg) {
    let told = Notification::new("bells.rung")
        .to(org.owner.id)
        .value("who", "Ada\r\nBcc: eve@example.com");
    notices::tell(server, org, &told).await;
}

async fn reached(server: &TestServer, condition: &str) {
    let sql =
        format!("select exists (select from notifications.messages where channel = 'mail' and {condition})");
    until(&server.admin().await, &sql).await;
}

/// Sends one mail; gives the one request that it took.
async fn sent(service: &StandIn, config: fn(&mut Config), id: &str) -> (Asked, String) {
    let (server, org) = server(config).await;
    tell(&server, &org).await;
    reached(
        &server,
        &format!("state = 'sent' and attempts = 1 and provider_id = '{id}' and body_text = '' and sent_at is not null"),
    )
    .await;
    let mut asked = service.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(!log().contains(SECRET), "{}", log());
    (asked.remove(0), org.owner.email)
}

#[tokio::test]
async fn sendgrid_gets_both_bodies_and_names_the_message_in_a_header() {
    let service = StandIn::start(vec![Reply::Headed(202, "x-message-id", "sg1", String::new())]).await;
    let (asked, owner) = sent(&service, |config| by(config, MailProvider::Sendgrid), "sg1").await;
    assert_eq!(asked.path, "/v3/mail/send");
    assert_eq!(asked.header("authorization"), format!("Bearer {SECRET}"));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["personalizations"], json!([{ "to": [{ "email": owner }] }]));
    assert_eq!(
        body["from"],
        json!({ "email": "no-reply@example.com", "name": "Hafen" })
    );
    assert_eq!(body["subject"], "Ada  Bcc: eve@example.com rang");
    assert_eq!(body["content"][0]["type"], "text/plain");
    let html = body["content"][1]["value"].as_str().unwrap();
    assert!(
        html.contains("Hafen &amp; Söhne") && html.contains("<html"),
        "{html}"
    );
}

#[tokio::test]
async fn resend_gets_a_key_by_which_it_knows_the_message_again() {
    let service = StandIn::start(vec![Reply::With(200, json!({ "id": "re1" }).to_string())]).await;
    let (asked, owner) = sent(&service, |config| by(config, MailProvider::Resend), "re1").await;
    assert_eq!(asked.path, "/emails");
    assert_eq!(asked.header("idempotency-key").len(), 36);
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["to"], json!([owner]));
    assert_eq!(body["from"], "Hafen <no-reply@example.com>");
}

#[tokio::test]
async fn ses_gets_a_signed_request() {
    let service = StandIn::start(vec![Reply::With(200, json!({ "MessageId": "ses1" }).to_string())]).await;
    let (asked, owner) = sent(&service, |config| by(config, MailProvider::Ses), "ses1").await;
    assert_eq!(asked.path, "/v2/email/outbound-emails");
    let signature = asked.header("authorization");
    assert!(
        signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
            && signature.contains("/eu-central-1/ses/"),
        "{signature}"
    );
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["Destination"]["ToAddresses"], json!([owner]));
    assert_eq!(
        body["Content"]["Simple"]["Subject"]["Data"],
        "Ada  Bcc: eve@example.com rang"
    );
}

#[tokio::test]
async fn a_provider_that_says_it_is_too_much_is_left_alone_for_as_long_as_it_says() {
    let service = StandIn::start(vec![Reply::Headed(429, "retry-after", "600", "{}".into())]).await;
    let (server, org) = server(|config| by(config, MailProvider::Sendgrid)).await;
    tell(&server, &org).await;
    reached(
        &server,
        "state = 'queued' and attempts = 1 and error = 'sendgrid answered 429.'",
    )
    .await;
    // Another one waits, too, without being tried.
    tell(&server, &org).await;
    server.advance(SignedDuration::from_mins(9));
    server.drain_jobs().await;
    service.answer(Reply::With(202, String::new()));
    assert_eq!(service.asked().len(), 1);
    server.advance(SignedDuration::from_mins(2));
    let both = "select count(*) = 2 from notifications.messages where channel = 'mail' and state = 'sent'";
    until(&server.admin().await, both).await;
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn a_fault_of_the_provider_passes_and_a_fault_of_the_message_does_not() {
    let service = StandIn::start(vec![Reply::With(500, "{}".into())]).await;
    let (server, org) = server(|config| by(config, MailProvider::Ses)).await;
    tell(&server, &org).await;
    reached(
        &server,
        "state = 'queued' and attempts = 1 and error = 'ses answered 500.'",
    )
    .await;
    // What SES says of our account is no word on the message.
    let paused = json!({ "__type": "SendingPausedException", "message": "paused" });
    service.answer(Reply::With(400, paused.to_string()));
    server.advance(SignedDuration::from_secs(31));
    reached(
        &server,
        "state = 'queued' and attempts = 2 and error like 'ses answered 400: SendingPaused%'",
    )
    .await;
    let no = json!({ "message": "Address ada@example.com is not verified." });
    service.answer(Reply::Headed(
        400,
        "x-amzn-errortype",
        "MessageRejected:http://x/",
        no.to_string(),
    ));
    server.advance(SignedDuration::from_secs(61));
    let words = "ses answered 400: MessageRejected Address … is not verified.";
    reached(
        &server,
        &format!("state = 'failed' and attempts = 3 and error = '{words}' and body_text <> ''"),
    )
    .await;
    server.advance(SignedDuration::from_hours(5));
    tell(&server, &org).await;
    reached(&server, "state = 'failed' and attempts = 1").await;
    assert_eq!(service.asked().len(), 4);
}

/// What the provider may have taken stays in doubt, whatever time passes.
async fn stays_in_doubt(reply: Reply, config: fn(&mut Config)) {
    let service = StandIn::start(vec![reply]).await;
    let (server, org) = server(config).await;
    tell(&server, &org).await;
    reached(
        &server,
        "state = 'uncertain' and attempts = 1 and body_text <> '' and next_attempt_at is null",
    )
    .await;
    service.answer(Reply::With(202, "{}".into()));
    server.advance(SignedDuration::from_hours(30));
    // One that comes later goes out; the one in doubt does not go with it.
    tell(&server, &org).await;
    reached(&server, "state = 'sent'").await;
    reached(&server, "state = 'uncertain' and attempts = 1").await;
    assert_eq!(service.asked().len(), 2);
}

#[tokio::test]
async fn a_mail_is_in_doubt_when_sendgrid_does_not_answer_in_time() {
    stays_in_doubt(Reply::Never, |config| by(config, MailProvider::Sendgrid)).await;
}

#[tokio::test]
async fn a_mail_is_in_doubt_when_the_connection_to_ses_breaks() {
    stays_in_doubt(Reply::Broken, |config| by(config, MailProvider::Ses)).await;
}

#[tokio::test]
async fn a_mail_is_in_doubt_when_something_in_between_answers() {
    stays_in_doubt(Reply::With(502, "<html>".into()), |config| {
        by(config, MailProvider::Sendgrid);
    })
    .await;
}

#[tokio::test]
async fn a_mail_that_resend_may_have_taken_is_sent_again_under_the_same_key() {
    let service = StandIn::start(vec![Reply::Never]).await;
    let (server, org) = server(|config| by(config, MailProvider::Resend)).await;
    tell(&server, &org).await;
    reached(&server, "state = 'queued' and attempts = 1 and error is not null").await;
    service.answer(Reply::With(200, json!({ "id": "re2" }).to_string()));
    server.advance(SignedDuration::from_secs(31));
    reached(&server, "state = 'sent' and attempts = 2 and provider_id = 're2'").await;
    let asked = service.asked();
    let keys: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("idempotency-key"))
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_has_taken_nothing() {
    let service = StandIn::start(vec![Reply::Never]).await;
    let (server, org) = server(|config| {
        by(config, MailProvider::Sendgrid);
        // Nobody listens there.
        config.mail.sendgrid.base_url = "http://127.0.0.1:1".into();
    })
    .await;
    tell(&server, &org).await;
    reached(
        &server,
        "state = 'queued' and attempts = 1 and error = 'No connection could be made.'",
    )
    .await;
    assert_eq!(service.asked().len(), 0);
}

#[tokio::test]
async fn a_mail_whose_server_died_while_sending_it_is_in_doubt_and_an_operator_decides() {
    let service = StandIn::start(vec![Reply::Never]).await;
    let (server, org) = server(|config| {
        by(config, MailProvider::Sendgrid);
        config.outbound.timeout_ms = 60_000;
    })
    .await;
    tell(&server, &org).await;
    reached(&server, "state = 'sending' and attempts = 1").await;
    // It dies with the question on its lips; another one takes over.
    let next = server
        .beside(
            vec![notices::module()],
            tenon_testkit::TestServerOptions {
                config: Some(|config| by(config, MailProvider::Sendgrid)),
                ..Default::default()
            },
        )
        .await;
    let admin = next.admin().await;
    drop(server);
    service.answer(Reply::With(202, String::new()));
    next.advance(SignedDuration::from_secs(150));
    reached(&next, "state = 'uncertain' and attempts = 1 and body_text <> ''").await;
    let asked = service.asked().len();
    assert_eq!(asked, 1);

    // Nobody but who runs the installation sees it.
    let path = "/api/v1/operator/messages";
    let owner = &org.owner;
    let call = async |body: Option<(&str, &str)>| {
        let url = next.url(&body.map_or(path.to_owned(), |(id, _)| format!("{path}/{id}/resolve")));
        let method = if body.is_some() {
            reqwest::Method::POST
        } else {
            reqwest::Method::GET
        };
        let mut request = next.http().request(method, url).bearer_auth(&owner.token);
        if let Some((_, decision)) = body {
            request = request.json(&json!({ "decision": decision }));
        }
        tenon_testkit::answer(request).await
    };
    assert_eq!(call(None).await.0, 404);
    admin
        .execute(
            "update auth.users set is_super_admin = true where id = $1",
            &[&owner.id],
        )
        .await
        .unwrap();
    let (status, page) = call(None).await;
    assert_eq!((status, &page["uncertain"]), (200, &json!(1)), "{page}");
    let message = &page["messages"][0];
    assert_eq!(
        (&message["provider"], &message["repeatable"]),
        (&json!("sendgrid"), &json!(true))
    );
    assert!(
        !page.to_string().contains("ringing"),
        "what it says is nobody's business: {page}"
    );
    let id = message["id"].as_str().unwrap();
    assert_eq!(call(Some((id, "send_again"))).await.0, 204);
    reached(
        &next,
        "state = 'sent' and attempts = 2 and resolved_by is not null",
    )
    .await;
    assert_eq!(service.asked().len(), 1);
    let (status, told) = call(Some((id, "counts_as_sent"))).await;
    assert_eq!(
        (status, &told["code"]),
        (409, &json!("notifications.message_settled"))
    );
    let (status, _) = call(Some(("01890a5d-ac96-774b-bcce-b302099a8057", "give_up"))).await;
    assert_eq!(status, 404);
}
