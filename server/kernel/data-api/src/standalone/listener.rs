//! Announcements of the database: the schema changed, the configuration changed.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::AsyncMessage;

use super::state::Shared;

/// The longest pause between two tries to listen.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

/// Listens for as long as the process lives; what may have been missed meanwhile is read anew.
pub(super) async fn listen(shared: Arc<Shared>) {
    let mut pause = Duration::from_secs(1);
    let mut missed = false;
    loop {
        let state = shared.state();
        if !state.config.channel_enabled {
            return;
        }
        match session(&shared, &state.config.channel, missed).await {
            Ok(()) => pause = Duration::from_secs(1),
            Err(error) => {
                tracing::warn!(%error, "not listening for announcements; trying again in {} s", pause.as_secs());
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        missed = true;
    }
}

async fn session(shared: &Arc<Shared>, channel: &str, missed: bool) -> tenon_sdk::Result<()> {
    let (client, mut connection) = shared.db.listen_connection().await?;
    let (sender, mut messages) = tokio::sync::mpsc::unbounded_channel();
    let driving = tokio::spawn(async move {
        while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            match message {
                Ok(AsyncMessage::Notification(notification)) => {
                    if sender.send(notification.payload().to_owned()).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    });
    let quoted = channel.replace('"', "\"\"");
    client.batch_execute(&format!("LISTEN \"{quoted}\"")).await?;
    tracing::info!(channel, "listening for announcements");
    if missed {
        shared.reload_schema.notify_one();
    }
    while let Some(payload) = messages.recv().await {
        match payload.as_str() {
            "" | "reload schema" => shared.reload_schema.notify_one(),
            "reload config" => shared.reload_config().await,
            other => tracing::debug!(payload = other, "an announcement that is not ours"),
        }
    }
    driving.abort();
    Ok(())
}
