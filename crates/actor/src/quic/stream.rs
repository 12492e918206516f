//! Bytes in and out of streams.

use bytes::Bytes;
use quinn_proto::{Dir, ReadError, ReadableError, StreamId, VarInt, WriteError};

use super::buffers::BLOCK_BYTES;
use super::connection::{End, Stage, Stream};
use super::endpoint::Endpoint;
use super::event::ConnId;

/// A batch is handed to quinn-proto in pieces of at most this: half a block of the buffers, so that
/// large batches neither grow them nor waste much of them.
const PIECE_BYTES: usize = BLOCK_BYTES / 2;

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, in order, at the start of the buffer; at least one.
    Data(usize),
    /// Nothing for now; [`Event::Readable`](super::Event::Readable) will tell.
    Blocked,
    /// The peer has finished the stream, and all of it has been read.
    Finished,
    /// The peer has given up the stream with this code.
    Reset(u64),
    /// There is no such stream (any more).
    Closed,
}

/// Why bytes cannot be written, now or ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteRefused {
    /// The peer reads this stream no further, with this code.
    Stopped(u64),
    /// There is no such stream (any more), or it was finished.
    Closed,
}

impl std::fmt::Display for WriteRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped(code) => write!(f, "quic_stopped: the peer stopped reading with {code}"),
            Self::Closed => f.write_str("quic_stream_closed: no open stream of this number"),
        }
    }
}

impl std::error::Error for WriteRefused {}

impl Endpoint {
    /// Opens a bidirectional stream; the peer hears of it with the first bytes. `None` before the
    /// connection is open and while the peer permits no more.
    pub fn open_stream(&mut self, conn: ConnId) -> Option<StreamId> {
        let connection = self.table.get_mut(conn)?;
        if connection.stage != Stage::Open || !connection.has_room() {
            return None;
        }
        let id = connection.proto.streams().open(Dir::Bi)?;
        connection.add_stream(id)?;
        Some(id)
    }

    /// Reads what has arrived, in order, into `buffer`. Read until it is not [`Read::Data`], or
    /// wait for the next event: a read that filled the buffer is followed by one.
    pub fn read(&mut self, conn: ConnId, stream: StreamId, buffer: &mut [u8]) -> Read {
        let Some(connection) = self.table.get_mut(conn) else {
            return Read::Closed;
        };
        let may_tell = connection.may_tell();
        let Some((proto, state)) = connection.with_stream(stream) else {
            return Read::Closed;
        };
        let (count, credit) = match state.receive {
            End::Not => read_chunks(proto, state, buffer),
            End::Finished | End::Broken(_) => (0, false),
        };
        let outcome = outcome(state, count);
        let more = count > 0 && (count == buffer.len() || state.receive != End::Not);
        state.readable = more && may_tell;
        connection.forget_if_over(stream);
        self.table.refresh(conn.slot());
        if credit {
            self.table.mark_unsent(conn.slot());
        }
        outcome
    }

    /// Writes a batch of whole frames; returns how many bytes of it were taken. When fewer than
    /// given, keep the rest and offer it again at [`Event::Writable`](super::Event::Writable).
    ///
    /// Give as much as there is in one call: quinn-proto searches its list of unacknowledged
    /// writes for each packet, so that many small writes cost the square of their number.
    ///
    /// # Errors
    /// [`WriteRefused`] when the stream takes no bytes ever again.
    pub fn write(
        &mut self,
        conn: ConnId,
        stream: StreamId,
        batch: &[u8],
    ) -> Result<usize, WriteRefused> {
        let connection = self.table.get_mut(conn).ok_or(WriteRefused::Closed)?;
        let (proto, state) = connection.with_stream(stream).ok_or(WriteRefused::Closed)?;
        match state.send {
            End::Broken(code) => return Err(WriteRefused::Stopped(code)),
            End::Finished => return Err(WriteRefused::Closed),
            End::Not if state.send_finishing => return Err(WriteRefused::Closed),
            End::Not if state.blocked || batch.is_empty() => return Ok(0),
            End::Not => {}
        }
        let mut taken = 0;
        for piece in batch.chunks(PIECE_BYTES) {
            // One copy into recycled memory; quinn-proto keeps it until acknowledged.
            let count = write_piece(proto, stream, self.written.copy(piece))?;
            taken += count;
            if count < piece.len() {
                state.blocked = true;
                break;
            }
        }
        self.table.mark_unsent(conn.slot());
        Ok(taken)
    }

    /// Whether the stream takes nothing until [`Event::Writable`](super::Event::Writable).
    #[must_use]
    pub fn is_blocked(&self, conn: ConnId, stream: StreamId) -> bool {
        self.table.get(conn).is_some_and(|connection| connection.is_blocked(stream))
    }

    /// Says that nothing more will be written; the peer reads [`Read::Finished`] after the rest.
    /// Does nothing when the stream is over.
    pub fn finish(&mut self, conn: ConnId, stream: StreamId) {
        let Some(connection) = self.table.get_mut(conn) else {
            return;
        };
        let Some((proto, state)) = connection.with_stream(stream) else {
            return;
        };
        state.send_finishing = proto.send_stream(stream).finish().is_ok();
        self.table.mark_unsent(conn.slot());
    }

    /// Gives a stream up in both directions: unsent bytes are dropped, the peer reads
    /// [`Read::Reset`] and can write no more. Does nothing when the stream is over.
    pub fn reset(&mut self, conn: ConnId, stream: StreamId, code: u32) {
        let Some(connection) = self.table.get_mut(conn) else {
            return;
        };
        let Some((proto, state)) = connection.with_stream(stream) else {
            return;
        };
        let code = VarInt::from_u32(code);
        // An error says that this direction was over already.
        let _ = proto.send_stream(stream).reset(code);
        let _ = proto.recv_stream(stream).stop(code);
        state.send = End::Broken(code.into_inner());
        state.receive = End::Broken(code.into_inner());
        state.receive_told = true;
        state.writable = false;
        state.readable = false;
        connection.forget_if_over(stream);
        self.table.mark_unsent(conn.slot());
    }
}

/// Hands over `piece`; returns how much was taken. After less than all of it, quinn-proto tells
/// when there is room again.
fn write_piece(
    proto: &mut quinn_proto::Connection,
    stream: StreamId,
    piece: Bytes,
) -> Result<usize, WriteRefused> {
    let mut taken = 0;
    let mut rest = [piece];
    // Only an attempt that takes nothing makes quinn-proto note that someone waits.
    while !rest[0].is_empty() {
        match proto.send_stream(stream).write_chunks(&mut rest) {
            Ok(written) => taken += written.bytes,
            Err(WriteError::Blocked) => break,
            Err(WriteError::Stopped(code)) => {
                return Err(WriteRefused::Stopped(code.into_inner()));
            }
            Err(WriteError::ClosedStream) => return Err(WriteRefused::Closed),
        }
    }
    Ok(taken)
}

/// Copies chunks until the buffer is full or nothing is left; notes the stream's end. Returns the
/// bytes copied and whether the peer must be sent new credit.
fn read_chunks(
    proto: &mut quinn_proto::Connection,
    state: &mut Stream,
    buffer: &mut [u8],
) -> (usize, bool) {
    let mut stream = proto.recv_stream(state.id);
    let mut chunks = match stream.read(true) {
        Ok(chunks) => chunks,
        Err(ReadableError::ClosedStream | ReadableError::IllegalOrderedRead) => {
            state.receive = End::Finished;
            return (0, false);
        }
    };
    let mut count = 0;
    while count < buffer.len() {
        match chunks.next(buffer.len() - count) {
            Ok(Some(chunk)) => {
                buffer[count..count + chunk.bytes.len()].copy_from_slice(&chunk.bytes);
                count += chunk.bytes.len();
            }
            Ok(None) => {
                state.receive = End::Finished;
                break;
            }
            Err(ReadError::Reset(code)) => {
                state.receive = End::Broken(code.into_inner());
                break;
            }
            Err(ReadError::Blocked) => break,
        }
    }
    (count, chunks.finalize().should_transmit())
}

/// Bytes first; the end is told by the read after the last bytes.
fn outcome(state: &mut Stream, count: usize) -> Read {
    if count > 0 {
        return Read::Data(count);
    }
    state.receive_told = state.receive != End::Not;
    match state.receive {
        End::Not => Read::Blocked,
        End::Finished => Read::Finished,
        End::Broken(code) => Read::Reset(code),
    }
}
