//! Codes by text message as a second factor.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::{Config, SmsProvider};
use tenon_testkit::{TestServer, answer};

use super::{Somebody, claims, code, methods, text, totp};

const NUMBER: &str = "+49 30 1234567";
const STORED: &str = "49301234567";
const TEST: &str = "4152127777";

fn by_text(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.mfa.phone.enroll_enabled = true;
    config.auth.mfa.phone.verify_enabled = true;
    config.auth.sms.test_otp = [(TEST.to_owned(), "123456".to_owned())].into();
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

/// Messages to telephones, newest first: number and text.
async fn texts(server: &TestServer) -> Vec<(String, String)> {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let all = all.as_array().expect("a list").iter();
    all.filter(|message| message["channel"] == "sms")
        .map(|message| {
            (
                text(&message["recipient"]).to_owned(),
                text(&message["text"]).to_owned(),
            )
        })
        .collect()
}

async fn newest_code(server: &TestServer) -> String {
    let (_, text) = texts(server).await.remove(0);
    text.split_whitespace().last().expect("a code").to_owned()
}

fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

async fn enrol(somebody: &Somebody<'_>, number: &str) -> (u16, Value) {
    let body = json!({ "factor_type": "phone", "friendly_name": "Mobile", "phone": number });
    somebody.post("factors", body).await
}

async fn with_phone(somebody: &mut Somebody<'_>, number: &str) -> String {
    let (status, made) = enrol(somebody, number).await;
    assert_eq!(status, 200, "{made}");
    let factor = text(&made["id"]).to_owned();
    let challenge = somebody.challenge(&factor).await;
    let code = if number == TEST {
        "123456".to_owned()
    } else {
        newest_code(somebody.server).await
    };
    let shown = somebody.verify(&factor, &challenge, &code).await;
    somebody.take(&shown);
    factor
}

#[tokio::test]
async fn a_code_by_text_message_is_a_second_factor() {
    let server = server(by_text).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (status, made) = enrol(&ada, NUMBER).await;
    assert_eq!(
        (status, &made["type"], &made["phone"], &made["friendly_name"]),
        (200, &json!("phone"), &json!(STORED), &json!("Mobile"))
    );
    assert!(texts(&server).await.is_empty());
    let factor = text(&made["id"]);
    let body = json!({ "channel": "sms" });
    let (status, asked) = ada.post(&format!("factors/{factor}/challenge"), body).await;
    assert_eq!((status, &asked["type"]), (200, &json!("phone")), "{asked}");
    let sent = texts(&server).await;
    assert_eq!((sent.len(), sent[0].0.as_str()), (1, STORED));
    let good = newest_code(&server).await;
    assert_eq!(good.len(), 6);
    let challenge = text(&asked["id"]);
    for bad in [wrong(&good), "", "１２３４５６", &"1".repeat(100_000), "\u{0}"] {
        let refused = ada.verify(factor, challenge, bad).await;
        assert_eq!(code(&refused), (422, "mfa_verification_failed"));
    }
    let shown = ada.verify(factor, challenge, &format!(" {good} ")).await;
    ada.take(&shown);
    assert_eq!(claims(&ada.token)["aal"], "aal2");
    assert_eq!(methods(&ada.token), ["mfa/phone", "password"]);
    assert_eq!(shown.1["user"]["factors"][0]["phone"], STORED);
    let again = ada.verify(factor, challenge, &good).await;
    assert_eq!(code(&again), (422, "mfa_challenge_expired"));

    // The code is nowhere to be read.
    let rows = server
        .admin()
        .await
        .query(
            "select coalesce(otp_code, ''), verified_at is null from auth.mfa_challenges",
            &[],
        )
        .await
        .expect("challenges");
    assert_eq!(
        (rows[0].get::<_, &str>(0), rows[0].get::<_, bool>(1)),
        ("", false)
    );
}

#[tokio::test]
async fn a_code_is_kept_as_its_hash_and_good_for_five_minutes_and_its_own_challenge() {
    let server = server(by_text).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let factor = with_phone(&mut ada, NUMBER).await;
    server.advance(SignedDuration::from_mins(2));
    let again = ada.elsewhere().await;
    let first = again.challenge(&factor).await;
    let first_code = newest_code(&server).await;
    let admin = server.admin().await;
    let sql = "select otp_code from auth.mfa_challenges where verified_at is null";
    let kept: String = admin.query_one(sql, &[]).await.expect("one").get(0);
    assert!(kept.len() == 64 && !kept.contains(&first_code));
    server.advance(SignedDuration::from_secs(61));
    let second = again.challenge(&factor).await;
    let second_code = newest_code(&server).await;
    if first_code != second_code {
        let crossed = again.verify(&factor, &second, &first_code).await;
        assert_eq!(code(&crossed), (422, "mfa_verification_failed"));
    }
    server.advance(SignedDuration::from_secs(240));
    let late = again.verify(&factor, &first, &first_code).await;
    assert_eq!(code(&late), (422, "mfa_challenge_expired"));
    assert_eq!(again.verify(&factor, &second, &second_code).await.0, 200);
}

#[tokio::test]
async fn a_number_for_tests_has_its_code_and_gets_no_message() {
    let server = server(by_text).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let factor = with_phone(&mut ada, TEST).await;
    assert!(texts(&server).await.is_empty());
    let again = ada.elsewhere().await;
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(again.show(&factor, "654321").await.0, 422);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(again.show(&factor, "123456").await.0, 200);
}

#[tokio::test]
async fn messages_have_a_pause_that_nobody_else_uses_up() {
    let server = server(|config| {
        by_text(config);
        config.auth.sms.enabled = true;
    })
    .await;
    let mut ada = Somebody::new(&server, "ada").await;
    let factor = with_phone(&mut ada, NUMBER).await;
    let again = ada.elsewhere().await;
    let path = format!("factors/{factor}/challenge");
    let early = again.post(&path, json!({})).await;
    assert_eq!(code(&early), (429, "over_sms_send_rate_limit"), "{}", early.1);
    assert_eq!(texts(&server).await.len(), 1);
    server.advance(SignedDuration::from_secs(61));
    // Eve asks for a code to the same number, to sign in and as a factor of her own.
    let eve = Somebody::new(&server, "eve").await;
    let (_, made) = enrol(&eve, NUMBER).await;
    eve.challenge(text(&made["id"])).await;
    let request = server.anonymous(Method::POST, "/auth/v1/otp");
    let otp = answer(request.json(&json!({ "phone": NUMBER }))).await;
    assert_eq!(otp.0, 429, "{}", otp.1);
    let in_time = again.post(&path, json!({})).await;
    assert_eq!(in_time.0, 200, "{}", in_time.1);
    // Her own factors are no way to write to a number more often.
    let (_, made) = enrol(&eve, NUMBER).await;
    let more = eve
        .post(&format!("factors/{}/challenge", text(&made["id"])), json!({}))
        .await;
    assert_eq!(code(&more), (429, "over_sms_send_rate_limit"));
}

#[tokio::test]
async fn nobody_guesses_a_code_of_a_text_message() {
    let server = server(by_text).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let factor = with_phone(&mut ada, TEST).await;
    let thief = ada.elsewhere().await;
    let mut challenge = String::new();
    server.advance(SignedDuration::from_secs(61));
    for number in 0..10 {
        server.advance(SignedDuration::from_secs(31));
        if number % 3 == 0 {
            challenge = thief.challenge(&factor).await;
        }
        let refused = thief.verify(&factor, &challenge, "000000").await;
        assert_eq!(code(&refused), (422, "mfa_verification_failed"), "{number}");
    }
    let right = thief.verify(&factor, &challenge, "123456").await;
    assert_eq!(code(&right), (429, "over_request_rate_limit"));
}

#[tokio::test]
async fn of_many_who_show_one_message_at_once_one_gets_in() {
    let server = server(by_text).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let factor = with_phone(&mut ada, TEST).await;
    server.advance(SignedDuration::from_secs(61));
    let again = ada.elsewhere().await;
    let challenge = again.challenge(&factor).await;
    let (first, second, third) = tokio::join!(
        again.verify(&factor, &challenge, "123456"),
        again.verify(&factor, &challenge, "123456"),
        again.verify(&factor, &challenge, "123456"),
    );
    let statuses = [first.0, second.0, third.0];
    let good = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(good, 1, "{statuses:?}");
}

#[tokio::test]
async fn a_number_is_one_and_added_once() {
    let server = server(|config| {
        by_text(config);
        config.auth.sms.allowed_prefixes = vec!["49".into()];
    })
    .await;
    let mut ada = Somebody::new(&server, "ada").await;
    for bad in [
        "",
        "12",
        "+49 30 12ab567",
        "\u{0}",
        "+1 415 2120000",
        &"4".repeat(100_000),
    ] {
        let refused = enrol(&ada, bad).await;
        assert_eq!(code(&refused), (400, "validation_failed"), "{}", refused.1);
    }
    // What was begun with a number is begun again with it.
    let (_, first) = enrol(&ada, NUMBER).await;
    let (status, second) = enrol(&ada, STORED).await;
    assert_eq!(status, 200, "{second}");
    let gone = ada
        .post(&format!("factors/{}/challenge", text(&first["id"])), json!({}))
        .await;
    assert_eq!(code(&gone), (404, "mfa_factor_not_found"));
    with_phone(&mut ada, NUMBER).await;
    let twice = enrol(&ada, NUMBER).await;
    assert_eq!(code(&twice), (422, "mfa_verified_factor_exists"));
    // Somebody who knows the password alone adds no number.
    let thief = ada.elsewhere().await;
    let refused = enrol(&thief, "+49 30 7654321").await;
    assert_eq!(code(&refused), (403, "insufficient_aal"));
}

#[tokio::test]
async fn only_ways_that_exist_are_written_by() {
    let server = server(by_text).await;
    let ada = Somebody::new(&server, "ada").await;
    let (_, made) = enrol(&ada, NUMBER).await;
    let path = format!("factors/{}/challenge", text(&made["id"]));
    for channel in ["whatsapp", "pigeon", "SMS"] {
        let refused = ada.post(&path, json!({ "channel": channel })).await;
        assert_eq!(code(&refused), (400, "validation_failed"), "{channel}");
    }
    let refused = ada.post(&path, json!({ "channel": 1 })).await;
    assert_eq!(code(&refused), (400, "bad_json"));
    assert!(texts(&server).await.is_empty());
}

#[tokio::test]
async fn the_operator_sets_whether_and_how_codes_are_sent() {
    let closed = TestServer::start(vec![]).await;
    let ada = Somebody::new(&closed, "ada").await;
    assert_eq!(
        code(&enrol(&ada, NUMBER).await),
        (422, "mfa_phone_enroll_not_enabled")
    );
    let settings = async |server: &TestServer| {
        let (_, told) = answer(server.anonymous(Method::GET, "/auth/v1/settings")).await;
        told["mfa"]["phone"].clone()
    };
    let word = |enroll: bool, verify: bool| json!({ "enroll_enabled": enroll, "verify_enabled": verify, "pause_seconds": 60 });
    assert_eq!(settings(&closed).await, word(false, false));
    let server = server(|config| {
        by_text(config);
        config.auth.mfa.phone.verify_enabled = false;
    })
    .await;
    assert_eq!(settings(&server).await, word(true, false));
    let ada = Somebody::new(&server, "ada").await;
    let (_, made) = enrol(&ada, NUMBER).await;
    let path = format!("factors/{}/challenge", text(&made["id"]));
    assert_eq!(
        code(&ada.post(&path, json!({})).await),
        (422, "mfa_phone_verify_not_enabled")
    );

    let longer = self::server(|config| {
        by_text(config);
        config.auth.mfa.phone.otp_length = 8;
        config.auth.mfa.phone.template = "{{.Code}} confirms that it is you: {{ .Code }}".into();
    })
    .await;
    let ada = Somebody::new(&longer, "ada").await;
    let (_, made) = enrol(&ada, NUMBER).await;
    let factor = text(&made["id"]);
    let challenge = ada.challenge(factor).await;
    let sent = newest_code(&longer).await;
    assert_eq!(sent.len(), 8);
    assert_eq!(
        texts(&longer).await[0].1,
        format!("{sent} confirms that it is you: {sent}")
    );
    assert_eq!(ada.verify(factor, &challenge, &sent).await.0, 200);
}

#[tokio::test]
async fn a_provider_that_makes_the_codes_says_whether_one_is_good() {
    let heard = crate::phone::provider(json!({ "status": "approved", "valid": true })).await;
    let server = server(|config| {
        by_text(config);
        crate::phone::by_provider(config, SmsProvider::TwilioVerify);
    })
    .await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (_, made) = enrol(&ada, NUMBER).await;
    let factor = text(&made["id"]).to_owned();
    // What was not asked for is not looked up.
    let early = ada
        .verify(&factor, "00000000-0000-0000-0000-000000000000", "987654")
        .await;
    assert_eq!(code(&early), (422, "mfa_factor_not_found"));
    let path = format!("factors/{factor}/challenge");
    let (status, asked) = ada.post(&path, json!({ "channel": "whatsapp" })).await;
    assert_eq!(status, 200, "{asked}");
    let shown = ada.verify(&factor, text(&asked["id"]), "987654").await;
    ada.take(&shown);
    assert_eq!(claims(&ada.token)["aal"], "aal2");
    let checks = heard.lock().unwrap().clone();
    let checks: Vec<_> = checks
        .iter()
        .filter(|asked| asked.contains("VerificationCheck"))
        .collect();
    assert_eq!(
        checks,
        ["/v2/Services/VA1/VerificationCheck To=%2B49301234567&Code=987654"]
    );
    // An app beside it is still checked here.
    let (app, secret) = ada.enrol("App").await;
    assert_eq!(ada.show(&app, "000000").await.0, 422);
    assert_eq!(ada.show(&app, &totp(&server, &secret, 0)).await.0, 200);
}
