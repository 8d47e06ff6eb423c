//! Lanes with something in them, as far as a worker knows, and which of them it asks next: organisations take turns.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;
use uuid::Uuid;

use super::wake::Lane;

/// Lanes one claim may look into.
const LANES: usize = 64;

/// What a lane is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ask {
    pub(super) lane: Lane,
    /// Nothing before it.
    pub(super) since: Timestamp,
    pub(super) most: i64,
    heard: u64,
}

#[derive(Debug)]
struct Known {
    since: Timestamp,
    /// Counts what was heard, so that an answer that was on its way meanwhile does not hide it.
    heard: u64,
}

/// The lanes a worker knows of.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    /// By organisation, then by priority, least urgent first.
    known: HashMap<Uuid, BTreeMap<i16, Known>>,
    turns: VecDeque<Uuid>,
}

impl Lanes {
    /// There is something in a lane, since a moment.
    pub(super) fn hear(&mut self, lane: Lane, since: Timestamp) {
        let (lanes, turns) = (&mut self.known, &mut self.turns);
        let org = lanes.entry(lane.org).or_insert_with(|| {
            turns.push_back(lane.org);
            BTreeMap::new()
        });
        let known = org.entry(lane.priority).or_insert(Known { since, heard: 0 });
        known.since = known.since.min(since);
        known.heard += 1;
    }

    /// Which lanes to ask: the most urgent of each organisation, by turns. `waiting` says how many jobs of an organisation the worker has
    /// already; nobody is given more than an even share of `room`, and who has none yet is given one even where there is no room left.
    pub(super) fn ask(&mut self, room: usize, held: usize, waiting: impl Fn(Uuid) -> usize) -> Vec<Ask> {
        let share = room.div_ceil(self.turns.len().max(1)).max(1);
        let (mut asks, mut asked) = (Vec::new(), 0);
        for _ in 0..self.turns.len() {
            if asks.len() == LANES || held + asked >= room * 2 {
                break;
            }
            let Some(org) = self.turns.pop_front() else { break };
            self.turns.push_back(org);
            let has = waiting(org);
            let most = share.saturating_sub(has);
            if most == 0 || (has > 0 && held + asked >= room) {
                continue;
            }
            let urgent = self.known.get(&org).and_then(BTreeMap::last_key_value);
            if let Some((priority, known)) = urgent {
                asked += most;
                asks.push(Ask {
                    lane: Lane {
                        org,
                        priority: *priority,
                    },
                    since: known.since,
                    most: i64::try_from(most).unwrap_or(i64::MAX),
                    heard: known.heard,
                });
            }
        }
        asks
    }

    /// What a lane gave: so many, the youngest of them this old.
    pub(super) fn answered(&mut self, ask: &Ask, gave: i64, youngest: Option<Timestamp>) {
        let Some(org) = self.known.get_mut(&ask.lane.org) else {
            return;
        };
        let Some(known) = org.get_mut(&ask.lane.priority) else {
            return;
        };
        if known.heard != ask.heard {
            return;
        }
        if gave >= ask.most {
            known.since = youngest.unwrap_or(known.since);
            return;
        }
        org.remove(&ask.lane.priority);
        if org.is_empty() {
            self.known.remove(&ask.lane.org);
            self.turns.retain(|turn| *turn != ask.lane.org);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lane(org: u128, priority: i16) -> Lane {
        Lane {
            org: Uuid::from_u128(org),
            priority,
        }
    }

    #[test]
    fn organisations_share_what_room_there_is_and_take_turns() {
        let mut lanes = Lanes::default();
        for org in 1..=3 {
            lanes.hear(lane(org, 0), at(0));
        }
        let asks = lanes.ask(30, 0, |_| 0);
        assert_eq!(asks.iter().map(|ask| ask.most).collect::<Vec<_>>(), [10, 10, 10]);
        let asks = lanes.ask(1, 0, |_| 0);
        assert_eq!(asks.len(), 2, "{asks:?}");
        let next = lanes.ask(1, 0, |_| 0);
        assert_ne!(asks[0].lane, next[0].lane);
    }

    #[test]
    fn who_has_nothing_here_gets_in_beside_a_burst() {
        let mut lanes = Lanes::default();
        lanes.hear(lane(1, 0), at(0));
        lanes.hear(lane(2, 0), at(0));
        let asks = lanes.ask(100, 100, |org| if org == Uuid::from_u128(1) { 100 } else { 0 });
        assert_eq!(asks.len(), 1);
        assert_eq!(asks[0].lane, lane(2, 0));
    }

    #[test]
    fn the_most_urgent_lane_goes_first_and_an_empty_one_is_forgotten() {
        let mut lanes = Lanes::default();
        lanes.hear(lane(1, -5), at(0));
        lanes.hear(lane(1, 9), at(0));
        let urgent = lanes.ask(10, 0, |_| 0);
        assert_eq!(urgent[0].lane, lane(1, 9));
        lanes.answered(&urgent[0], 3, Some(at(3)));
        let usual = lanes.ask(10, 0, |_| 0);
        assert_eq!(usual[0].lane, lane(1, -5));
        lanes.answered(&usual[0], 10, Some(at(7)));
        assert_eq!(lanes.ask(10, 0, |_| 0)[0].since, at(7));
        let last = lanes.ask(10, 0, |_| 0);
        lanes.answered(&last[0], 0, None);
        assert!(lanes.ask(10, 0, |_| 0).is_empty());
    }

    #[test]
    fn what_is_heard_while_a_lane_is_asked_is_not_forgotten() {
        let mut lanes = Lanes::default();
        lanes.hear(lane(1, 0), at(5));
        let ask = lanes.ask(10, 0, |_| 0);
        lanes.hear(lane(1, 0), at(2));
        lanes.answered(&ask[0], 0, None);
        assert_eq!(lanes.ask(10, 0, |_| 0)[0].since, at(2));
    }
}
