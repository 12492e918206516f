//! The buckets of a histogram of times: 32 an octave, with edges at the powers of 2^(1/32) of a
//! second.
//!
//! They are the buckets of an OpenTelemetry exponential histogram of scale 5 in seconds, so an
//! export loses nothing. A bucket reports the geometric mean of its edges, which is within
//! 2^(1/64) - 1 = 1.09 % of every time in it.

/// Buckets an octave.
const STEPS: usize = 32;
/// Buckets of a histogram: one for no time at all, then those from 1 ns to [`TIME_MAX_NS`].
pub const BUCKETS: usize = 1278;
/// Longer times are counted as this one: 1024 s.
pub const TIME_MAX_NS: u64 = 1024 * 1_000_000_000;

/// A second with its highest bit moved to the top; one edge of each octave has these digits.
const SECOND: u64 = 1_000_000_000 << 34;
/// Which edge of an octave of nanoseconds that is.
const SECOND_STEP: usize = 28;
/// The edges of an octave of nanoseconds, highest bit moved to the top, and one beyond all.
const EDGES: [u64; STEPS + 1] = edges();
/// Bits after the highest that choose a cell; a cell is narrower than a bucket, so it holds one
/// edge at most.
const CELL_BITS: u32 = 6;
/// How many edges of its octave lie below each cell.
const BELOW: [u8; 1 << CELL_BITS] = edges_below_cells();

const fn edges() -> [u64; STEPS + 1] {
    // 2^(1/32) as five square roots of 2, in units of 2^-63.
    let mut root: u128 = 2 << 63;
    let mut roots = 0;
    while roots < STEPS.ilog2() {
        root = (root << 63).isqrt();
        roots += 1;
    }
    let mut edges = [u64::MAX; STEPS + 1];
    let mut edge = SECOND as u128;
    let mut step = 0;
    while step < STEPS {
        let carry = edge >> 64;
        edges[(SECOND_STEP + step) % STEPS] = (edge >> carry) as u64;
        edge = (edge * root) >> 63;
        step += 1;
    }
    edges
}

const fn edges_below_cells() -> [u8; 1 << CELL_BITS] {
    let mut below = [0; 1 << CELL_BITS];
    let mut cell = 0;
    while cell < below.len() {
        let start = (1 << 63) | ((cell as u64) << (63 - CELL_BITS));
        while EDGES[below[cell] as usize] < start {
            below[cell] += 1;
        }
        cell += 1;
    }
    below
}

/// The bucket of a time: 0 of 0, else the one whose lower edge is below it and whose upper edge is
/// not.
pub fn bucket_of(time_ns: u64) -> usize {
    if time_ns == 0 {
        return 0;
    }
    let time_ns = time_ns.min(TIME_MAX_NS);
    let zeros = time_ns.leading_zeros();
    let digits = time_ns << zeros;
    let cell = (digits << 1) >> (64 - CELL_BITS);
    let below = BELOW[cell as usize] as usize;
    let below = below + usize::from(digits > EDGES[below]);
    STEPS * (63 - zeros as usize) + below + 1
}

/// What a bucket reports, in nanoseconds: the geometric mean of its edges; 0 for bucket 0.
pub fn bucket_middle_ns(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    // The last bucket ends at 2^10 s.
    let steps = bucket as f64 - (BUCKETS - 1) as f64 - 0.5;
    TIME_MAX_NS as f64 * (steps / STEPS as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR_MAX: f64 = 0.011;

    /// The upper edge of a bucket from 1 on, in nanoseconds.
    fn edge_ns(bucket: usize) -> f64 {
        let steps = bucket as f64 - (BUCKETS - 1) as f64;
        TIME_MAX_NS as f64 * (steps / STEPS as f64).exp2()
    }

    /// All small times, and those next to every edge.
    fn times() -> impl Iterator<Item = u64> {
        let next_to = |bucket| {
            let edge_ns = edge_ns(bucket) as u64;
            edge_ns.saturating_sub(2).max(1)..=(edge_ns + 2).min(TIME_MAX_NS)
        };
        (1..5_000).chain((1..BUCKETS).flat_map(next_to))
    }

    /// The greatest error of what is reported for a time, as a share of the time.
    fn worst_error(bucket_of: impl Fn(u64) -> usize) -> f64 {
        let error =
            |time_ns: u64| (bucket_middle_ns(bucket_of(time_ns)) / time_ns as f64 - 1.0).abs();
        times().map(error).fold(0.0, f64::max)
    }

    #[test]
    fn every_time_is_reported_within_its_error() {
        let worst = worst_error(bucket_of);
        assert!(worst <= ERROR_MAX, "{worst}");
        assert!(worst >= ERROR_MAX * 0.98, "the edges were not visited: {worst}");
    }

    #[test]
    fn one_wrong_bucket_is_noticed() {
        let planted = |time_ns| bucket_of(time_ns) + usize::from(time_ns == 4_711);
        assert!(worst_error(planted) > ERROR_MAX);
        // 32 linear buckets an octave, as the first version had them: their middle is 1.6 % off.
        let linear = |time_ns: u64| {
            let width = 1 << time_ns.ilog2().saturating_sub(5);
            bucket_of(time_ns / width * width + width / 2)
        };
        assert!(worst_error(linear) > ERROR_MAX);
    }

    #[test]
    fn buckets_end_exactly_at_their_edges() {
        for bucket in 1..BUCKETS - 1 {
            let last_ns = edge_ns(bucket) as u64;
            assert!(bucket_of(last_ns) <= bucket, "{last_ns}");
            assert!(bucket_of(last_ns + 1) > bucket, "{last_ns}");
        }
        let mut sorted: Vec<u64> = times().collect();
        sorted.sort_unstable();
        assert!(sorted.is_sorted_by_key(|&time_ns| bucket_of(time_ns)));
        assert_eq!((bucket_of(0), bucket_of(1)), (0, 1));
        assert_eq!((bucket_of(TIME_MAX_NS), bucket_of(u64::MAX)), (BUCKETS - 1, BUCKETS - 1));
    }
}
