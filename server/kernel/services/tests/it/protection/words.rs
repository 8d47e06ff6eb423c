//! What people are told by mail when something about their account changes.

use reqwest::Method;
use serde_json::{Value, json};
use tenon_testkit::{PASSWORD, answer};

use super::{ADA, ELSEWHERE, HOME, behind_proxy, mailbox, post, server, sign_up};

fn link_to(mails: &[Value], recipient: &str) -> String {
    let mail = mails.iter().find(|mail| mail["recipient"] == recipient).unwrap();
    let text = mail["text"].as_str().unwrap();
    text.lines()
        .find(|line| line.starts_with("http"))
        .unwrap()
        .to_owned()
}

/// What stands behind the `#` of where a link leads.
async fn follow(link: &str) -> String {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let response = client.get(link).send().await.unwrap();
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    location
        .split_once('#')
        .map_or(String::new(), |(_, rest)| rest.to_owned())
}

#[tokio::test]
async fn both_addresses_agree_to_a_change_in_any_order_and_only_its_owner_asks_again() {
    const GRACE: &str = "grace@example.com";
    for old_first in [true, false] {
        let server = server(|config| {
            behind_proxy(config);
            config.auth.confirm_email = true;
            config.auth.mail_pause_seconds = 0;
        })
        .await;
        sign_up(&server).await;
        let link = link_to(&mailbox(&server).await, ADA);
        let fragment = follow(&link).await;
        let token = fragment
            .split('&')
            .find_map(|pair| pair.strip_prefix("access_token="))
            .unwrap()
            .to_owned();
        let change = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(&token);
        let (status, user) = answer(change.json(&json!({ "email": GRACE }))).await;
        assert_eq!(
            (status, &user["email"], &user["new_email"]),
            (200, &json!(ADA), &json!(GRACE))
        );
        // A stranger who knows the new address prolongs nothing.
        let again = json!({ "type": "email_change", "email": GRACE });
        assert_eq!(post(&server, ELSEWHERE, "resend", again.clone()).await.0, 200);
        assert_eq!(mailbox(&server).await.len(), 3);
        let request = server
            .anonymous(Method::POST, "/auth/v1/resend")
            .bearer_auth(&token);
        assert_eq!(answer(request.json(&again)).await.0, 200);
        let mails = mailbox(&server).await;
        assert_eq!(mails.len(), 5);
        let (old, new) = (link_to(&mails, ADA), link_to(&mails, GRACE));
        let (first, second) = if old_first { (old, new) } else { (new, old) };
        assert!(
            follow(&first)
                .await
                .starts_with("message=Confirmation+link+accepted")
        );
        // The same one twice is one.
        assert!(follow(&first).await.contains("error_code=otp_expired"));
        let (_, user) = answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(&token)).await;
        assert_eq!(user["email"], ADA);
        assert!(follow(&second).await.contains("access_token="));
        let (_, user) = answer(server.anonymous(Method::GET, "/auth/v1/user").bearer_auth(&token)).await;
        assert_eq!(user["email"], GRACE);
        // A word to the address that was given up.
        let mail = mailbox(&server).await.remove(0);
        assert_eq!(
            (&mail["kind"], &mail["recipient"]),
            (&json!("identity.email_changed"), &json!(ADA))
        );
        assert!(mail["text"].as_str().unwrap().contains(GRACE));
    }
}

#[tokio::test]
async fn the_operators_words_stand_in_mails_and_notices_can_be_off() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.notices = false;
        let words = tenon_sdk::config::MailTemplate {
            subject: "Harbour: new password".into(),
            content: "<p>For {{ .Email }}: <a href=\"{{ .ConfirmationURL }}\">here</a> or {{ .Token }}</p>"
                .into(),
            ..Default::default()
        };
        config.auth.mails = [("recovery".to_owned(), words)].into();
    })
    .await;
    sign_up(&server).await;
    assert_eq!(
        post(&server, HOME, "recover", json!({ "email": ADA })).await.0,
        200
    );
    let mails = mailbox(&server).await;
    assert_eq!(mails[0]["subject"], "Harbour: new password");
    assert!(
        mails[0]["html"]
            .as_str()
            .unwrap()
            .starts_with("<p>For ada@example.com: <a href=\"http")
    );
    let fragment = follow(&link_to(&mails, ADA)).await;
    let token = fragment
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
        .unwrap();
    let change = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    assert_eq!(
        answer(change.json(&json!({ "password": "a quiet harbour 7" })))
            .await
            .0,
        200
    );
    assert_eq!(mailbox(&server).await.len(), 1);
}

#[tokio::test]
async fn a_word_of_a_new_password_goes_to_its_owner() {
    let server = server(behind_proxy).await;
    let (_, session) = post(
        &server,
        HOME,
        "signup",
        json!({ "email": ADA, "password": PASSWORD, "data": { "locale": "de" } }),
    )
    .await;
    let token = session["access_token"].as_str().unwrap();
    let change = server.anonymous(Method::PUT, "/auth/v1/user").bearer_auth(token);
    assert_eq!(
        answer(change.json(&json!({ "password": "a quiet harbour 7" })))
            .await
            .0,
        200
    );
    let mail = mailbox(&server).await.remove(0);
    assert_eq!(
        (&mail["kind"], &mail["subject"]),
        (
            &json!("identity.password_changed"),
            &json!("Ihr Passwort wurde geändert")
        )
    );
}
