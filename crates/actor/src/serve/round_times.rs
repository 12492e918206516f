//! How long rounds of guidance take that begin in this partition.

use std::time::Instant;

use huntgraph_core::Partition;
use huntgraph_core::schema::ROUNDS;

use crate::counters::Histogram;

/// By place: number of the round under way, and since when it is seen to be.
pub(crate) struct RoundTimes([Option<(u32, Instant)>; ROUNDS]);

impl RoundTimes {
    /// None under way.
    pub(crate) const NONE: Self = Self([None; ROUNDS]);

    /// Records those that are over.
    pub(crate) fn look(&mut self, partition: &Partition<'_>, times: &Histogram, now: Instant) {
        for (place, seen) in self.0.iter_mut().enumerate() {
            let number = partition.own_round(place);
            if seen.map(|(number, _)| number) != number {
                if let Some((_, since)) = *seen {
                    times.record(now.duration_since(since).as_nanos() as u64);
                }
                *seen = number.map(|number| (number, now));
            }
        }
    }
}
