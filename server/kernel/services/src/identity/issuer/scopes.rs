//! What a program may ask for.

use super::fault::Fault;

/// Every scope there is. `api` is Tenon's own: acting in the API as the person.
pub(super) const ALL: [&str; 6] = ["openid", "email", "profile", "phone", "offline_access", "api"];

/// What is asked for when nothing is said.
const DEFAULT: &str = "email";

/// A set of scopes, in the order of [`ALL`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes(Vec<&'static str>);

impl Scopes {
    /// Reads scopes separated by spaces.
    ///
    /// Errors: `invalid_scope` if there is none of that name.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let asked: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
        if asked.iter().any(|word| !ALL.contains(word)) {
            return Err(Fault::new(
                "invalid_scope",
                format!("The scopes are {}.", ALL.join(" ")),
            ));
        }
        Ok(Self(
            ALL.into_iter().filter(|scope| asked.contains(scope)).collect(),
        ))
    }

    /// What a request asks for: at most what the program was registered with, and that if it says nothing.
    pub(super) fn asked(text: Option<&str>, registered: Option<&str>) -> Result<Self, Fault> {
        let most = registered.map(Self::read).transpose()?;
        let Some(text) = text else {
            return most.map_or_else(|| Self::read(DEFAULT), Ok);
        };
        let asked = Self::read(text)?;
        if most.is_some_and(|most| !asked.within(&most)) {
            return Err(Fault::new(
                "invalid_scope",
                "The client is not registered for all of these scopes.",
            ));
        }
        Ok(asked)
    }

    pub(super) fn has(&self, scope: &str) -> bool {
        self.0.contains(&scope)
    }

    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.has(scope))
    }

    /// Both together.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self(
            ALL.into_iter()
                .filter(|scope| self.has(scope) || other.has(scope))
                .collect(),
        )
    }

    pub(super) fn text(&self) -> String {
        self.0.join(" ")
    }

    pub(super) fn list(&self) -> &[&'static str] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_asks_for_no_more_than_was_registered() {
        let read = |text| Scopes::read(text).unwrap();
        assert_eq!(read("email  openid email").text(), "openid email");
        assert_eq!(Scopes::read("openid admin").unwrap_err().error, "invalid_scope");
        assert_eq!(Scopes::asked(None, None).unwrap().text(), DEFAULT);
        assert_eq!(Scopes::asked(None, Some("openid")).unwrap().text(), "openid");
        assert_eq!(
            Scopes::asked(Some("openid"), Some("openid email"))
                .unwrap()
                .text(),
            "openid"
        );
        assert!(Scopes::asked(Some("api"), Some("openid email")).is_err());
        assert!(read("openid").within(&read("email openid")));
        assert!(!read("openid api").within(&read("openid")));
        assert_eq!(read("openid").and(&read("api")).text(), "openid api");
    }
}
