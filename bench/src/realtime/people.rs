//! Organisations with ten people each, and their tokens.
//!
//! Everybody is somebody of their own, in one organisation, with a session of their own: the server cannot answer for two of them
//! at once. Signing in thousands of people by password would take longer than all else, so the tokens are signed here with the
//! secret that the server was started with, as its own are with a key of its own.

use std::time::Duration;

use anyhow::{Result, ensure};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

const SECRET: &str = "a secret of the benchmark that nobody else has to know";
/// The same as the server is told.
pub const SECRET_SETTING: &str = "auth.jwt_secret=\"a secret of the benchmark that nobody else has to know\"";
/// Seconds since 1970: long ago, and long to come.
const SIGNED_IN: i64 = 1_750_000_000;
const EXPIRES: i64 = 4_000_000_000;
/// People of one organisation.
pub const PEOPLE: u32 = 10;
/// Orders of one organisation.
pub const ORDERS: u32 = 20;

/// Makes so many organisations with their people and orders, and publishes the orders.
pub async fn make(database: &Client, organizations: u32) -> Result<()> {
    let (organizations, orders) = (i32::try_from(organizations)?, i32::try_from(ORDERS)?);
    let people = i32::try_from(PEOPLE)?;
    for (sql, numbers) in [
        (include_str!("people.sql"), [organizations, people]),
        (include_str!("orders.sql"), [organizations, orders]),
    ] {
        let made = database.execute(sql, &[&numbers[0], &numbers[1]]).await?;
        ensure!(made > 0, "nothing was made");
    }
    for statement in [
        "alter publication supabase_realtime add table purchasing.orders",
        "vacuum analyze",
        "checkpoint",
    ] {
        database.batch_execute(statement).await?;
    }
    // What that leaves to do is done when nothing is measured yet.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

fn id(kind: char, number: u32) -> Uuid {
    // The number in decimal digits at the end, as people.sql and orders.sql make it.
    format!("00000000-0000-7000-{kind}000-{number:012}")
        .parse()
        .unwrap_or_default()
}

/// The id of an organisation; the first is 1.
pub fn organization(number: u32) -> Uuid {
    id('8', number)
}

/// The id of an order, the same in each organisation; the first is 1.
pub fn order(number: u32) -> Uuid {
    id('a', number)
}

/// A token of one of the people of an organisation; the first is 0. It says what the server's own say.
pub fn token(organization: u32, person: u32) -> Result<String> {
    let number = organization * PEOPLE + person;
    let claims = json!({
        "iss": "http://127.0.0.1/auth/v1", "sub": id('9', number), "aud": "authenticated", "exp": EXPIRES, "iat": SIGNED_IN,
        "email": format!("person{number}@example.com"), "phone": "",
        "app_metadata": { "provider": "email", "providers": ["email"] },
        "user_metadata": { "name": format!("Person {number}"), "email_verified": true },
        "role": "authenticated", "aal": "aal1", "amr": [{ "method": "password", "timestamp": SIGNED_IN }],
        "session_id": id('b', number), "is_anonymous": false,
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    Ok(jsonwebtoken::encode(&Header::default(), &claims, &key)?)
}
