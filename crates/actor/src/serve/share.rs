//! The share of a core that guidance may take.

use std::time::{Duration, Instant};

/// Core time that guidance may take at a stretch, before it has to keep to its share: rounds over
/// borders and repairs come in spells, at ticks, and others wait for their end.
const AHEAD: Duration = Duration::from_millis(20);
/// Rests are as long: waking from shorter ones would cost more than they give.
const REST: Duration = Duration::from_millis(1);

/// What guidance has taken of its share, as a leaky bucket: `paid` is when the share that it was
/// given since makes up for all that it took.
pub(crate) struct Share {
    percent: u32,
    paid: Instant,
    rests_until: Instant,
}

impl Share {
    /// A share of so many percent of a core, 1 to 100.
    pub(crate) fn new(percent: u32, now: Instant) -> Self {
        Self { percent, paid: now, rests_until: now }
    }

    /// Until when guidance rests; a time gone by when it need not.
    pub(crate) fn rests_until(&self) -> Instant {
        self.rests_until
    }

    /// Guidance is to rest at least until then.
    pub(crate) fn rest(&mut self, until: Instant) {
        self.rests_until = self.rests_until.max(until);
    }

    /// Guidance has taken so much.
    pub(crate) fn take(&mut self, used: Duration, now: Instant) {
        self.paid = self.paid.max(now) + used * 100 / self.percent;
        if self.paid > now + AHEAD {
            self.rests_until = self.paid - AHEAD + REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AHEAD, Share};
    use std::time::{Duration, Instant};

    /// Core time taken within some milliseconds, in slices of 16 us, whenever it does not rest.
    fn taken(percent: u32, millis: u64) -> Duration {
        let (begin, slice) = (Instant::now(), Duration::from_micros(16));
        let (mut share, mut now, mut taken) = (Share::new(percent, begin), begin, Duration::ZERO);
        while now < begin + Duration::from_millis(millis) {
            now = now.max(share.rests_until());
            share.take(slice, now);
            (now, taken) = (now + slice, taken + slice);
        }
        taken
    }

    #[test]
    fn a_spell_is_free_and_the_rest_keeps_to_the_share() {
        assert!(taken(50, 19) >= Duration::from_millis(19));
        let (long, most) = (taken(50, 2000), Duration::from_millis(1000) + AHEAD);
        assert!(long > Duration::from_millis(950) && long <= most, "{long:?}");
        let (long, most) = (taken(10, 2000), Duration::from_millis(200) + AHEAD);
        assert!(long > Duration::from_millis(150) && long <= most, "{long:?}");
        assert!(taken(100, 200) >= Duration::from_millis(200));
    }
}
