//! Second factors over HTTP, as `@supabase/auth-js` shows them.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tenon_sdk::permission::Role;
use tenon_testkit::{PASSWORD, TestServer, TestUser, answer};
use totp_rs::{Builder, Secret};

/// Somebody with a session, whose tokens change as factors are shown.
struct Somebody<'a> {
    server: &'a TestServer,
    email: String,
    token: String,
    refresh_token: String,
}

async fn send(server: &TestServer, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
    let request = server
        .anonymous(method, &format!("/auth/v1/{path}"))
        .header("x-supabase-api-version", "2024-01-01");
    let request = if token.is_empty() {
        request
    } else {
        request.bearer_auth(token)
    };
    answer(request.json(&body)).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).expect("claims");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(part)
        .expect("base64");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn methods(token: &str) -> Vec<String> {
    let claims = claims(token);
    let all = claims["amr"].as_array().expect("a list");
    all.iter()
        .map(|claim| text(&claim["method"]).to_owned())
        .collect()
}

/// The code of an authenticator app at the server's time, so many half minutes away.
fn totp(server: &TestServer, secret: &str, steps: i64) -> String {
    let now = server.kernel().env().now().as_second() + 30 * steps;
    Builder::new()
        .with_secret(Secret::try_from_base32(secret).expect("Base32"))
        .build()
        .expect("a secret")
        .generate(u64::try_from(now).expect("a time after 1970"))
        .to_string()
}

impl<'a> Somebody<'a> {
    async fn new(server: &'a TestServer, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD });
        let (status, session) = send(server, Method::POST, "signup", "", body).await;
        assert_eq!(status, 200, "{session}");
        Self::of(server, email, &session)
    }

    fn of(server: &'a TestServer, email: String, session: &Value) -> Self {
        Self {
            server,
            email,
            token: text(&session["access_token"]).to_owned(),
            refresh_token: text(&session["refresh_token"]).to_owned(),
        }
    }

    /// The same person in another session.
    async fn elsewhere(&self) -> Self {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let (status, session) = send(self.server, Method::POST, "token?grant_type=password", "", body).await;
        assert_eq!(status, 200, "{session}");
        Self::of(self.server, self.email.clone(), &session)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        send(self.server, Method::POST, path, &self.token, body).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        send(self.server, Method::GET, path, &self.token, json!({})).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        send(self.server, Method::DELETE, path, &self.token, json!({})).await
    }

    async fn enrol(&self, name: &str) -> (String, String) {
        let body = json!({ "factor_type": "totp", "friendly_name": name });
        let (status, made) = self.post("factors", body).await;
        assert_eq!(status, 200, "{made}");
        (
            text(&made["id"]).to_owned(),
            text(&made["totp"]["secret"]).to_owned(),
        )
    }

    async fn challenge(&self, factor: &str) -> String {
        let (status, made) = self.post(&format!("factors/{factor}/challenge"), json!({})).await;
        assert_eq!(status, 200, "{made}");
        text(&made["id"]).to_owned()
    }

    async fn verify(&self, factor: &str, challenge: &str, code: &str) -> (u16, Value) {
        let body = json!({ "challenge_id": challenge, "code": code });
        self.post(&format!("factors/{factor}/verify"), body).await
    }

    async fn show(&self, factor: &str, code: &str) -> (u16, Value) {
        let challenge = self.challenge(factor).await;
        self.verify(factor, &challenge, code).await
    }

    /// Goes on with the tokens of an answer.
    fn take(&mut self, (status, session): &(u16, Value)) {
        assert_eq!(*status, 200, "{session}");
        text(&session["access_token"]).clone_into(&mut self.token);
        text(&session["refresh_token"]).clone_into(&mut self.refresh_token);
    }

    /// Adds an authenticator app and shows its first code; gives the factor and its secret.
    async fn with_totp(&mut self) -> (String, String) {
        let (factor, secret) = self.enrol("App").await;
        let shown = self.show(&factor, &totp(self.server, &secret, 0)).await;
        self.take(&shown);
        (factor, secret)
    }

    async fn recovery_codes(&self) -> Vec<String> {
        let (status, made) = self.post("factors/recovery-codes", json!({})).await;
        assert_eq!(status, 200, "{made}");
        let all = made["codes"].as_array().expect("codes");
        all.iter().map(|code| text(code).to_owned()).collect()
    }
}

#[tokio::test]
async fn an_authenticator_app_raises_the_session_and_ends_those_that_stay_below() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let other = ada.elsewhere().await;
    let body = json!({ "factor_type": "totp", "friendly_name": "Phone", "issuer": "Example Works" });
    let (status, made) = ada.post("factors", body).await;
    assert_eq!(
        (status, &made["type"], &made["friendly_name"]),
        (200, &json!("totp"), &json!("Phone"))
    );
    assert!(text(&made["totp"]["qr_code"]).contains("<svg"));
    assert!(
        text(&made["totp"]["uri"]).starts_with("otpauth://totp/Example%20Works:ada%40example.com?secret=")
    );
    let (factor, secret) = (text(&made["id"]), text(&made["totp"]["secret"]));

    // Until it is confirmed nothing depends on it.
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"][0]["status"], "unverified");
    assert!(!user.to_string().contains(secret));
    assert_eq!(claims(&ada.token)["aal"], "aal1");
    let before = ada.refresh_token.clone();
    let (status, challenge) = ada
        .post(
            &format!("factors/{factor}/challenge"),
            json!({ "factorId": factor }),
        )
        .await;
    let now = server.kernel().env().now().as_second();
    assert_eq!((status, &challenge["type"]), (200, &json!("totp")));
    assert!((now + 290..=now + 300).contains(&challenge["expires_at"].as_i64().expect("a time")));
    let shown = ada
        .verify(factor, text(&challenge["id"]), &totp(&server, secret, 0))
        .await;
    ada.take(&shown);
    assert_eq!(claims(&ada.token)["aal"], "aal2");
    assert_eq!(methods(&ada.token), ["totp", "password"]);
    assert_eq!(shown.1["user"]["factors"][0]["status"], "verified");

    // The other session is over, and so is the token that was good before the factor was shown.
    assert_eq!(code(&other.get("user").await), (403, "session_not_found"));
    let path = "token?grant_type=refresh_token";
    let stolen = ada.post(path, json!({ "refresh_token": before })).await;
    assert_eq!(code(&stolen), (400, "refresh_token_not_found"));
    let refreshed = ada
        .post(path, json!({ "refresh_token": ada.refresh_token }))
        .await;
    ada.take(&refreshed);
    assert_eq!(claims(&ada.token)["aal"], "aal2");

    // A new session begins below, and what policies read says so.
    let again = ada.elsewhere().await;
    assert_eq!(claims(&again.token)["aal"], "aal1");
    let admin = server.admin().await;
    let sql = "select authentication_method from auth.mfa_amr_claims c join auth.sessions s on s.id = c.session_id \
               where s.aal = 'aal2' order by 1";
    let rows = admin.query(sql, &[]).await.expect("claims");
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["password", "totp"]);
}

#[tokio::test]
async fn a_code_is_good_once_in_its_half_minute_and_in_the_next() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let again = ada.elsewhere().await;
    let used = again.show(&factor, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&used), (422, "mfa_verification_failed"));
    // The one of the half minute before is older than the one that was used.
    let older = again.show(&factor, &totp(&server, &secret, -1)).await;
    assert_eq!(code(&older), (422, "mfa_verification_failed"));
    assert_eq!(again.show(&factor, &totp(&server, &secret, 2)).await.0, 422);
    let next = totp(&server, &secret, 1);
    assert_eq!(again.show(&factor, &next).await.0, 200);
    let late = ada.elsewhere().await;
    server.advance(SignedDuration::from_secs(30));
    assert_eq!(late.show(&factor, &next).await.0, 422);
}

#[tokio::test]
async fn of_many_who_show_one_code_at_once_one_gets_in() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let again = ada.elsewhere().await;
    let mut challenges = Vec::new();
    for _ in 0..4 {
        challenges.push(again.challenge(&factor).await);
    }
    let shown = totp(&server, &secret, 1);
    let (first, second, third, fourth) = tokio::join!(
        again.verify(&factor, &challenges[0], &shown),
        again.verify(&factor, &challenges[1], &shown),
        again.verify(&factor, &challenges[2], &shown),
        again.verify(&factor, &challenges[3], &shown),
    );
    let statuses = [first.0, second.0, third.0, fourth.0];
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 422).count(),
        3,
        "{statuses:?}"
    );
}

#[tokio::test]
async fn a_challenge_is_answered_once_within_five_minutes_and_for_its_own_factor() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let (second, _) = ada.enrol("Second").await;
    let challenge = ada.challenge(&factor).await;
    server.advance(SignedDuration::from_secs(301));
    let late = ada.verify(&factor, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&late), (422, "mfa_challenge_expired"));
    let challenge = ada.challenge(&factor).await;
    let elsewhere = ada.verify(&second, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(code(&elsewhere), (422, "mfa_factor_not_found"));
    let shown = ada.verify(&factor, &challenge, &totp(&server, &secret, 0)).await;
    assert_eq!(shown.0, 200);
    let twice = ada.verify(&factor, &challenge, &totp(&server, &secret, 1)).await;
    assert_eq!(code(&twice), (422, "mfa_challenge_expired"));
    for hostile in ["", "x", "00000000-0000-0000-0000-000000000000", "' or 1=1 --"] {
        let answer = ada.verify(&factor, hostile, "000000").await;
        assert_eq!(code(&answer), (422, "mfa_factor_not_found"), "{hostile}");
    }
}

#[tokio::test]
async fn nobody_guesses_codes_by_trying_many_on_whatever_server() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    let thief = ada.elsewhere().await;
    for number in 0..10 {
        let wrong = if number % 2 == 0 {
            thief.show(&factor, "12345").await
        } else {
            thief
                .post(
                    "factors/recovery-codes/verify",
                    json!({ "code": "aaaa-bbbb-cccc-dddd" }),
                )
                .await
        };
        assert_eq!(code(&wrong), (422, "mfa_verification_failed"), "{number}");
        // The limit of requests is another one.
        server.advance(SignedDuration::from_secs(20));
    }
    let beside = server
        .beside(vec![], tenon_testkit::TestServerOptions::default())
        .await;
    let path = format!("factors/{factor}/verify");
    let challenge = thief.challenge(&factor).await;
    let body = json!({ "challenge_id": challenge, "code": totp(&server, &secret, 1) });
    let right = send(&beside, Method::POST, &path, &thief.token, body).await;
    assert_eq!(code(&right), (429, "over_request_rate_limit"));
    let recovery = thief
        .post("factors/recovery-codes/verify", json!({ "code": codes[0] }))
        .await;
    assert_eq!(code(&recovery), (429, "over_request_rate_limit"));
    server.advance(SignedDuration::from_mins(16));
    let right = thief.show(&factor, &totp(&server, &secret, 0)).await;
    assert_eq!(right.0, 200, "{}", right.1);
}

#[tokio::test]
async fn other_peoples_factors_are_not_there() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let challenge = ada.challenge(&factor).await;
    let eve = Somebody::new(&server, "eve").await;
    let code_now = totp(&server, &secret, 1);
    for id in [
        factor.as_str(),
        "no-id",
        "%00",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let answers = [
            eve.post(&format!("factors/{id}/challenge"), json!({})).await,
            eve.verify(id, &challenge, &code_now).await,
            eve.delete(&format!("factors/{id}")).await,
            send(
                &server,
                Method::PATCH,
                &format!("factors/{id}"),
                &eve.token,
                json!({ "friendly_name": "Mine" }),
            )
            .await,
        ];
        for answer in answers {
            assert_eq!(code(&answer), (404, "mfa_factor_not_found"), "{id}");
        }
    }
    for (method, path) in [
        (Method::POST, "factors".to_owned()),
        (Method::POST, format!("factors/{factor}/challenge")),
        (Method::POST, format!("factors/{factor}/verify")),
        (Method::DELETE, format!("factors/{factor}")),
        (Method::GET, "factors/recovery-codes".to_owned()),
        (Method::POST, "factors/recovery-codes".to_owned()),
        (Method::POST, "factors/recovery-codes/verify".to_owned()),
        (Method::GET, "passkeys".to_owned()),
        (Method::POST, "passkeys/registration/options".to_owned()),
        (Method::DELETE, format!("passkeys/{factor}")),
        (Method::GET, "reauthenticate".to_owned()),
    ] {
        let answer = send(&server, method, &path, "", json!({})).await;
        assert_eq!(code(&answer), (401, "auth.required"), "{path}");
    }
}

#[tokio::test]
async fn who_knows_the_password_alone_changes_nothing_that_guards_the_account() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, _) = ada.with_totp().await;
    let thief = ada.elsewhere().await;
    let refused = thief.delete(&format!("factors/{factor}")).await;
    assert_eq!(code(&refused), (422, "insufficient_aal"));
    let attempts = [
        thief
            .post(
                "factors",
                json!({ "factor_type": "totp", "friendly_name": "Mine" }),
            )
            .await,
        thief.post("factors/recovery-codes", json!({})).await,
        thief.post("factors/recovery-codes/regenerate", json!({})).await,
        thief.delete("factors/recovery-codes").await,
        thief.post("passkeys/registration/options", json!({})).await,
        thief
            .delete("passkeys/00000000-0000-0000-0000-000000000000")
            .await,
        send(
            &server,
            Method::PUT,
            "user",
            &thief.token,
            json!({ "password": "a password of mine" }),
        )
        .await,
        send(
            &server,
            Method::PUT,
            "user",
            &thief.token,
            json!({ "email": "thief@example.com" }),
        )
        .await,
    ];
    for answer in attempts {
        assert_eq!(code(&answer), (403, "insufficient_aal"), "{}", answer.1);
    }
    // What they say of themselves guards nothing.
    let body = json!({ "data": { "name": "Ada" } });
    assert_eq!(
        send(&server, Method::PUT, "user", &thief.token, body).await.0,
        200
    );
    let body = json!({ "password": "another good one" });
    assert_eq!(send(&server, Method::PUT, "user", &ada.token, body).await.0, 200);
}

#[tokio::test]
async fn a_session_falls_back_when_its_factor_is_removed() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, _) = ada.with_totp().await;
    ada.recovery_codes().await;
    let removed = ada.delete(&format!("factors/{factor}")).await;
    assert_eq!((removed.0, &removed.1["id"]), (200, &json!(factor)));
    assert_eq!(
        code(&ada.delete(&format!("factors/{factor}")).await),
        (404, "mfa_factor_not_found")
    );
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"], Value::Null);
    // Codes that stand in for a factor go with the last one.
    assert_eq!(ada.get("factors/recovery-codes").await.0, 404);
    let body = json!({ "refresh_token": ada.refresh_token });
    let refreshed = ada.post("token?grant_type=refresh_token", body).await;
    ada.take(&refreshed);
    assert_eq!(claims(&ada.token)["aal"], "aal1");
    assert_eq!(methods(&ada.token), ["password"]);
}

#[tokio::test]
async fn recovery_codes_are_shown_once_and_good_once() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    assert_eq!(
        code(&ada.post("factors/recovery-codes", json!({})).await),
        (403, "insufficient_aal")
    );
    assert_eq!(
        code(&ada.get("factors/recovery-codes").await),
        (404, "mfa_factor_not_found")
    );
    ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    assert_eq!(codes.len(), 10);
    assert_eq!(
        code(&ada.post("factors/recovery-codes", json!({})).await),
        (422, "mfa_verified_factor_exists")
    );
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select encode(code_hash, 'escape') from auth.mfa_recovery_codes",
            &[],
        )
        .await
        .expect("hashes");
    for row in rows {
        assert!(!codes.contains(&row.get::<_, String>(0)));
    }

    let mut lost = ada.elsewhere().await;
    let typed = format!(" {}-{} ", codes[3][..4].to_uppercase(), &codes[3][4..]);
    let used = lost
        .post("factors/recovery-codes/verify", json!({ "code": typed }))
        .await;
    lost.take(&used);
    assert_eq!(claims(&lost.token)["aal"], "aal2");
    assert_eq!(methods(&lost.token), ["recovery_code", "password"]);
    let again = ada.elsewhere().await;
    for wrong in [codes[3].as_str(), "", "\u{0}", &"a".repeat(100_000)] {
        let refused = again
            .post("factors/recovery-codes/verify", json!({ "code": wrong }))
            .await;
        assert_eq!(code(&refused), (422, "mfa_verification_failed"));
    }
    let left = lost.get("factors/recovery-codes").await;
    assert_eq!(
        (left.0, &left.1["total"], &left.1["remaining"]),
        (200, &json!(10), &json!(9))
    );
    assert!(left.1["codes"].is_null());

    // New ones make the old ones void; somebody else's were never good.
    let (status, made) = lost.post("factors/recovery-codes/regenerate", json!({})).await;
    assert_eq!((status, made["codes"].as_array().map(Vec::len)), (200, Some(10)));
    let old = again
        .post("factors/recovery-codes/verify", json!({ "code": codes[4] }))
        .await;
    assert_eq!(old.0, 422);
    let eve = Somebody::new(&server, "eve").await;
    let foreign = eve
        .post(
            "factors/recovery-codes/verify",
            json!({ "code": made["codes"][0] }),
        )
        .await;
    assert_eq!(foreign.0, 422);
}

#[tokio::test]
async fn of_many_who_use_one_recovery_code_at_once_one_gets_in() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    let (one, two) = (ada.elsewhere().await, ada.elsewhere().await);
    let body = json!({ "code": codes[0] });
    let (first, second) = tokio::join!(
        one.post("factors/recovery-codes/verify", body.clone()),
        two.post("factors/recovery-codes/verify", body.clone()),
    );
    let good = [&first, &second].iter().filter(|answer| answer.0 == 200).count();
    assert_eq!(good, 1, "{first:?} {second:?}");
}

#[tokio::test]
async fn factors_are_few_and_named_apart() {
    let server = TestServer::start(vec![]).await;
    let ada = Somebody::new(&server, "ada").await;
    let new = |name: &str| json!({ "factor_type": "totp", "friendly_name": name });
    for number in 0..10 {
        let (status, made) = ada.post("factors", new(&format!("Factor {number}"))).await;
        assert_eq!(status, 200, "{made}");
    }
    assert_eq!(
        code(&ada.post("factors", new("Factor 3")).await),
        (422, "mfa_factor_name_conflict")
    );
    assert_eq!(
        code(&ada.post("factors", new("Factor 11")).await),
        (422, "too_many_enrolled_mfa_factors")
    );
    // What nobody confirmed is forgotten.
    server.advance(SignedDuration::from_mins(61));
    let ada = ada.elsewhere().await;
    let (factor, _) = ada.enrol("Factor 3").await;
    let (second, _) = ada.enrol("").await;
    let (_, user) = ada.get("user").await;
    assert_eq!(user["factors"].as_array().map(Vec::len), Some(2));
    let rename = async |id: &str, name: &str| {
        let path = format!("factors/{id}");
        send(
            &server,
            Method::PATCH,
            &path,
            &ada.token,
            json!({ "friendly_name": name }),
        )
        .await
    };
    assert_eq!(
        code(&rename(&second, "Factor 3").await),
        (422, "mfa_factor_name_conflict")
    );
    assert_eq!(rename(&factor, " Key ").await.1["friendly_name"], "Key");
    for (body, expected) in [
        (json!({}), (400, "validation_failed")),
        (
            json!({ "factor_type": "carrier pigeon" }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "friendly_name": "x".repeat(121) }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "friendly_name": "a\u{0}b" }),
            (400, "validation_failed"),
        ),
        (
            json!({ "factor_type": "totp", "issuer": "x".repeat(100_000) }),
            (400, "validation_failed"),
        ),
        (json!({ "factor_type": 1 }), (400, "bad_json")),
        (
            json!({ "factor_type": "phone", "phone": "+15550100" }),
            (422, "mfa_phone_enroll_not_enabled"),
        ),
    ] {
        assert_eq!(code(&ada.post("factors", body.clone()).await), expected, "{body}");
    }
}

#[tokio::test]
async fn a_visitor_has_no_factors() {
    let server = TestServer::start_with(
        vec![],
        tenon_testkit::TestServerOptions {
            config: Some(|config| config.auth.anonymous_users = true),
            ..tenon_testkit::TestServerOptions::default()
        },
    )
    .await;
    let (_, session) = send(&server, Method::POST, "signup", "", json!({})).await;
    let visitor = Somebody::of(&server, String::new(), &session);
    for path in [
        "factors",
        "factors/recovery-codes",
        "passkeys/registration/options",
    ] {
        let answer = visitor.post(path, json!({ "factor_type": "totp" })).await;
        assert_eq!(code(&answer), (403, "no_authorization"), "{path}");
    }
}

#[tokio::test]
async fn policies_see_the_factors_of_whoever_asks_and_no_secret() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    ada.with_totp().await;
    let mut eve = Somebody::new(&server, "eve").await;
    eve.with_totp().await;
    let id = text(&ada.get("user").await.1["id"]).to_owned();
    let admin = server.admin().await;
    admin
        .batch_execute(&format!(
            "begin; select set_config('request.jwt.claim.sub', '{id}', true); set local role authenticated"
        ))
        .await
        .expect("a request's role");
    let rows = admin
        .query(
            "select user_id::text from auth.mfa_factors where status = 'verified'",
            &[],
        )
        .await
        .expect("own factors");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, String>(0), id);
    let refused = admin.query("select secret from auth.mfa_factors", &[]).await;
    assert_eq!(
        refused
            .unwrap_err()
            .code()
            .map(|code| code.code().to_owned())
            .as_deref(),
        Some("42501")
    );
}

#[tokio::test]
async fn what_is_done_about_factors_is_recorded_without_secrets() {
    let server = TestServer::start(vec![]).await;
    let mut ada = Somebody::new(&server, "ada").await;
    let (factor, secret) = ada.with_totp().await;
    let codes = ada.recovery_codes().await;
    ada.delete(&format!("factors/{factor}")).await;
    let admin = server.admin().await;
    let rows = admin
        .query(
            "select payload::text from auth.audit_log_entries order by created_at, id",
            &[],
        )
        .await
        .expect("entries");
    let all: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let all = all.join("\n");
    for action in [
        "factor_in_progress",
        "challenge_created",
        "verification_attempted",
        "recovery_codes_generated",
        "factor_deleted",
    ] {
        assert!(
            all.contains(&format!("\"action\": \"{action}\"")),
            "{action}\n{all}"
        );
    }
    assert!(!all.contains(&secret) && !all.contains(&codes[0]));
}

#[tokio::test]
async fn an_organisation_asks_its_members_for_a_second_factor_but_nobody_locks_themselves_out() {
    const RULE: &str = "/api/v1/tenancy/second-factor";
    let server = TestServer::start(vec![]).await;
    let org = server.organization("Harbour").await;
    let viewer = server.member(&org, Role::Viewer).await;
    let put = async |user: &TestUser, required: Value| {
        let body = json!({ "required": required });
        answer(user.request(Method::PUT, RULE).json(&body)).await
    };
    assert_eq!(
        code(&put(&viewer, json!(true)).await),
        (403, "tenancy.permission_denied")
    );
    assert_eq!(
        code(&put(&org.owner, json!(true)).await),
        (422, "tenancy.second_factor_missing")
    );
    for hostile in [json!(null), json!("yes"), json!([])] {
        assert_eq!(put(&org.owner, hostile).await.0, 400);
    }

    let mut owner = Somebody {
        server: &server,
        email: org.owner.email.clone(),
        token: org.owner.token.clone(),
        refresh_token: String::new(),
    };
    owner.with_totp().await;
    let with_token = |user: &TestUser, token: &str| {
        let mut user = user.clone();
        token.clone_into(&mut user.token);
        user
    };
    let raised = with_token(&org.owner, &owner.token);
    let (status, rule) = put(&raised, json!(true)).await;
    assert_eq!(
        (status, &rule),
        (
            200,
            &json!({ "required": true, "members": 2, "members_without": 1 })
        )
    );
    assert_eq!(answer(raised.get(RULE)).await.1, rule);
    // From now on, whatever token they hold.
    let (status, refused) = viewer.get_json("/api/v1/tenancy/session").await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("tenancy.second_factor_required"))
    );
    let mut member = Somebody {
        server: &server,
        email: viewer.email.clone(),
        token: viewer.token.clone(),
        refresh_token: String::new(),
    };
    member.with_totp().await;
    let raised_member = with_token(&viewer, &member.token);
    assert_eq!(raised_member.get_json("/api/v1/tenancy/session").await.0, 200);
    // Who knows the owner's password alone does not take the rule away.
    let below = with_token(&org.owner, &owner.elsewhere().await.token);
    assert_eq!(
        code(&put(&below, json!(false)).await),
        (403, "tenancy.second_factor_required")
    );
    assert_eq!(put(&raised, json!(false)).await.0, 200);
    assert_eq!(put(&raised, json!(false)).await.0, 200);
    let admin = server.admin().await;
    let sql = "select payload ->> 'required' from events.outbox \
               where kind = 'tenancy.second_factor_rule_changed' order by seq";
    let rows = admin.query(sql, &[]).await.expect("events");
    let told: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(told, ["true", "false"]);
}
