//! Authenticator apps: six digits of a half minute, computed from a secret of 160 bits that both sides know (RFC 6238, with the
//! SHA-1 that all apps know).

use qrcode::{EcLevel, QrCode, render::svg};
use tenon_sdk::{Error, Result, env::Env};
use totp_rs::{Builder, Secret, Totp};

/// What is shown once to put a secret into an app.
#[derive(Debug)]
pub(super) struct Shown {
    /// A picture of `uri`.
    pub(super) qr_code: String,
    /// In Base32, to be typed.
    pub(super) secret: String,
    /// `otpauth://…`
    pub(super) uri: String,
}

/// A new secret. `issuer` and `account` are what the app lists it under.
///
/// Errors: `validation_failed` if they are too long for a picture.
pub(super) fn make(env: &Env, issuer: &str, account: &str) -> Result<Shown> {
    let mut bytes = [0; 20];
    env.fill_random(&mut bytes);
    // A colon separates the two in the address.
    let totp = Builder::new()
        .with_secret(bytes.to_vec())
        .with_issuer(Some(issuer.replace(':', " ")))
        .with_account_name(account.replace(':', " "))
        .build()
        .map_err(Error::internal)?;
    let uri = totp.to_url().map_err(Error::internal)?;
    let qr_code = QrCode::with_error_correction_level(&uri, EcLevel::M)
        // Letters of four bytes are twelve characters in the address, which names the issuer twice.
        .map_err(|_| Error::invalid("validation_failed", "issuer is too long for a QR code"))?
        .render()
        .min_dimensions(200, 200)
        // Names, because clients put the picture into an address, where `#` would end it.
        .dark_color(svg::Color("black"))
        .light_color(svg::Color("white"))
        .build();
    Ok(Shown {
        qr_code,
        secret: totp.secret().to_base32(),
        uri,
    })
}

/// The half minute (since 1970) that a code belongs to, if it is of this one or one beside it and newer than `last`: each is
/// good once.
pub(super) fn check(secret: &str, code: &str, now: i64, last: Option<i64>) -> Result<Option<i64>> {
    let totp: Totp = Builder::new()
        .with_secret(Secret::try_from_base32(secret).map_err(Error::internal)?)
        .build()
        .map_err(Error::internal)?;
    let step = totp.check(code, u64::try_from(now).unwrap_or(0));
    let step = step.and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| last.is_none_or(|last| *step > last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_of_the_standard_are_taken_once() {
        for (now, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            let step = check(SECRET, code, now, None).unwrap();
            assert_eq!(step, Some(now / 30), "{code}");
            assert_eq!(check(SECRET, code, now, step).unwrap(), None);
        }
    }

    #[test]
    fn clocks_may_differ_by_half_a_minute_and_no_more() {
        for (now, good) in [(30, true), (59, true), (89, true), (90, false), (0, true)] {
            assert_eq!(
                check(SECRET, "287082", now, None).unwrap().is_some(),
                good,
                "{now}"
            );
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for code in [
            "",
            "28708",
            "2870820",
            "+28708",
            "28708a",
            "２８７０８２",
            "287 082",
        ] {
            assert_eq!(check(SECRET, code, 59, None).unwrap(), None, "{code}");
        }
    }

    #[test]
    fn the_longest_names_fit_into_the_picture_and_longer_ones_are_refused() {
        let env = Env::real();
        let address = format!("{}@example.com", "\u{fc}".repeat(121));
        assert_eq!(address.len(), 254);
        for (letter, length) in [("x", 120), ("\u{e4}", 115), ("\u{1f600}", 57)] {
            make(&env, &letter.repeat(length), &address).unwrap();
        }
        let refused = make(&env, &"\u{1f600}".repeat(120), &address).unwrap_err();
        assert_eq!(refused.code, "validation_failed");
    }

    #[test]
    fn what_is_shown_fits_into_an_address() {
        let shown = make(&Env::real(), "Example: Works", "ada@example.com").unwrap();
        assert!(
            shown
                .uri
                .starts_with("otpauth://totp/Example%20%20Works:ada%40example.com?secret=")
        );
        assert!(shown.qr_code.contains("<svg") && !shown.qr_code.contains('#'));
        assert_eq!(shown.secret.len(), 32);
    }
}
