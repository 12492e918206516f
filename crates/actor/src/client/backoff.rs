//! Waiting times between attempts: doubled each time, with jitter from a seed.

use std::time::Duration;

const FIRST_MS: u64 = 5;
const LAST_MS: u64 = 1_000;

/// 5 ms, doubling to 1 s; each wait lies between half and all of it, so that clients that lost the
/// same actor do not come back in one moment.
pub(super) struct Backoff {
    next_ms: u64,
    random: u64,
}

impl Backoff {
    /// Waits whose jitter follows from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self { next_ms: FIRST_MS, random: seed }
    }

    /// How long to wait this time.
    pub(super) fn next(&mut self) -> Duration {
        let full_us = self.next_ms * 1_000;
        self.next_ms = (2 * self.next_ms).min(LAST_MS);
        Duration::from_micros(full_us / 2 + self.draw() % (full_us / 2))
    }

    /// All went well: the next wait is the shortest again.
    pub(super) fn reset(&mut self) {
        self.next_ms = FIRST_MS;
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_second_and_follow_from_the_seed() {
        let waits = |seed| -> Vec<u128> {
            let mut backoff = Backoff::new(seed);
            (0..12).map(|_| backoff.next().as_micros()).collect()
        };
        let mut full_us = 5_000;
        for wait in waits(7) {
            assert!((full_us / 2..full_us).contains(&wait), "{wait} of {full_us}");
            full_us = (2 * full_us).min(1_000_000);
        }
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }
}
