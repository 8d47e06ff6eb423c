use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::standalone::config::Texts;

const SECRET: &str = "reallyreallyreallyreallyverysafe";
const NOW: i64 = 1_700_000_000;

fn verifier(settings: &[(&str, &str)]) -> Verifier {
    let mut texts: Texts = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    texts
        .entry("jwt-secret".to_owned())
        .or_insert_with(|| SECRET.to_owned());
    Verifier::new(&Config::new(&texts).expect("understood")).expect("usable")
}

fn token(claims: &Value) -> String {
    sign(&Header::new(Algorithm::HS256), claims, SECRET)
}

fn sign(header: &Header, claims: &Value, secret: &str) -> String {
    encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).expect("signed")
}

fn refused(verifier: &Verifier, token: &str) -> (String, String, Option<String>) {
    let error = verifier.verify(token, NOW).expect_err("refused");
    let details = error
        .details
        .map(|details| details.as_str().expect("text").to_owned());
    (error.code.into_owned(), error.message, details)
}

#[test]
fn a_signed_token_names_its_role() {
    let verifier = verifier(&[]);
    let known = |claims: &Value| verifier.verify(&token(claims), NOW).expect("good");
    let author = known(&json!({"role": "author", "id": 3}));
    assert_eq!(author.role.as_deref(), Some("author"));
    assert_eq!(author.claims_as("author"), r#"{"role":"author","id":3}"#);
    let anonymous = known(&json!({"id": 3}));
    assert_eq!(anonymous.role, None);
    for role in ["anon", "other"] {
        let told = anonymous.claims_as(role);
        assert_eq!(told, format!(r#"{{"id":3,"role":"{role}"}}"#));
    }
}

#[test]
fn the_path_of_the_role_is_a_json_path() {
    let claims =
        token(&json!({"a": {"roles": ["other", "app_author"]}, "https://example.com/role": {"key": "far"}}));
    for (path, expected) in [
        ("$.a.roles[1]", Some("app_author")),
        ("$['https://example.com/role'].key", Some("far")),
        ("$.a.roles[?@ == 'app_author']", Some("app_author")),
        ("$.a.roles[?search(@, '^app_')]", Some("app_author")),
        ("$.b", None),
    ] {
        let verifier = verifier(&[("jwt-role-claim-key", path)]);
        let known = verifier.verify(&claims, NOW).expect("good");
        assert_eq!(known.role.as_deref(), expected, "{path}");
    }
    let texts: Texts = [("jwt-role-claim-key".to_owned(), ".role".to_owned())].into();
    assert!(Verifier::new(&Config::new(&texts).expect("understood")).is_err());
}

#[test]
fn a_token_that_cannot_be_read_says_why() {
    let verifier = verifier(&[]);
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode("{}")
    );
    let other = sign(
        &Header::new(Algorithm::HS256),
        &json!({}),
        "another secret that is long enough",
    );
    let longer = sign(&Header::new(Algorithm::HS512), &json!({}), SECRET);
    for (token, message, details) in [
        ("", "Empty JWT is sent in Authorization header", None),
        ("a.b", "Expected 3 parts in JWT; got 2", None),
        ("a.b.c", "JWT cryptographic operation failed", None),
        (
            &unsigned,
            "Wrong or unsupported encoding algorithm",
            Some("JWT is unsecured but expected 'alg' was not 'none'"),
        ),
        (
            &other,
            "No suitable key or wrong key type",
            Some("None of the keys was able to decode the JWT"),
        ),
        (
            &longer,
            "No suitable key or wrong key type",
            Some("No suitable key was found to decode the JWT"),
        ),
    ] {
        let expected = (
            "PGRST301".to_owned(),
            message.to_owned(),
            details.map(str::to_owned),
        );
        assert_eq!(refused(&verifier, token), expected, "{token}");
    }
}

#[test]
fn time_is_checked_with_half_a_minute_of_patience() {
    let verifier = verifier(&[]);
    for (claims, expected) in [
        (json!({"exp": NOW - 30}), None),
        (json!({"exp": NOW - 31}), Some("JWT expired")),
        (json!({"nbf": NOW + 30}), None),
        (json!({"nbf": NOW + 31}), Some("JWT not yet valid")),
        (json!({"iat": NOW + 30}), None),
        (json!({"iat": NOW + 31}), Some("JWT issued at future")),
        (json!({"exp": 1e300}), None),
        (
            json!({"exp": "soon"}),
            Some("The JWT 'exp' claim must be a number"),
        ),
        (json!({"nbf": []}), Some("The JWT 'nbf' claim must be a number")),
        (json!({"iat": true}), Some("The JWT 'iat' claim must be a number")),
        (json!([1]), Some("Parsing claims failed")),
    ] {
        let found = verifier.verify(&token(&claims), NOW).err();
        assert_eq!(
            found.as_ref().map(|error| error.message.as_str()),
            expected,
            "{claims}"
        );
        assert!(found.is_none_or(|error| error.code == "PGRST303" && error.status == 401));
    }
}

#[test]
fn a_token_for_somebody_else_is_refused_and_one_for_nobody_in_particular_is_not() {
    let strict = verifier(&[("jwt-aud", "us")]);
    let wrong = "The JWT 'aud' claim must be a string or an array of strings";
    for (audience, expected) in [
        (json!("us"), None),
        (json!(["them", "us"]), None),
        (json!([]), None),
        (json!(null), None),
        (json!("them"), Some("JWT not in audience")),
        (json!(["them"]), Some("JWT not in audience")),
        (json!({"a": 1}), Some(wrong)),
        (json!([1, "us"]), Some(wrong)),
    ] {
        let found = strict.verify(&token(&json!({"aud": audience})), NOW).err();
        assert_eq!(
            found.map(|error| error.message).as_deref(),
            expected,
            "{audience}"
        );
    }
    assert!(
        verifier(&[])
            .verify(&token(&json!({"aud": "anybody"})), NOW)
            .is_ok()
    );
}

#[test]
fn a_key_of_a_set_is_chosen_by_its_id_and_kind() {
    let secret = URL_SAFE_NO_PAD.encode(SECRET);
    let set = json!({"keys": [
        {"kty": "oct", "k": URL_SAFE_NO_PAD.encode("x".repeat(32)), "alg": "HS256", "kid": "old"},
        {"kty": "oct", "k": secret, "alg": "HS512", "kid": "new"},
    ]})
    .to_string();
    let verifier = verifier(&[("jwt-secret", &set)]);
    let named = |id: Option<&str>, algorithm| Header {
        kid: id.map(str::to_owned),
        ..Header::new(algorithm)
    };
    let claims = json!({"role": "a"});
    for (header, expected) in [
        (named(Some("new"), Algorithm::HS512), None),
        (named(None, Algorithm::HS512), None),
        (
            named(Some("old"), Algorithm::HS512),
            Some("No suitable key was found to decode the JWT"),
        ),
        (
            named(Some("gone"), Algorithm::HS512),
            Some("No suitable key was found to decode the JWT"),
        ),
        (
            named(Some("old"), Algorithm::HS256),
            Some("None of the keys was able to decode the JWT"),
        ),
    ] {
        let found = verifier.verify(&sign(&header, &claims, SECRET), NOW).err();
        let details = found.and_then(|error| error.details);
        assert_eq!(details.as_deref().and_then(Value::as_str), expected, "{header:?}");
    }
}

#[test]
fn a_remembered_token_still_ends() {
    let verifier = verifier(&[("jwt-cache-max-entries", "2")]);
    let token = token(&json!({"exp": NOW + 5}));
    assert!(verifier.verify(&token, NOW).is_ok());
    assert!(verifier.verify(&token, NOW).is_ok());
    assert!(verifier.verify(&token, NOW + 60).is_err());
    assert_eq!(verifier.figures(), CacheFigures { asked: 3, hits: 2 });
}

#[test]
fn without_a_secret_a_token_is_the_servers_fault_and_a_short_secret_is_none() {
    let open = Verifier::new(&Config::new(&Texts::new()).expect("understood")).expect("usable");
    let error = open.verify("a.b.c", NOW).expect_err("refused");
    assert_eq!((error.status, error.code.as_ref()), (500, "PGRST300"));
    let texts: Texts = [("jwt-secret".to_owned(), "short".to_owned())].into();
    assert!(Verifier::new(&Config::new(&texts).expect("understood")).is_err());
}

proptest::proptest! {
    #[test]
    fn no_token_and_no_claims_make_it_panic(
        text in "[A-Za-z0-9_.=-]{0,80}",
        claims in r#"(\{"(exp|nbf|iat|aud|role|sub)":("x"|-?[0-9]{1,25}(\.5)?|null|true|\[("a",)?1\]|\{\})\})|[\[\]{}":,0-9a-z]{0,20}"#,
    ) {
        fuzz(text.as_bytes());
        fuzz(claims.as_bytes());
        fuzz(format!("e30.{}.{text}", URL_SAFE_NO_PAD.encode(&claims)).as_bytes());
    }
}
