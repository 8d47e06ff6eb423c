//! Where a link may lead after it was checked: addresses of this installation, and those the operator lists.

use super::Identity;

/// The address to go on to: the one asked for if it is allowed, else the installation's own.
pub(super) fn allowed(identity: &Identity, asked: Option<&str>) -> String {
    let config = &identity.0.config;
    let site = &config.server.site_url;
    let mut bases = std::iter::once(site).chain(&config.auth.redirect_urls);
    asked
        .filter(|asked| bases.any(|base| within(asked, base)))
        // As it was understood, not as it was written.
        .and_then(|asked| url::Url::parse(asked).ok())
        .map_or_else(|| site.clone(), String::from)
}

/// Whether an address is `base` or lies below it. Compared after parsing, as a browser would: `https://site.example@evil`,
/// backslashes and control characters do not pass for the site.
pub(super) fn within(asked: &str, base: &str) -> bool {
    let (Ok(asked), Ok(base)) = (url::Url::parse(asked), url::Url::parse(base)) else {
        return false;
    };
    let path = base.path().trim_end_matches('/');
    asked.scheme() == base.scheme()
        && asked.host() == base.host()
        && asked.port_or_known_default() == base.port_or_known_default()
        && asked.username().is_empty()
        && asked.password().is_none()
        && asked
            .path()
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where a link begins that leads to an address of the installation: at the name the address has, since people reach a server of
/// their own by `localhost` and by `127.0.0.1`, and a browser's cookie is for one of them.
pub(super) fn start_of(identity: &Identity, target: &str) -> String {
    let site = &identity.0.config.server.site_url;
    match (url::Url::parse(target), url::Url::parse(site)) {
        (Ok(target), Ok(own)) if is_local(&target) && is_local(&own) && target.port() == own.port() => {
            target.origin().ascii_serialization()
        }
        _ => site.clone(),
    }
}

fn is_local(url: &url::Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

/// Text as a value of a query string.
pub(super) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn only_addresses_below_a_listed_one_pass() {
        let site = "https://tenon.example.com";
        for good in [
            "https://tenon.example.com",
            "https://tenon.example.com/",
            "https://tenon.example.com/o/harbour?x=1#y",
            "https://TENON.example.com:443/a",
        ] {
            assert!(within(good, site), "{good}");
        }
        for bad in [
            "",
            "/relative",
            "//evil.example",
            "https://evil.example",
            "http://tenon.example.com",
            "https://tenon.example.com:8443/",
            "https://tenon.example.com.evil.example/",
            "https://tenon.example.com@evil.example/",
            "https://someone@tenon.example.com/",
            "https://evil.example\\@tenon.example.com",
            "javascript:alert(1)",
            "data:text/html,x",
        ] {
            assert!(!within(bad, site), "{bad}");
        }
        assert!(within("app://open/here", "app://open"));
        assert!(within("https://a.example/app/x", "https://a.example/app"));
        assert!(!within("https://a.example/apple", "https://a.example/app"));
    }
}
