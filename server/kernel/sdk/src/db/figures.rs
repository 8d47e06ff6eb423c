//! How the connections to the database are used.

use super::Inner;

/// One kind of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionFigures {
    /// As many as there may be.
    pub most: usize,
    /// Those that somebody uses.
    pub used: usize,
    /// Open ones that nobody uses.
    pub idle: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

/// All connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbFigures {
    /// Of transactions of commands and jobs.
    pub exclusive: ConnectionFigures,
    /// Of streams of rows.
    pub streams: ConnectionFigures,
    /// Requests on their way on the shared connections of reads.
    pub reads: usize,
    /// The same for writes.
    pub writes: usize,
}

pub(super) fn of(db: &Inner) -> DbFigures {
    let pool = db.pool.status();
    let (most, used) = db.streams.in_use();
    let (idle, waiting) = db.streams.figures();
    let (reads, writes) = db.pipeline.on_the_way();
    DbFigures {
        exclusive: ConnectionFigures {
            most: pool.max_size,
            used: pool.size.saturating_sub(pool.available),
            idle: pool.available,
            waiting: pool.waiting,
        },
        streams: ConnectionFigures {
            most,
            used,
            idle,
            waiting,
        },
        reads,
        writes,
    }
}
