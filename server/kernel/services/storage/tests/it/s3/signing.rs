//! Signature Version 4 by hand.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, RequestBuilder};
use sha2::{Digest, Sha256};
use tenon_sdk::hex;
use tenon_testkit::TestServer;

use super::{KEY, SECRET};

fn sha256(text: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(text.as_ref()))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `s3s` looks at the machine's clock.
#[expect(
    clippy::disallowed_methods,
    reason = "what checks the signature has no other clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Who signs.
#[derive(Clone)]
pub struct Signer {
    http: reqwest::Client,
    base: String,
    key: String,
    secret: String,
    token: Option<String>,
    ahead: i64,
}

/// A request's signature and what further ones are made with.
pub struct Signed {
    pub request: RequestBuilder,
    signing_key: Vec<u8>,
    date: String,
    scope: String,
    signature: String,
}

impl Signer {
    pub fn program(server: &TestServer) -> Self {
        Self::of(server, KEY, SECRET)
    }

    pub fn of(server: &TestServer, key: &str, secret: &str) -> Self {
        Self {
            http: server.http().clone(),
            base: server.url(""),
            key: key.to_owned(),
            secret: secret.to_owned(),
            token: None,
            ahead: 0,
        }
    }

    /// Whoever has this token; the access key is any word.
    pub fn person(server: &TestServer, token: &str) -> Self {
        let secret = server.kernel().config().auth.publishable_key.clone();
        Self {
            token: Some(token.to_owned()),
            ..Self::of(server, "a-project", &secret)
        }
    }

    pub fn later(&self, seconds: i64) -> Self {
        Self {
            ahead: seconds,
            ..self.clone()
        }
    }

    fn date(&self) -> String {
        let at = now() + SignedDuration::from_secs(self.ahead);
        at.strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    fn signing_key(&self, day: &str) -> Vec<u8> {
        let key = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        ["local", "s3", "aws4_request"]
            .iter()
            .fold(key, |key, part| mac(&key, part))
    }

    fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A request whose body is `body`, which the caller adds.
    pub fn request(&self, method: Method, to: &str, headers: &[(&str, &str)], body: &str) -> RequestBuilder {
        self.signed(method, to, headers, &sha256(body)).request
    }

    pub fn signed(&self, method: Method, to: &str, headers: &[(&str, &str)], payload: &str) -> Signed {
        let date = self.date();
        let (path, query) = to.split_once('?').unwrap_or((to, ""));
        let mut all: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.push(("host".to_owned(), self.host().to_owned()));
        all.push(("x-amz-date".to_owned(), date.clone()));
        all.push(("x-amz-content-sha256".to_owned(), payload.to_owned()));
        if let Some(token) = &self.token {
            all.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        all.sort();
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let lines = lines.concat();
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let canonical = format!(
            "{method}\n/storage/v1/s3{path}\n{}\n{lines}\n{names}\n{payload}",
            pairs.join("&")
        );
        let scope = format!("{}/local/s3/aws4_request", &date[..8]);
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical));
        let signing_key = self.signing_key(&date[..8]);
        let signature = hex(&mac(&signing_key, &text));
        let mut request = self
            .http
            .request(method, format!("{}/storage/v1/s3{to}", self.base))
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                    self.key
                ),
            );
        for (name, value) in all.iter().filter(|(name, _)| name != "host") {
            request = request.header(name, value);
        }
        Signed {
            request,
            signing_key,
            date,
            scope,
            signature,
        }
    }

    /// An address that is good for so many seconds.
    pub fn address(&self, server: &TestServer, method: &Method, path: &str, seconds: u32) -> String {
        let date = self.date();
        let scope = format!("{}/local/s3/aws4_request", &date[..8]);
        let query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}&X-Amz-Date={date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host",
            self.key,
            scope.replace('/', "%2F")
        );
        let path = format!("/storage/v1/s3{path}");
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{}\n\nhost\nUNSIGNED-PAYLOAD",
            self.host()
        );
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256(canonical));
        let signature = hex(&mac(&self.signing_key(&date[..8]), &text));
        format!("{}?{query}&X-Amz-Signature={signature}", server.url(&path))
    }

    /// The fields of a form that may do what its conditions say.
    pub fn form(&self, conditions: &serde_json::Value, seconds: i64) -> Vec<(String, String)> {
        use base64::{Engine, prelude::BASE64_STANDARD};
        let date = self.date();
        let credential = format!("{}/{}/local/s3/aws4_request", self.key, &date[..8]);
        let fields = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", credential.as_str()),
            ("x-amz-date", date.as_str()),
        ];
        let mut all = conditions.as_array().unwrap().clone();
        all.extend(
            fields
                .iter()
                .map(|(name, value)| serde_json::json!({ *name: value })),
        );
        let until = now() + SignedDuration::from_secs(seconds);
        let policy = serde_json::json!({
            "expiration": until.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(), "conditions": all,
        });
        let policy = BASE64_STANDARD.encode(policy.to_string());
        let signature = hex(&mac(&self.signing_key(&date[..8]), &policy));
        let mut fields: Vec<(String, String)> = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        fields.push(("policy".to_owned(), policy));
        fields.push(("x-amz-signature".to_owned(), signature));
        fields
    }
}

impl Signed {
    /// The content in chunks that are each signed, with trailers if there are some.
    pub fn chunks(&self, chunks: &[&[u8]], trailers: &[(&str, &str)]) -> Vec<u8> {
        let mut before = self.signature.clone();
        let mut body = Vec::new();
        for chunk in chunks.iter().copied().chain([&[][..]]) {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{before}\n{}\n{}",
                self.date,
                self.scope,
                sha256(""),
                sha256(chunk)
            );
            before = hex(&mac(&self.signing_key, &text));
            body.extend_from_slice(format!("{:x};chunk-signature={before}\r\n", chunk.len()).as_bytes());
            if !chunk.is_empty() {
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
        }
        if !trailers.is_empty() {
            let lines: Vec<String> = trailers
                .iter()
                .map(|(name, value)| format!("{name}:{value}\n"))
                .collect();
            let lines = lines.concat();
            let text = format!(
                "AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{before}\n{}",
                self.date,
                self.scope,
                sha256(&lines)
            );
            let signature = hex(&mac(&self.signing_key, &text));
            for (name, value) in trailers {
                body.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
            }
            body.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body
    }
}
