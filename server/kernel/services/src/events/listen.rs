//! Listens on the database for news and wake-ups, and comes back after a break.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tenon_sdk::{Error, Kernel, Result, live};
use tokio::sync::Notify;
use tokio_postgres::AsyncMessage;

use super::wake::Wake;
use crate::jobs;

/// Listens until the task is dropped. `jobs` is woken when something is enqueued, `events` when something has happened, `reload` when the
/// schema changed or somebody asks the data API to look at it anew; all also whenever listening begins, since what was said before was
/// not heard.
pub async fn listen(kernel: Kernel, jobs: Arc<jobs::Wake>, events: Arc<Wake>, reload: Arc<Notify>) {
    let mut pause = Duration::from_millis(100);
    loop {
        match listen_once(&kernel, &jobs, &events, &reload).await {
            Ok(()) => pause = Duration::from_millis(100),
            Err(error) => {
                tracing::warn!(%error, "listening on the database failed; trying again");
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn listen_once(kernel: &Kernel, jobs: &jobs::Wake, events: &Wake, reload: &Notify) -> Result<()> {
    let (client, mut connection) = kernel.db().listen_connection().await?;
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let statement = format!(
        "listen {}; listen tenon_jobs; listen tenon_events; listen pgrst",
        live::CHANNEL
    );
    let mut listening = Box::pin(async move {
        client.batch_execute(&statement).await.map_err(Error::from)?;
        Ok::<_, Error>(client)
    });
    // The client must stay alive as long as we listen, and the connection must be polled for LISTEN to go out.
    let mut started = false;
    let mut _client = None;
    loop {
        tokio::select! {
            result = &mut listening, if !started => {
                _client = Some(result?);
                started = true;
                jobs.look();
                events.look();
                reload.notify_one();
            }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(note))) => match note.channel() {
                    live::CHANNEL => kernel.live().arrived(note.payload()),
                    "tenon_jobs" => jobs.hear(note.payload()),
                    "tenon_events" => events.hear(note.payload()),
                    "pgrst" => reload.notify_one(),
                    _ => {}
                },
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
        }
    }
}
