//! Whether the mail server takes us.

use std::time::Duration;

use lettre::{AsyncSmtpTransport, Tokio1Executor};
use tenon_sdk::{Error, Result, config::Config};

/// Connects, signs in and leaves.
///
/// Errors: `notifications.mail_server`.
pub async fn probe(config: &Config) -> Result<()> {
    let away = |details: String| {
        Error::unavailable("notifications.mail_server", "The mail server cannot be used.")
            .details(details)
            .hint("Look at mail.smtp_url: address, port, TLS, user and password.")
    };
    let transport: AsyncSmtpTransport<Tokio1Executor> =
        AsyncSmtpTransport::<Tokio1Executor>::from_url(&config.mail.smtp_url)
            .map_err(|error| away(error.to_string()))?
            .timeout(Some(Duration::from_secs(10)))
            .build();
    match transport.test_connection().await {
        Ok(true) => Ok(()),
        Ok(false) => Err(away("It does not answer as one.".to_owned())),
        Err(error) => Err(away(error.to_string())),
    }
}
