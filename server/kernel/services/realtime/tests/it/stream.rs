//! Server-sent events, read one at a time.

use reqwest::{Response, StatusCode};
use serde_json::Value;

/// A stream of server-sent events, read one at a time.
pub struct Stream {
    response: Response,
    text: String,
    /// The id of the last event that had one.
    pub last_id: Option<String>,
}

impl Stream {
    /// Opens a stream.
    pub async fn open(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert!(
            response.headers()["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/event-stream")
        );
        Self {
            response,
            text: String::new(),
            last_id: None,
        }
    }

    /// The next event's type and data; comments are passed over.
    pub async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::trim)
                };
                let id = field("id:").map(str::to_owned);
                let found = field("event:")
                    .map(str::to_owned)
                    .zip(field("data:").map(str::to_owned));
                self.last_id = id.or(self.last_id.take());
                self.text = self.text.split_off(self.text.len() - rest.len());
                if let Some((kind, data)) = found {
                    return (kind, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The data of the next event of a kind.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let (event, data) = self.next().await;
            if event == kind {
                return data;
            }
        }
    }
}
