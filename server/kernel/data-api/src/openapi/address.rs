//! Where the API is, for clients that read its description.

use axum::http::Uri;

/// Scheme, host with port, and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `http` or `https`
    pub scheme: String,
    /// `example.com:443`
    pub host: String,
    /// `/` or `/api`
    pub path: String,
}

impl Address {
    /// The address of the proxy in front, or where the server itself listens.
    pub fn new(proxy: Option<&str>, host: &str, port: u16) -> Self {
        proxy.and_then(Self::parse).unwrap_or_else(|| Self {
            scheme: "http".to_owned(),
            host: format!("{}:{port}", listening(host)),
            path: "/".to_owned(),
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        let path = uri.path();
        Some(Self {
            host: format!("{}:{port}", uri.host()?),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            scheme,
        })
    }

    /// As one text.
    pub fn url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.host, self.path)
    }
}

/// `*` and its relatives stand for every address.
fn listening(host: &str) -> &str {
    match host {
        "" | "*" | "*4" | "!4" | "*6" | "!6" => "0.0.0.0",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_preferred_and_ports_are_always_named() {
        let parts = |proxy| {
            let address = Address::new(proxy, "!4", 3000);
            (address.scheme, address.host, address.path)
        };
        let expect =
            |scheme: &str, host: &str, path: &str| (scheme.to_owned(), host.to_owned(), path.to_owned());
        assert_eq!(parts(None), expect("http", "0.0.0.0:3000", "/"));
        assert_eq!(
            parts(Some("https://example.com/rest/v1")),
            expect("https", "example.com:443", "/rest/v1")
        );
        assert_eq!(
            parts(Some("http://example.com:8080")),
            expect("http", "example.com:8080", "/")
        );
        assert_eq!(parts(Some("no address")), expect("http", "0.0.0.0:3000", "/"));
    }
}
