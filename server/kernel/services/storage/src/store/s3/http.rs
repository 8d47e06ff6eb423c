//! How the S3 client speaks HTTP: by the HTTP client that the rest of the server has, so that there is one of them, with one TLS.

use std::{error::Error as _, io, time::Duration};

use http_body_util::BodyExt;
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
        HttpService,
    },
};

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|cause| object_store::Error::Generic {
                store: "S3",
                source: Box::new(cause),
            })?;
        Ok(HttpClient::new(Service(client)))
    }
}

#[derive(Debug)]
struct Service(reqwest::Client);

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = request.map(reqwest::Body::wrap);
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let answer = self.0.execute(request).await.map_err(failed)?;
        let (head, body) = http::Response::<reqwest::Body>::from(answer).into_parts();
        let body = HttpResponseBody::new(body.map_err(failed));
        Ok(HttpResponse::from_parts(head, body))
    }
}

/// What may be tried again is told apart by its kind.
fn failed(cause: reqwest::Error) -> HttpError {
    let kind = if cause.is_timeout() {
        HttpErrorKind::Timeout
    } else if cause.is_connect() {
        HttpErrorKind::Connect
    } else if cause.is_decode() {
        HttpErrorKind::Decode
    } else if broke_off(&cause) {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, cause.without_url())
}

/// Whether the connection ended in the middle.
fn broke_off(cause: &reqwest::Error) -> bool {
    let mut next = cause.source();
    while let Some(inner) = next {
        let by_protocol = inner.downcast_ref::<hyper::Error>().is_some_and(|inner| {
            inner.is_closed() || inner.is_incomplete_message() || inner.is_body_write_aborted()
        });
        let by_system = inner.downcast_ref::<io::Error>().is_some_and(|inner| {
            matches!(
                inner.kind(),
                io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::ConnectionReset
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
            )
        });
        if by_protocol || by_system {
            return true;
        }
        next = inner.source();
    }
    false
}
