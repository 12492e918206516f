//! Frames: cutting them out of a stream, and writing them into one (`docs/reference/protocol.md`).

use huntgraph_core::schema::{Code, FRAME_RECORDS, Frame};

/// Bytes of the greatest frame: a header and as many records as a frame may hold.
pub const FRAME_BYTES: usize = Frame::BYTES + 64 * FRAME_RECORDS;

/// Least room for bytes to come, but for the end of a greatest frame.
const ROOM_BYTES: usize = 16 << 10;

/// Bytes of a stream that wait to become whole frames. Its memory is reserved at the start, but not
/// used before frames are so large. The default one only stands in for one that is lent out.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    /// Room for one greatest frame.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(FRAME_BYTES), start: 0, end: 0 }
    }

    /// Room for bytes to come; never empty after all whole frames were taken.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let wanted = (self.end + ROOM_BYTES).min(FRAME_BYTES);
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// Forgets all bytes: another stream begins.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// `count` bytes were put into the room.
    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Records that the next frame says it has.
    pub fn next_count(&self) -> usize {
        self.next_header().map_or(0, |header| header.count as usize).min(FRAME_RECORDS)
    }

    /// Whether the next frame says that it is of this kind.
    pub fn next_is(&self, kind: u16) -> bool {
        self.next_header().is_some_and(|header| header.kind == kind)
    }

    fn next_header(&self) -> Option<Frame> {
        self.bytes[self.start..self.end].first_chunk().map(Frame::decode)
    }

    /// The next whole frame's header and body; `None` until more has come.
    ///
    /// # Errors
    /// [`Code::FrameTooLarge`] for a length that no frame may have: checked before anything is
    /// kept, so a stranger's length field reserves no memory.
    pub fn next_frame(&mut self) -> Result<Option<(Frame, &mut [u8])>, Code> {
        let waiting = &self.bytes[self.start..self.end];
        let Some(header) = waiting.first_chunk::<{ Frame::BYTES }>() else {
            return Ok(None);
        };
        let header = Frame::decode(header);
        let length = header.length as usize;
        if length > FRAME_BYTES - Frame::BYTES {
            return Err(Code::FrameTooLarge);
        }
        if waiting.len() < Frame::BYTES + length {
            return Ok(None);
        }
        let body = self.start + Frame::BYTES;
        self.start = body + length;
        Ok(Some((header, &mut self.bytes[body..body + length])))
    }
}

/// Appends a frame with a body of any bytes.
pub fn put_frame(out: &mut Vec<u8>, kind: u16, count: u16, first: u64, body: &[u8]) {
    let header = Frame { length: body.len() as u32, kind, count, first };
    out.extend_from_slice(&header.encode());
    out.extend_from_slice(body);
}

/// Appends a header whose length and count are set by [`end_frame`]; returns its place.
pub fn begin_frame(out: &mut Vec<u8>, kind: u16, first: u64) -> usize {
    let at = out.len();
    out.extend_from_slice(&Frame { length: 0, kind, count: 0, first }.encode());
    at
}

/// Sets length and count of the frame begun at `at`, whose records were appended since.
pub fn end_frame(out: &mut [u8], at: usize) {
    let length = out.len() - at - Frame::BYTES;
    out[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
    out[at + 6..at + 8].copy_from_slice(&((length / 64) as u16).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let mut stream = Vec::new();
        for first in 1..50u64 {
            let body = vec![first as u8; 64 * (first as usize % 7)];
            put_frame(&mut stream, 3, (first % 7) as u16, first, &body);
        }
        for cut in [1, 7, 16, 63, 64, 65, 1000, stream.len()] {
            let (mut inbox, mut seen) = (Inbox::new(), 0);
            for part in stream.chunks(cut) {
                inbox.room()[..part.len()].copy_from_slice(part);
                inbox.filled(part.len());
                while let Some((header, body)) = inbox.next_frame().expect("lengths are in range") {
                    seen += 1;
                    assert_eq!(header.first, seen);
                    assert!(body.iter().all(|&byte| byte == seen as u8));
                }
            }
            assert_eq!(seen, 49, "cut into parts of {cut}");
        }
    }

    #[test]
    fn a_length_beyond_the_greatest_frame_is_refused_at_once() {
        let mut inbox = Inbox::new();
        let header = Frame { length: FRAME_BYTES as u32, kind: 3, count: 0, first: 1 };
        inbox.room()[..16].copy_from_slice(&header.encode());
        inbox.filled(16);
        assert_eq!(inbox.next_frame().err(), Some(Code::FrameTooLarge));
    }
}
