//! The providers that are known by name: where they are, how they like to be spoken to, and how they tell who somebody is. One
//! more is one more row, and a function if it has a form of its own.

use super::profile::{self, Reader};

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// OpenID Connect: all addresses are discovered at the issuer; who somebody is stands in a signed token.
    OpenId,
    /// OAuth 2 with an interface of its own.
    OAuth {
        authorize: &'static str,
        token: &'static str,
        profile: &'static str,
        /// Where addresses are told, if apart.
        emails: &'static str,
    },
}

/// A provider as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) issuer: &'static str,
    /// What it calls itself in tokens besides.
    pub(super) aliases: &'static [&'static str],
    /// What signing in needs.
    pub(super) scopes: &'static [&'static str],
    /// Whether it understands a code challenge.
    pub(super) pkce: bool,
    /// Whether its ID tokens repeat the nonce.
    pub(super) nonce: bool,
    /// Whether it wants the secret in a header (`Authorization: Basic`); unset: as its discovery document says.
    pub(super) basic: Option<bool>,
    pub(super) read: Reader,
}

const OPENID: Known = Known {
    name: "",
    label: "",
    kind: Kind::OpenId,
    issuer: "",
    aliases: &[],
    scopes: &["openid", "email", "profile"],
    pkce: true,
    nonce: true,
    basic: None,
    read: profile::openid,
};

/// A provider of a row: what is asked for, the row says.
pub(super) const CUSTOM_OPENID: Known = Known {
    scopes: &[],
    ..OPENID
};

/// The same, with an interface that tells claims in the form of OpenID Connect.
pub(super) const CUSTOM_OAUTH: Known = Known {
    kind: Kind::OAuth {
        authorize: "",
        token: "",
        profile: "",
        emails: "",
    },
    ..CUSTOM_OPENID
};

const TWITTER: Known = Known {
    name: "x",
    label: "X",
    kind: Kind::OAuth {
        authorize: "https://x.com/i/oauth2/authorize",
        token: "https://api.x.com/2/oauth2/token",
        profile: "https://api.x.com/2/users/me?user.fields=profile_image_url,confirmed_email",
        emails: "",
    },
    issuer: "https://api.x.com",
    scopes: &["users.email", "users.read", "tweet.read", "offline.access"],
    basic: Some(true),
    read: profile::twitter,
    ..OPENID
};

const KNOWN: &[Known] = &[
    Known {
        name: "apple",
        label: "Apple",
        issuer: "https://appleid.apple.com",
        scopes: &["openid", "email", "name"],
        ..OPENID
    },
    Known {
        name: "azure",
        label: "Microsoft",
        issuer: "https://login.microsoftonline.com/common/v2.0",
        read: profile::azure,
        ..OPENID
    },
    Known {
        name: "discord",
        label: "Discord",
        kind: Kind::OAuth {
            authorize: "https://discord.com/oauth2/authorize",
            token: "https://discord.com/api/oauth2/token",
            profile: "https://discord.com/api/users/@me",
            emails: "",
        },
        issuer: "https://discord.com/api",
        scopes: &["identify", "email"],
        basic: Some(false),
        read: profile::discord,
        ..OPENID
    },
    Known {
        name: "facebook",
        label: "Facebook",
        kind: Kind::OAuth {
            authorize: "https://www.facebook.com/dialog/oauth",
            token: "https://graph.facebook.com/oauth/access_token",
            profile: "https://graph.facebook.com/me?fields=id,email,name,first_name,last_name,picture",
            emails: "",
        },
        issuer: "https://graph.facebook.com",
        scopes: &["email"],
        basic: Some(false),
        read: profile::facebook,
        ..OPENID
    },
    Known {
        name: "github",
        label: "GitHub",
        kind: Kind::OAuth {
            authorize: "https://github.com/login/oauth/authorize",
            token: "https://github.com/login/oauth/access_token",
            profile: "https://api.github.com/user",
            emails: "https://api.github.com/user/emails",
        },
        issuer: "https://api.github.com",
        scopes: &["user:email"],
        basic: Some(false),
        read: profile::github,
        ..OPENID
    },
    Known {
        name: "gitlab",
        label: "GitLab",
        issuer: "https://gitlab.com",
        ..OPENID
    },
    Known {
        name: "google",
        label: "Google",
        issuer: "https://accounts.google.com",
        aliases: &["accounts.google.com"],
        ..OPENID
    },
    Known {
        name: "linkedin_oidc",
        label: "LinkedIn",
        issuer: "https://www.linkedin.com/oauth",
        aliases: &["https://www.linkedin.com"],
        pkce: false,
        nonce: false,
        basic: Some(false),
        ..OPENID
    },
    Known {
        name: "slack_oidc",
        label: "Slack",
        issuer: "https://slack.com",
        pkce: false,
        basic: Some(false),
        ..OPENID
    },
    Known {
        name: "twitch",
        label: "Twitch",
        issuer: "https://id.twitch.tv/oauth2",
        scopes: &["openid", "user:read:email"],
        pkce: false,
        basic: Some(false),
        ..OPENID
    },
    Known {
        name: "twitter",
        ..TWITTER
    },
    TWITTER,
];

/// What is known of a name; any OpenID provider if nothing.
pub(super) fn known(name: &str) -> Known {
    KNOWN
        .iter()
        .find(|known| known.name == name)
        .copied()
        .unwrap_or(OPENID)
}

/// All names that are known.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|known| known.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_provider_is_reached_by_tls_and_says_who_it_is() {
        for known in KNOWN {
            assert!(known.issuer.starts_with("https://"), "{}", known.name);
            assert!(
                !known.label.is_empty() && !known.scopes.is_empty(),
                "{}",
                known.name
            );
            if let Kind::OAuth {
                authorize,
                token,
                profile,
                ..
            } = known.kind
            {
                for url in [authorize, token, profile] {
                    assert!(
                        url.starts_with("https://") && url::Url::parse(url).is_ok(),
                        "{url}"
                    );
                }
            }
        }
        assert!(names().is_sorted());
    }
}
