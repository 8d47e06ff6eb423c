//! Another address for an account: which proofs count for it, and how often one may guess.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, SERVICE_KEY, TestServer, answer};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

fn confirmed(config: &mut Config) {
    config.mail.mailbox = true;
    config.auth.confirm_email = true;
    config.auth.mail_pause_seconds = 0;
}

async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::configured(vec![], config).await
}

async fn operator(server: &TestServer, path: &str, body: Value) -> Value {
    let request = server
        .anonymous(Method::POST, &format!("/auth/v1/admin/{path}"))
        .bearer_auth(SERVICE_KEY);
    let (status, told) = answer(request.json(&body)).await;
    assert_eq!(status, 200, "{body} {told}");
    told
}

/// An account, and a token of its owner.
async fn ada(server: &TestServer) -> String {
    let new = json!({ "email": ADA, "password": PASSWORD, "email_confirm": true });
    operator(server, "users", new).await;
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    let (_, session) = answer(request.json(&json!({ "email": ADA, "password": PASSWORD }))).await;
    session["access_token"].as_str().expect("a token").to_owned()
}

async fn change(server: &TestServer, token: &str, body: Value) {
    let request = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    let (status, told) = answer(request.json(&body)).await;
    assert_eq!(status, 200, "{body} {told}");
}

async fn verify(server: &TestServer, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(Method::POST, "/auth/v1/verify")
        .header("x-supabase-api-version", "2024-01-01");
    answer(request.json(&body)).await
}

async fn code_for(server: &TestServer, email: &str) -> String {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let mails = all.as_array().expect("a list");
    let mail = mails
        .iter()
        .find(|mail| mail["recipient"] == email)
        .expect("a mail");
    let text = mail["text"].as_str().expect("a text");
    let code = text
        .split_whitespace()
        .find(|word| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit()));
    code.expect("a code").to_owned()
}

async fn guess_wrong(server: &TestServer, email: &str, times: usize) {
    let code = code_for(server, email).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..times {
        let (status, _) = verify(
            server,
            json!({ "type": "email_change", "email": email, "token": wrong }),
        )
        .await;
        assert_eq!(status, 403);
    }
}

#[tokio::test]
async fn guesses_at_a_new_address_go_on_counting_whatever_their_maker_does_between() {
    const OWN: &str = "mine@example.com";
    let server = server(|config| {
        confirmed(config);
        config.auth.double_confirm_email = false;
    })
    .await;
    let token = ada(&server).await;
    change(&server, &token, json!({ "email": GRACE })).await;
    guess_wrong(&server, GRACE, 2).await;
    // Asks for another address, and shows that it is theirs.
    change(&server, &token, json!({ "email": OWN })).await;
    let code = code_for(&server, OWN).await;
    let (status, told) = verify(
        &server,
        json!({ "type": "email_change", "email": OWN, "token": code }),
    )
    .await;
    assert_eq!(status, 200, "{told}");
    change(&server, &token, json!({ "email": GRACE })).await;
    guess_wrong(&server, GRACE, 2).await;
    // Sets another password, which makes what was sent void.
    change(&server, &token, json!({ "password": "another good one" })).await;
    let code = code_for(&server, GRACE).await;
    let show = |code: &str| json!({ "type": "email_change", "email": GRACE, "token": code });
    assert_eq!(verify(&server, show(&code)).await.0, 403);
    change(&server, &token, json!({ "email": GRACE })).await;
    guess_wrong(&server, GRACE, 1).await;
    // Now not even the right one is looked at.
    let code = code_for(&server, GRACE).await;
    assert_eq!(verify(&server, show(&code)).await.0, 403);
    // An hour later it is.
    server.advance(SignedDuration::from_secs(3601));
    let request = server.anonymous(Method::POST, "/auth/v1/token?grant_type=password");
    let (_, session) = answer(request.json(&json!({ "email": OWN, "password": "another good one" }))).await;
    let token = session["access_token"].as_str().expect("a token");
    change(&server, token, json!({ "email": GRACE })).await;
    let code = code_for(&server, GRACE).await;
    assert_eq!(verify(&server, show(&code)).await.0, 200);
}

#[tokio::test]
async fn a_proof_of_the_old_address_is_none_of_the_new_one() {
    for both in [true, false] {
        let server = server(if both {
            confirmed
        } else {
            |config| {
                confirmed(config);
                config.auth.double_confirm_email = false;
            }
        })
        .await;
        let token = ada(&server).await;
        let ask = |kind: &str, new: &str| json!({ "type": kind, "email": ADA, "new_email": new });
        let current = operator(&server, "generate_link", ask("email_change_current", GRACE)).await;
        assert_eq!(current["verification_type"], "email_change_current");
        let new = operator(&server, "generate_link", ask("email_change_new", GRACE)).await;
        assert_eq!(new["verification_type"], "email_change_new");
        let show = |link: &Value| json!({ "type": "email_change", "token_hash": link["hashed_token"] });
        let (status, told) = verify(&server, show(&current)).await;
        assert_eq!((status, told["msg"].is_string()), (200, true), "{told}");
        let mine = async || {
            let me = server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(&token);
            answer(me).await.1["email"].clone()
        };
        assert_eq!(mine().await, ADA);
        let (status, told) = verify(&server, show(&new)).await;
        assert_eq!((status, &told["user"]["email"]), (200, &json!(GRACE)), "{told}");
        assert_eq!(mine().await, GRACE);
    }
}

#[tokio::test]
async fn a_proof_of_an_address_that_is_not_asked_for_any_more_gives_none() {
    let server = server(confirmed).await;
    let token = ada(&server).await;
    let ask = json!({ "type": "email_change_new", "email": ADA, "new_email": "old@example.com" });
    let link = operator(&server, "generate_link", ask).await;
    // Whatever became of the one that was asked for first.
    let admin = server.admin().await;
    admin
        .execute(
            "update auth.users set email_change = $1, email_change_confirm_status = 1",
            &[&GRACE],
        )
        .await
        .unwrap();
    let proof = json!({ "type": "email_change_new", "token_hash": link["hashed_token"] });
    let (status, told) = verify(&server, proof).await;
    assert_eq!((status, &told["code"]), (403, &json!("otp_expired")));
    let me = server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(&token);
    assert_eq!(answer(me).await.1["email"], ADA);
}
