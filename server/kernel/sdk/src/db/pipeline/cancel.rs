//! Ends the statement of a connection from outside, as PostgreSQL wants it: over another connection.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_postgres::Config as PgConfig;

use super::super::connect::open_stream;

/// How long the other connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What names one connection.
pub(super) struct Cancel {
    pub(super) config: PgConfig,
    pub(super) tls: Arc<rustls::ClientConfig>,
    /// Process and secret; none if the server did not tell.
    pub(super) key: Option<(i32, i32)>,
}

impl Cancel {
    /// Asks for it. Nobody hears whether it worked.
    pub(super) async fn send(&self) {
        let Some((process, secret)) = self.key else {
            return;
        };
        let asked = timeout(PATIENCE, async {
            let mut stream = open_stream(&self.config, &self.tls).await.ok()?;
            let mut out = BytesMut::new();
            frontend::cancel_request(process, secret, &mut out);
            stream.write_all(&out).await.ok()?;
            // The server hangs up when it has passed it on.
            stream.read_u8().await.ok()
        });
        let _ = asked.await;
    }
}
