//! The two checksums of every file this crate writes: CRC-32C for damage, a 64-bit hash for order.

/// CRC-32C (Castagnoli) of `bytes`, as in RFC 3720.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// CRC-32C of the bytes that gave `crc`, followed by `bytes`.
pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc, bytes)
}

const LANE_SEED: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];
const MULTIPLIER: u64 = 0xff51_afd7_ed55_8ccd;

/// 64-bit hash of `bytes`, the link of the log's chain. Not a defence against forgery.
///
/// Four lanes over 8-byte little-endian words: word `i` (the last one zero-padded) goes to lane
/// `i % 4` by `x = (lane ^ word) * M; lane = x ^ (x >> 32)`; then the length in bytes and the lanes
/// in order are folded by the same step. The step is a bijection of the lane, so no change within
/// one word is ever lost.
pub fn hash64(bytes: &[u8]) -> u64 {
    let mut lanes = LANE_SEED;
    let mut chunks = bytes.chunks_exact(32);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
            *lane = step(*lane, word_of(word));
        }
    }
    for (lane, word) in lanes.iter_mut().zip(chunks.remainder().chunks(8)) {
        *lane = step(*lane, word_of(word));
    }
    let mut hash = bytes.len() as u64;
    for lane in lanes {
        hash = step(hash, lane);
    }
    hash
}

fn step(lane: u64, word: u64) -> u64 {
    let mixed = (lane ^ word).wrapping_mul(MULTIPLIER);
    mixed ^ (mixed >> 32)
}

fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_listed_check_string() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c_append(crc32c(b"1234"), b"56789"), 0xe306_9283);
    }

    #[test]
    fn hash_changes_with_every_bit_and_with_length() {
        let base = [7u8; 100];
        let mut seen = std::collections::BTreeSet::from([hash64(&base)]);
        for bit in 0..800 {
            let mut other = base;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(hash64(&other)), "bit {bit}");
        }
        assert!(seen.insert(hash64(&[0; 8])) && seen.insert(hash64(&[0; 9])));
    }
}
