//! What the next moves will look at stays in the caches of a core that has nothing else to do.
//!
//! Between two frames other programs and the kernel take the caches, and the next moves wait for
//! memory. A loop that spins can ask for it beforehand.

use std::ops::Range;
use std::time::{Duration, Instant};

use huntgraph_core::SLOTS_AT_ONCE;

/// Every player once in this time.
const PERIOD: Duration = Duration::from_millis(10);
/// What more players than these need would not stay in the last cache for so long.
const PLAYERS: usize = 16_384;

/// Whose turn it is to be fetched for, and when.
pub(crate) struct Caches {
    next: usize,
    due: Instant,
}

impl Caches {
    /// Begins with the first player.
    pub(crate) fn new(now: Instant) -> Self {
        Self { next: 0, due: now }
    }

    /// The slots to fetch for now, of so many players: none before nothing has come for a while,
    /// as `idle` tells of this turn.
    pub(crate) fn turn(&mut self, players: u32, idle: bool, now: Instant) -> Range<usize> {
        if idle && now < self.due {
            return 0..0;
        }
        let players = players as usize;
        let calls = players.clamp(1, PLAYERS).div_ceil(SLOTS_AT_ONCE);
        self.due = now + PERIOD / calls as u32;
        if !idle {
            return 0..0;
        }
        let slots = self.next..players.min(self.next + SLOTS_AT_ONCE);
        self.next = if slots.end < players { slots.end } else { 0 };
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::{Caches, PERIOD, PLAYERS};
    use std::time::{Duration, Instant};

    const TURN: Duration = Duration::from_micros(2);

    /// How often each player was fetched for in two periods, something having come at some turns.
    fn fetched(players: usize, came: impl Fn(usize) -> bool) -> Vec<u32> {
        let begin = Instant::now();
        let mut caches = Caches::new(begin);
        let mut times = vec![0; players];
        for turn in 0..(2 * PERIOD.as_nanos() / TURN.as_nanos()) as usize {
            let now = begin + TURN * turn as u32;
            caches.turn(players as u32, !came(turn), now).for_each(|slot| times[slot] += 1);
        }
        times
    }

    #[test]
    fn each_player_has_a_turn_in_each_period() {
        for players in [1, 63, 64, 65, 1000, 12_500, PLAYERS] {
            let times = fetched(players, |_| false);
            assert!(times.iter().all(|&n| n == 1 || n == 2), "{players}: {times:?}");
        }
        let some = fetched(100_000, |_| false).iter().sum::<u32>() as usize;
        assert!((PLAYERS..=2 * PLAYERS).contains(&some), "{some} of too many");
        assert!(fetched(0, |_| false).is_empty());
    }

    #[test]
    fn nothing_is_fetched_while_moves_come() {
        assert_eq!(fetched(12_500, |turn| turn % 20 == 0).iter().sum::<u32>(), 0);
        let spells = fetched(12_500, |turn| turn % 1000 < 500).iter().sum::<u32>();
        assert!((10_000..12_500).contains(&spells), "{spells}");
    }
}
