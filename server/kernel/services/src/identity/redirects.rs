//! Where a link may lead after it was checked: addresses of this installation, and those the operator lists.

use tenon_sdk::config::Config;

use super::Identity;

/// The address to go on to: the one asked for if it is allowed, else the installation's own.
pub(super) fn allowed(identity: &Identity, asked: Option<&str>) -> String {
    let config = &identity.0.config;
    let site = home(config);
    let mut bases = [site, &config.server.site_url]
        .into_iter()
        .chain(config.auth.redirect_urls.iter().map(String::as_str));
    asked
        .filter(|asked| bases.any(|base| within(asked, base)))
        // As it was understood, not as it was written.
        .and_then(|asked| url::Url::parse(asked).ok())
        .map_or_else(|| site.to_owned(), String::from)
}

/// Where links lead for which nothing was asked, or nothing that is allowed.
pub(super) fn home(config: &Config) -> &str {
    if config.auth.site_url.is_empty() {
        &config.server.site_url
    } else {
        &config.auth.site_url
    }
}

/// Whether an address is `base` or lies below it. Compared after parsing, as a browser would: `https://site.example@evil`,
/// backslashes and control characters do not pass for the site.
pub(super) fn within(asked: &str, base: &str) -> bool {
    let (base, any_port) = base.strip_suffix(":*").map_or((base, false), |base| (base, true));
    let (Ok(asked), Ok(base)) = (url::Url::parse(asked), url::Url::parse(base)) else {
        return false;
    };
    let path = base.path().trim_end_matches('/');
    asked.scheme() == base.scheme()
        && asked.host() == base.host()
        && (any_port || asked.port_or_known_default() == base.port_or_known_default())
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

/// An address as a value of a query string: readable, with what would end the value or be read as something else escaped.
pub(super) fn encode_address(address: &str) -> String {
    encode(address)
        .replace("%3A", ":")
        .replace("%2F", "/")
        .replace("%3F", "?")
}

#[cfg(test)]
mod tests {
    use super::{encode_address, within};

    #[test]
    fn an_address_in_a_query_string_stays_readable_and_whole() {
        let address = "https://a.example/b?c=d&e=f+g#h";
        let encoded = encode_address(address);
        assert_eq!(encoded, "https://a.example/b?c%3Dd%26e%3Df%2Bg%23h");
        let query = format!("redirect_to={encoded}&type=signup");
        let read: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        assert_eq!(read[0].1, address);
    }

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
        assert!(within("http://localhost:3000/x", "http://localhost:*"));
        assert!(!within("https://localhost:3000/x", "http://localhost:*"));
        assert!(!within("http://localhost.evil.example/", "http://localhost:*"));
        assert!(within("app://open/here", "app://open"));
        assert!(within("https://a.example/app/x", "https://a.example/app"));
        assert!(!within("https://a.example/apple", "https://a.example/app"));
    }
}
