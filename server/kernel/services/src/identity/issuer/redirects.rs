//! Where a program may have people sent back to.

use url::{Host, Url};

/// Longest address.
const MOST: usize = 2048;

/// Schemes a browser acts on itself, or that reach into the machine.
const REFUSED: [&str; 12] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "view-source",
    "filesystem",
    "ws",
    "wss",
    "ftp",
    "chrome",
];

/// Whether an address can be registered: `https`, `http` on the person's own machine, or the scheme of an installed
/// program (RFC 8252, 7); no fragment, nobody's name in it.
pub(super) fn registrable(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let clean = text.len() <= MOST
        && text
            .chars()
            .all(|sign| !sign.is_control() && !sign.is_whitespace() && sign != '\\')
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    clean
        && match url.scheme() {
            "https" => url.host().is_some(),
            "http" => loopback(&url),
            scheme => !REFUSED.contains(&scheme),
        }
}

/// Whether an address leads to the machine of whoever follows it.
fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether the address of a request is a registered one: letter for letter, but for the port of a program on the person's
/// own machine, which takes whichever is free (RFC 8252, 7.3).
pub(super) fn matches(asked: &str, registered: &str) -> bool {
    if asked == registered {
        return true;
    }
    let (Ok(asked_url), Ok(registered_url)) = (Url::parse(asked), Url::parse(registered)) else {
        return false;
    };
    let local = |url: &Url| url.scheme() == "http" && loopback(url);
    let without_port = |mut url: Url| url.set_port(None).map(|()| url);
    local(&asked_url)
        && local(&registered_url)
        && registrable(asked)
        // What it was understood as is what was written, so that nothing hides in it.
        && asked_url.as_str().trim_end_matches('/') == asked.trim_end_matches('/')
        && without_port(asked_url) == without_port(registered_url)
}

/// Whether nobody but the program can be listening there, so that a person who agreed before need not be asked again.
pub(super) fn claimed(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "https")
}

/// The address with parameters of the answer behind what it had.
pub(super) fn with(text: &str, answer: &[(&str, &str)]) -> Option<String> {
    let mut url = Url::parse(text).ok()?;
    url.query_pairs_mut().extend_pairs(answer);
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_own_machines_and_installed_programs_can_be_registered() {
        for good in [
            "https://app.example.com/callback",
            "https://app.example.com/callback?tenant=1",
            "http://127.0.0.1/callback",
            "http://[::1]:4000/callback",
            "http://localhost:3000/",
            "com.example.app:/callback",
            "editor://open/callback",
        ] {
            assert!(registrable(good), "{good}");
        }
        let long = format!("https://app.example.com/{}", "a".repeat(MOST));
        for bad in [
            "",
            "/callback",
            "https://",
            "http://app.example.com/callback",
            "http://127.0.0.1.example.com/callback",
            "http://localhost.example.com/",
            "https://app.example.com/#here",
            "https://ada@app.example.com/",
            "https://app.example.com\\@evil.example/",
            "https://app.example.com/ x",
            "https://app.example.com/\n",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            &long,
        ] {
            assert!(!registrable(bad), "{bad}");
        }
    }

    #[test]
    fn a_request_names_a_registered_address_letter_for_letter() {
        let registered = "https://app.example.com/callback";
        assert!(matches(registered, registered));
        for bad in [
            "https://app.example.com/callback/",
            "https://app.example.com/callback?x=1",
            "https://app.example.com/callback#x",
            "https://app.example.com/Callback",
            "https://app.example.com/a/../callback",
            "https://app.example.com:443/callback",
            "https://app.example.com:8443/callback",
            "https://app.example.com.evil.example/callback",
            "https://app.example.com@evil.example/callback",
            "http://app.example.com/callback",
            "",
        ] {
            assert!(!matches(bad, registered), "{bad}");
        }
    }

    #[test]
    fn on_the_persons_own_machine_any_port_is_good_and_nothing_else_differs() {
        let registered = "http://127.0.0.1/callback";
        assert!(matches("http://127.0.0.1:51004/callback", registered));
        assert!(matches(
            "http://127.0.0.1/callback",
            "http://127.0.0.1:3000/callback"
        ));
        for bad in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:51004/callback?x=1",
            "http://127.0.0.1:51004/callback#x",
            "http://127.0.0.1:51004/x/../callback",
            "http://ada@127.0.0.1:51004/callback",
            "http://127.0.0.2:51004/callback",
            "http://localhost:51004/callback",
            "http://127.0.0.1.evil.example:51004/callback",
            "https://127.0.0.1:51004/callback",
            "http://evil.example:51004/callback",
        ] {
            assert!(!matches(bad, registered), "{bad}");
        }
        assert!(!matches("https://localhost:4000/x", "https://localhost:3000/x"));
    }

    #[test]
    fn an_answer_stands_behind_what_the_address_had() {
        assert_eq!(
            with(
                "https://app.example.com/cb?tenant=1",
                &[("code", "a b"), ("state", "&=")]
            )
            .as_deref(),
            Some("https://app.example.com/cb?tenant=1&code=a+b&state=%26%3D")
        );
        assert_eq!(
            with("com.example.app:/cb", &[("code", "x")]).as_deref(),
            Some("com.example.app:/cb?code=x")
        );
    }
}
