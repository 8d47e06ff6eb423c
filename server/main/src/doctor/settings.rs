//! Settings that read well and mean something dangerous.

use tenon_sdk::config::Config;

use super::{Finding, is_local};

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    let server = &config.server;
    let open = !is_local(&server.bind);
    if open && server.site_url.is_empty() {
        found.push(Finding::bad(
            "settings",
            format!(
                "The server listens at {} and does not know its own address: links in mails lead nowhere.",
                server.bind
            ),
            "Set server.site_url to the address that people use.",
        ));
    } else if !server.site_url.is_empty()
        && server.site_url.starts_with("http://")
        && !is_local(host(&server.site_url))
    {
        found.push(Finding::bad(
            "settings",
            format!(
                "People use {}: passwords and tokens go over the open wire.",
                server.site_url
            ),
            "Put a proxy with TLS before it, and set server.site_url to its https address.",
        ));
    }
    if open && config.mail.mailbox {
        found.push(Finding::bad(
            "settings",
            "mail.mailbox shows all mail to everybody, links to sign in among it.",
            "Switch it off, and name a mail server in mail.smtp_url.",
        ));
    }
    if config.database.sql_port != 0 {
        found.push(Finding::warn(
            "settings",
            format!(
                "The private database takes SQL at port {} of this machine, from its superuser.",
                config.database.sql_port
            ),
            "That is for development: set database.sql_port = 0.",
        ));
    }
    if open && server.trusted_proxies.is_empty() {
        found.push(Finding::warn(
            "settings",
            "No proxy is trusted: if there is one, everybody seems to come from its address, and limits by address count all as one.",
            "Set server.trusted_proxies, unless clients connect directly.",
        ));
    }
    if found.is_empty() {
        found.push(Finding::well("settings", "Nothing dangerous is set."));
    }
    found
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host)
        .trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    use tenon_sdk::config::Config;

    use super::{host, look};
    use crate::doctor::Verdict;

    #[test]
    fn the_defaults_are_well_and_an_open_door_is_not() {
        let mut config = Config::defaults();
        assert!(
            look(&config)
                .iter()
                .all(|finding| finding.verdict == Verdict::Well)
        );
        config.server.bind = "0.0.0.0".to_owned();
        assert!(
            look(&config)
                .iter()
                .any(|finding| finding.verdict == Verdict::Bad)
        );
        config.server.site_url = "https://tenon.example.com".to_owned();
        assert!(look(&config).iter().all(|finding| finding.verdict < Verdict::Bad));
        config.mail.mailbox = true;
        assert!(
            look(&config)
                .iter()
                .any(|finding| finding.verdict == Verdict::Bad)
        );
    }

    #[test]
    fn a_host_is_found_in_any_address() {
        for (url, expected) in [
            ("http://localhost:8000", "localhost"),
            ("http://127.0.0.1/x", "127.0.0.1"),
            ("http://[::1]:80", "::1"),
            ("http://tenon.example.com", "tenon.example.com"),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
