//! Which of several shared connections a request gets.

use std::{
    cmp::Reverse,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::Mutex;

use super::connection::Handle;

/// A connection that has answered nothing for so many milliseconds while somebody waits is held up.
const HELD_UP: u64 = 20;

/// The places of connections that do the same.
pub(super) struct Places {
    began: Instant,
    all: Vec<Slot>,
    /// So many serve while they move; those after them are spare.
    usual: usize,
}

/// The place of a connection, whichever is there at the moment.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) handle: Mutex<Option<Handle>>,
    load: Arc<Load>,
}

#[derive(Debug, Default)]
struct Load {
    /// Requests on their way, also those that nobody waits for any more.
    waiting: AtomicUsize,
    /// When the last one was answered or the first one came, in milliseconds.
    moved: AtomicU64,
}

/// Counts a request among those of its connection until it is answered.
#[derive(Debug)]
pub(super) struct OnTheWay {
    began: Instant,
    load: Arc<Load>,
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.load.moved.store(milliseconds(self.began), Ordering::Relaxed);
        self.load.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    /// So many places, of which all but the first `usual` serve only while all of those are held up: more than the
    /// processors can serve at once only make each message smaller.
    pub(super) fn new(count: usize, usual: usize) -> Self {
        Self {
            began: Instant::now(),
            all: (0..count).map(|_| Slot::default()).collect(),
            usual,
        }
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.all
    }

    /// Requests that are on their way on all of them.
    pub(super) fn on_the_way(&self) -> usize {
        let loads = self.all.iter().map(|slot| &slot.load.waiting);
        loads.map(|waiting| waiting.load(Ordering::Relaxed)).sum()
    }

    /// The connection with the fewest requests; among equals the one that answered last, so that a few serve what a few
    /// can. One that is held up comes after all others, and a spare one after all that move. None if there are none.
    pub(super) fn take(&self) -> Option<(&Slot, OnTheWay)> {
        let now = milliseconds(self.began);
        let (_, slot) = self.all.iter().enumerate().min_by_key(|(at, slot)| {
            let waiting = slot.load.waiting.load(Ordering::Relaxed);
            let moved = slot.load.moved.load(Ordering::Relaxed);
            let held_up = waiting > 0 && now.saturating_sub(moved) > HELD_UP;
            (held_up, *at >= self.usual, waiting, Reverse(moved))
        })?;
        if slot.load.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            slot.load.moved.store(now, Ordering::Relaxed);
        }
        let on_the_way = OnTheWay {
            began: self.began,
            load: slot.load.clone(),
        };
        Some((slot, on_the_way))
    }
}

fn milliseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(places: &Places, slot: &Slot) -> usize {
        let found = places.all.iter().position(|other| std::ptr::eq(other, slot));
        found.expect("one of them")
    }

    #[test]
    fn requests_spread_and_a_single_one_stays_where_the_last_was() {
        let places = Places::new(3, 3);
        let mut taken: Vec<_> = (0..6)
            .map(|_| {
                let (slot, on_the_way) = places.take().expect("a place");
                (index(&places, slot), on_the_way)
            })
            .collect();
        for slot in 0..3 {
            assert_eq!(taken.iter().filter(|(other, _)| *other == slot).count(), 2);
        }
        // The one that is answered last.
        std::thread::sleep(std::time::Duration::from_millis(3));
        taken.sort_by_key(|(slot, _)| *slot == 1);
        for one in taken {
            std::thread::sleep(std::time::Duration::from_millis(1));
            drop(one);
        }
        for _ in 0..3 {
            let (slot, _on_the_way) = places.take().expect("a place");
            assert_eq!(index(&places, slot), 1);
        }
    }

    #[test]
    fn nobody_waits_behind_one_that_is_held_up_while_another_moves() {
        let places = Places::new(2, 2);
        let (stuck, _stays) = places.take().expect("a place");
        std::thread::sleep(std::time::Duration::from_millis(HELD_UP + 5));
        let others: Vec<_> = (0..4).filter_map(|_| places.take()).collect();
        assert_eq!(others.len(), 4);
        assert!(others.iter().all(|(slot, _)| !std::ptr::eq(*slot, stuck)));
        assert!(Places::new(0, 0).take().is_none());
    }

    #[test]
    fn spare_ones_serve_while_all_others_are_held_up() {
        let places = Places::new(3, 2);
        let stuck: Vec<_> = (0..4).filter_map(|_| places.take()).collect();
        assert!(stuck.iter().all(|(slot, _)| index(&places, slot) < 2));
        std::thread::sleep(std::time::Duration::from_millis(HELD_UP + 5));
        let (spare, served) = places.take().expect("a place");
        assert_eq!(index(&places, spare), 2);
        drop((stuck, served));
        let (slot, _on_the_way) = places.take().expect("a place");
        assert!(index(&places, slot) < 2, "the usual ones move again");
    }
}
