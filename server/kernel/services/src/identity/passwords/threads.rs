//! The threads that hash. They give way to everything else: people who sign in wait for each other, not others for them.

use rayon::{ThreadPool, ThreadPoolBuilder};
use tenon_sdk::{Error, Result};
use tokio::sync::oneshot;

/// How far below the other threads, in steps of `nice`.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

pub(super) struct Threads(ThreadPool);

impl Threads {
    pub(super) fn start() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        // One core is left to all others: what hashes also fills its caches.
        Self::with(cores.saturating_sub(1).max(1))
    }

    fn with(count: usize) -> Result<Self> {
        ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|number| format!("passwords-{number}"))
            .start_handler(|_| give_way())
            // Whoever waits hears of it by the channel that closes.
            .panic_handler(|_| tracing::error!("a password could not be hashed"))
            .build()
            .map(Self)
            .map_err(Error::internal)
    }

    /// Does the work when its turn comes. What nobody waits for any more by then is left undone.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        self.0.spawn(move || {
            if !answer.is_closed() {
                _ = answer.send(work());
            }
        });
        answered.await.map_err(Error::internal)
    }
}

#[cfg(target_os = "linux")]
fn give_way() {
    // Linux takes the thread that asks for the process that is meant.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "threads that hash have the priority of all others");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_in_progress_keeps_its_thread_and_what_nobody_waits_for_is_not_begun() {
        let threads = std::sync::Arc::new(Threads::with(1).unwrap());
        let ((begun, begins), (finish, finishes)) = (mpsc::channel(), mpsc::channel::<()>());
        let first = tokio::spawn({
            let threads = threads.clone();
            async move {
                threads
                    .run(move || {
                        begun.send(()).unwrap();
                        finishes.recv().unwrap();
                    })
                    .await
            }
        });
        tokio::task::spawn_blocking(move || begins.recv().unwrap())
            .await
            .unwrap();
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        // The thread is busy for all that: a second piece waits, and is forgotten when nobody wants it.
        let (told, tells) = mpsc::channel();
        let mut second = Box::pin(threads.run(move || told.send(()).unwrap()));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(second);
        finish.send(()).unwrap();
        assert_eq!(threads.run(|| 7).await.unwrap(), 7);
        assert!(tells.try_recv().is_err(), "it was not begun");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_goes_on() {
        let threads = Threads::with(1).unwrap();
        let broken = || std::panic::panic_any("on purpose");
        assert!(threads.run(broken).await.is_err());
        assert_eq!(threads.run(|| 7).await.unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn threads_that_hash_give_way_and_others_do_not() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let threads = Threads::with(1).unwrap();
        assert_eq!(threads.run(nice).await.unwrap(), NICE);
        assert_eq!(nice(), before);
    }
}
