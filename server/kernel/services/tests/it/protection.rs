//! Limits, guessing, weak passwords.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::config::Config;
use tenon_testkit::{PASSWORD, TestServer, TestServerOptions, answer};

const ADA: &str = "ada@example.com";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

/// A server behind a proxy on this machine, so that a test may speak from any address.
async fn server(config: fn(&mut Config)) -> TestServer {
    TestServer::start_with(
        vec![],
        TestServerOptions {
            config: Some(config),
            ..TestServerOptions::default()
        },
    )
    .await
}

fn behind_proxy(config: &mut Config) {
    config.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    config.mail.mailbox = true;
}

fn request(server: &TestServer, from: &str, path: &str) -> reqwest::RequestBuilder {
    server
        .anonymous(Method::POST, &format!("/auth/v1/{path}"))
        .header("x-forwarded-for", from)
        .header("x-supabase-api-version", "2024-01-01")
}

async fn post(server: &TestServer, from: &str, path: &str, body: Value) -> (u16, Value) {
    answer(request(server, from, path).json(&body)).await
}

async fn sign_up(server: &TestServer) {
    let body = json!({ "email": ADA, "password": PASSWORD });
    assert_eq!(post(server, HOME, "signup", body).await.0, 200);
}

async fn sign_in(server: &TestServer, from: &str, password: &str) -> u16 {
    let body = json!({ "email": ADA, "password": password });
    post(server, from, "token?grant_type=password", body).await.0
}

#[tokio::test]
async fn an_address_that_asks_too_often_waits_and_others_do_not() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.otp = 3;
        config.auth.limits.verify = 2;
        config.auth.mail_pause_seconds = 0;
    })
    .await;
    for number in 0..3 {
        let body = json!({ "email": format!("{number}@example.com") });
        assert_eq!(post(&server, HOME, "recover", body).await.0, 200);
    }
    // All ways that ask for a mail are counted together, whatever they bring.
    for (path, body) in [
        ("otp", json!({ "email": ADA })),
        ("signup", json!({})),
        ("resend", json!([])),
    ] {
        let refused = request(&server, HOME, path).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.headers()["retry-after"], "100");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(told["code"], "over_request_rate_limit");
    }
    assert_eq!(
        post(&server, ELSEWHERE, "recover", json!({ "email": ADA }))
            .await
            .0,
        200
    );
    // What a client writes into the header itself does not make it another.
    let forged = format!("203.0.113.5, {HOME}");
    assert_eq!(
        post(&server, &forged, "recover", json!({ "email": ADA })).await.0,
        429
    );
    // Of IPv6 a customer has 2^64 addresses.
    for (from, status) in [
        ("2001:db8::1", 403),
        ("2001:db8::2", 403),
        ("2001:db8::3", 429),
        ("2001:db8:0:1::", 403),
    ] {
        let body = json!({ "type": "email", "email": ADA, "token": "000000" });
        assert_eq!(post(&server, from, "verify", body).await.0, status, "{from}");
    }
    server.advance(SignedDuration::from_secs(100));
    assert_eq!(
        post(&server, HOME, "recover", json!({ "email": ADA })).await.0,
        200
    );
}

#[tokio::test]
async fn mails_and_visitors_are_counted_by_the_hour() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.anonymous_users = true;
        config.auth.limits.email = 2;
        config.auth.limits.anonymous = 1;
    })
    .await;
    for (number, status) in [(1, 200), (2, 200), (3, 429)] {
        let body = json!({ "email": format!("{number}@example.com") });
        let (got, told) = post(&server, HOME, "otp", body).await;
        assert_eq!(got, status, "{told}");
        if status == 429 {
            assert_eq!(told["code"], "over_email_send_rate_limit");
        }
    }
    assert_eq!(post(&server, HOME, "signup", json!({})).await.0, 200);
    assert_eq!(post(&server, HOME, "signup", json!({})).await.0, 429);
    assert_eq!(post(&server, ELSEWHERE, "signup", json!({})).await.0, 200);
}

#[tokio::test]
async fn roads_by_way_of_another_provider_are_counted_together() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.sso = 4;
    })
    .await;
    let look = async |from: &str, path: &str| {
        let request = server
            .anonymous(Method::GET, &format!("/auth/v1/{path}"))
            .header("x-forwarded-for", from);
        request.send().await.unwrap()
    };
    let tokens = json!({ "provider": "google", "id_token": "x" });
    // Each of them is one, whatever comes of it.
    for path in [
        "authorize?provider=none",
        "callback?state=x",
        "user/identities/authorize?provider=none",
    ] {
        assert_ne!(look(HOME, path).await.status(), 429, "{path}");
    }
    let (status, _) = post(&server, HOME, "token?grant_type=id_token", tokens.clone()).await;
    assert_eq!(status, 400);
    for path in [
        "authorize?provider=none",
        "callback?state=x",
        "user/identities/authorize?provider=none",
    ] {
        let refused = look(HOME, path).await;
        assert_eq!(refused.status(), 429, "{path}");
        assert_eq!(refused.headers()["retry-after"], "75", "{path}");
        let told: Value = refused.json().await.unwrap();
        assert_eq!(told["error_code"], "over_request_rate_limit", "{path}");
    }
    let form = server
        .anonymous(Method::POST, "/auth/v1/callback")
        .header("x-forwarded-for", HOME)
        .body("state=x");
    assert_eq!(form.send().await.unwrap().status(), 429);
    let (status, told) = post(&server, HOME, "token?grant_type=id_token", tokens.clone()).await;
    assert_eq!((status, &told["code"]), (429, &json!("over_request_rate_limit")));
    // Others go on, and so does whoever signs in by another road.
    assert_ne!(look(ELSEWHERE, "authorize?provider=none").await.status(), 429);
    sign_up(&server).await;
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    server.advance(SignedDuration::from_secs(75));
    assert_ne!(look(HOME, "callback?state=x").await.status(), 429);
    assert_eq!(look(HOME, "callback?state=x").await.status(), 429);
}

#[tokio::test]
async fn an_office_that_looks_at_the_sign_in_page_uses_up_no_ceremonies() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.limits.passkey = 2;
        config.auth.limits.passkey_options = 40;
    })
    .await;
    let ask = async |path: &str| {
        let path = format!("passkeys/authentication/{path}");
        post(&server, HOME, &path, json!({})).await
    };
    for _ in 0..40 {
        let (status, told) = ask("options").await;
        assert_eq!(status, 200, "{told}");
    }
    let (status, told) = ask("options").await;
    assert_eq!((status, &told["code"]), (429, &json!("over_request_rate_limit")));
    // Answers are counted by themselves, and more strictly.
    for _ in 0..2 {
        assert_eq!(ask("verify").await.0, 400);
    }
    assert_eq!(ask("verify").await.0, 429);
}

#[tokio::test]
async fn a_header_from_nobody_we_trust_names_no_client() {
    let server = server(|config| config.auth.limits.otp = 1).await;
    let ask = |from: &'static str| post(&server, from, "recover", json!({ "email": ADA }));
    assert_eq!(ask(HOME).await.0, 200);
    assert_eq!(ask(ELSEWHERE).await.0, 429);
}

#[tokio::test]
async fn guessing_at_one_place_waits_longer_each_time_and_keeps_nobody_out_elsewhere() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    for _ in 0..10 {
        assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    }
    // Not even the right password passes there now; at home it does.
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 429);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    server.advance(SignedDuration::from_secs(61));
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 429);
    server.advance(SignedDuration::from_secs(60));
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 200);
    // Who knew it in the end starts anew.
    assert_eq!(sign_in(&server, ELSEWHERE, "a wrong guess").await, 400);
    assert_eq!(sign_in(&server, ELSEWHERE, PASSWORD).await, 200);
}

#[tokio::test]
async fn guessing_from_many_places_is_slowed_down_and_the_owner_signs_in_from_where_they_were() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    let mut refused = 0;
    for number in 0..60 {
        let from = format!("198.51.100.{number}");
        match sign_in(&server, &from, "a wrong guess").await {
            400 => assert_eq!(refused, 0),
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 30);
    // The right password does not tell itself from a wrong one there.
    assert_eq!(sign_in(&server, "203.0.113.77", PASSWORD).await, 429);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
    // On the road, a code in a mail makes the new place known.
    let road = "203.0.113.8";
    assert_eq!(sign_in(&server, road, PASSWORD).await, 429);
    assert_eq!(post(&server, road, "otp", json!({ "email": ADA })).await.0, 200);
    let (_, mails) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    let text = mails[0]["text"].as_str().unwrap();
    let code = text
        .split_whitespace()
        .find(|word| word.len() == 6 && word.parse::<u32>().is_ok())
        .unwrap();
    let proof = json!({ "type": "email", "email": ADA, "token": code });
    assert_eq!(post(&server, road, "verify", proof).await.0, 200);
    assert_eq!(sign_in(&server, road, PASSWORD).await, 200);
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_guarded_like_one_that_does() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    let mut told = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        let mut answers = Vec::new();
        for number in 0..45 {
            let from = if number < 12 {
                ELSEWHERE.to_owned()
            } else {
                format!("203.0.113.{number}")
            };
            let body = json!({ "email": email, "password": "a wrong guess" });
            answers.push(post(&server, &from, "token?grant_type=password", body).await.0);
        }
        told.push(answers);
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains(&429));
}

#[tokio::test]
async fn a_weak_password_is_refused_with_every_reason_and_nowhere_else() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.password_characters = vec![
            tenon_sdk::config::CharacterClass::Letter,
            tenon_sdk::config::CharacterClass::Digit,
        ];
    })
    .await;
    for (password, reasons) in [
        ("", json!(["length", "characters"])),
        ("short", json!(["length", "characters"])),
        ("long enough", json!(["characters"])),
        ("sh0rt", json!(["length"])),
        ("Password123", json!(["pwned"])),
        (&"a1".repeat(1000), json!(["length"])),
    ] {
        let (status, told) = post(
            &server,
            HOME,
            "signup",
            json!({ "email": ADA, "password": password }),
        )
        .await;
        assert_eq!(
            (status, &told["code"], &told["weak_password"]["reasons"]),
            (422, &json!("weak_password"), &reasons),
            "{password}"
        );
    }
    let good = json!({ "email": ADA, "password": "a quiet harbour 7" });
    let (status, session) = post(&server, HOME, "signup", good).await;
    assert_eq!(status, 200, "{session}");
    // The older form of errors has the reasons, too.
    let change = server
        .anonymous(Method::PUT, "/auth/v1/user")
        .bearer_auth(session["access_token"].as_str().unwrap());
    let (status, told) = answer(change.json(&json!({ "password": "iloveyou1" }))).await;
    assert_eq!((status, &told["error_code"]), (422, &json!("weak_password")));
    assert_eq!(told["weak_password"], json!({ "reasons": ["pwned"] }));
}

async fn mailbox(server: &TestServer) -> Vec<Value> {
    let (_, all) = answer(server.anonymous(Method::GET, "/api/v1/notifications/mailbox")).await;
    all.as_array().unwrap().clone()
}

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

#[tokio::test]
async fn a_request_without_the_proof_of_a_person_is_refused_where_one_is_asked_for() {
    use axum::{Json, Router, routing::post as on_post};
    static SITE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let check = |body: String| async move {
        assert!(
            body.contains("secret=hush") && body.contains("remoteip=192.0.2.1"),
            "{body}"
        );
        Json(json!({ "success": body.contains("response=good"), "error-codes": ["invalid-input-response"] }))
    };
    let router = Router::new().route("/siteverify", on_post(check));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    SITE.set(format!("http://{}/siteverify", listener.local_addr().unwrap()))
        .unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = server(|config| {
        behind_proxy(config);
        config.outbound.allow_private = vec!["127.0.0.0/8".parse().unwrap()];
        config.auth.captcha.provider = Some(tenon_sdk::config::CaptchaProvider::Turnstile);
        config.auth.captcha.secret = "hush".into();
        config.auth.captcha.url.clone_from(SITE.get().unwrap());
    })
    .await;
    let with = |token: Option<&str>| {
        let mut body = json!({ "email": ADA, "password": PASSWORD, "type": "signup" });
        if let Some(token) = token {
            body["gotrue_meta_security"] = json!({ "captcha_token": token });
        }
        body
    };
    for path in [
        "signup",
        "token?grant_type=password",
        "otp",
        "magiclink",
        "recover",
        "resend",
    ] {
        for token in [None, Some(""), Some("bad")] {
            let (status, told) = post(&server, HOME, path, with(token)).await;
            assert_eq!(
                (status, &told["code"]),
                (400, &json!("captcha_failed")),
                "{path} {told}"
            );
        }
    }
    assert_eq!(post(&server, HOME, "signup", with(Some("good"))).await.0, 200);
    assert_eq!(
        post(&server, HOME, "token?grant_type=password", with(Some("good")))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn what_has_had_its_time_is_swept_and_nothing_else() {
    let server = server(behind_proxy).await;
    sign_up(&server).await;
    post(&server, HOME, "recover", json!({ "email": ADA })).await;
    post(&server, HOME, "recover", json!({ "email": "nobody@example.com" })).await;
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        0
    );
    server.advance(SignedDuration::from_hours(4));
    // The proof and the decoy.
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        2
    );
    server.advance(SignedDuration::from_hours(24 * 181));
    // The place.
    assert_eq!(
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap(),
        1
    );
    assert_eq!(mailbox(&server).await.len(), 1);
    assert_eq!(sign_in(&server, HOME, PASSWORD).await, 200);
}

#[tokio::test]
async fn visitors_who_stay_away_are_swept_where_the_operator_says_so() {
    let server = server(|config| {
        behind_proxy(config);
        config.auth.anonymous_users = true;
        config.auth.anonymous_days = 30;
    })
    .await;
    let forever = server.beside(vec![], TestServerOptions::default()).await;
    sign_up(&server).await;
    let sweep = async |server: &TestServer| {
        tenon_services::identity::sweep::sweep(server.kernel())
            .await
            .unwrap()
    };
    let visit = async || post(&server, HOME, "signup", json!({})).await.1;
    let refresh = async |session: &Value| {
        let body = json!({ "refresh_token": session["refresh_token"] });
        post(&server, HOME, "token?grant_type=refresh_token", body).await
    };
    let (gone, back, kept, named) = (visit().await, visit().await, visit().await, visit().await);
    let admin = server.admin().await;
    let id = |session: &Value| session["user"]["id"].as_str().unwrap().to_owned();
    admin
        .batch_execute(&format!(
            "create table public.carts (owner uuid references auth.users); insert into public.carts values ('{}'); \
             update auth.users set email = 'named@example.com', is_anonymous = false where id = '{}'",
            id(&kept),
            id(&named)
        ))
        .await
        .unwrap();
    server.advance(SignedDuration::from_hours(24 * 20));
    let (status, again) = refresh(&back).await;
    assert_eq!(status, 200, "{again}");
    server.advance(SignedDuration::from_hours(24 * 11));
    forever.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(sweep(&forever).await, 0, "0 days: never");
    assert_eq!(sweep(&server).await, 1);
    let left = admin.query("select id::text from auth.users", &[]).await.unwrap();
    let left: Vec<String> = left.iter().map(|row| row.get(0)).collect();
    assert!(
        !left.contains(&id(&gone)) && left.contains(&id(&back)),
        "{left:?}"
    );
    // What refers to one keeps it; whoever said who they are is no visitor.
    assert!(
        left.contains(&id(&kept)) && left.contains(&id(&named)),
        "{left:?}"
    );
    assert_eq!(refresh(&gone).await.0, 400);
    assert_eq!(refresh(&again).await.0, 200);
    let log = "select count(*) from auth.audit_log_entries where payload ->> 'action' = 'user_deleted'";
    let told: i64 = admin.query_one(log, &[]).await.unwrap().get(0);
    assert_eq!(told, 1);
}
