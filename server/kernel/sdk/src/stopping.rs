//! The end of a server in two steps, so that nothing is lost on the way: first it takes leave, then it closes.

use tokio_util::sync::CancellationToken;

/// How far this server is on its way out; cheap to clone.
///
/// It *takes leave*: whoever sends requests here is told to send them elsewhere (`/readyz`), no further jobs are taken, and all goes on
/// for those who are here. Then it *closes*: nobody is let in, connections that would never end by themselves are ended, and what
/// has begun is finished.
#[derive(Clone, Debug, Default)]
pub struct Stopping {
    leaving: CancellationToken,
    closing: CancellationToken,
}

impl Stopping {
    /// Takes leave.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Closes, and takes leave if that was not done.
    pub fn close(&self) {
        self.leaving.cancel();
        self.closing.cancel();
    }

    /// Whether leave was taken.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_cancelled()
    }

    /// Waits until leave is taken.
    pub async fn left(&self) {
        self.leaving.cancelled().await;
    }

    /// Waits until it closes.
    pub async fn closed(&self) {
        self.closing.cancelled().await;
    }
}
