//! `PGRST3xx`: the token, or that there is none.

use super::Error;

impl Error {
    /// There is a token and nothing to check it with.
    pub(crate) fn no_secret() -> Self {
        Self::new(500, "PGRST300", "Server lacks JWT secret")
    }

    /// The token cannot be read or nobody known signed it.
    pub(crate) fn token(message: impl Into<String>) -> Self {
        Self::challenge("PGRST301", message.into())
    }

    /// There is no token, and nobody is let in without one.
    pub(crate) fn token_required() -> Self {
        let mut error = Self::new(401, "PGRST302", "Anonymous access is disabled");
        error
            .headers
            .push(("WWW-Authenticate".to_owned(), "Bearer".to_owned()));
        error
    }

    /// The token is good, but not here or not now.
    pub(crate) fn claim(message: impl Into<String>) -> Self {
        Self::challenge("PGRST303", message.into())
    }

    fn challenge(code: &'static str, message: String) -> Self {
        let header = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
        let mut error = Self::new(401, code, message);
        error.headers.push(("WWW-Authenticate".to_owned(), header));
        error
    }
}
