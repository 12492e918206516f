//! The caller's end of a client.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use huntgraph_core::schema::Welcome;

use super::Options;
use super::event::LinkEvent;
use super::shared::{Goal, Shared, Statistics};
use super::worker::Worker;
use crate::failure::Failure;

/// What `send` took in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Number of the first move, from 1, over all connections.
    pub first: u64,
    /// How many were taken in; the others are to be sent again when there is room (busy).
    pub accepted: usize,
}

/// What `take` gives; use it again, so that nothing is allocated.
#[derive(Debug, Default)]
pub struct Taken {
    /// Updates of 64 bytes, one a move, in the order of sending.
    pub updates: Vec<u8>,
    /// Receipts of 64 bytes, each of a durable claim.
    pub receipts: Vec<u8>,
    /// The durable position.
    pub durable: u64,
    /// What happened to the connection.
    pub events: Vec<LinkEvent>,
}

/// A game server's link to one partition; see the [module](super).
pub struct Client {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Client {
    /// Starts the client's thread, which connects.
    ///
    /// # Errors
    /// HG1301 when the certificates cannot be used, HG1307 when options or the system do not
    /// permit a client. All else comes as an event.
    pub fn start(options: Options) -> Result<Self, Failure> {
        let limits =
            |what: &str| Failure::new("HG1307", what, options.address, "give another number");
        if !(1..=1 << 24).contains(&options.capacity) {
            return Err(limits("capacity must be 1 to 16,777,216 moves"));
        }
        if options.in_flight == 0 || options.idle_timeout_ms == 0 {
            return Err(limits("in_flight and idle_timeout_ms must be at least 1"));
        }
        let system = |e: std::io::Error| {
            let fix = "raise the limits of this process (ulimit -n, -u)";
            Failure::new("HG1307", format!("no client: {e}"), options.address, fix)
        };
        let shared = Arc::new(Shared::new(options.capacity).map_err(system)?);
        let worker = Worker::new(options.clone(), shared.clone())?;
        let thread = std::thread::Builder::new()
            .name("huntgraph-client".into())
            .spawn(move || worker.run())
            .map_err(system)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes in moves to be sent, as many as there is room for, and returns at once. `server` of
    /// each is set by the actor; kind and sequence are checked there.
    ///
    /// # Errors
    /// The failure by which the client ended, or HG1306 after `drain` and `close`.
    pub fn send(&self, moves: &[[u8; 64]]) -> Result<Sent, Failure> {
        let mut state = self.shared.lock();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        if state.goal != Goal::Run || state.ended {
            let fix = "connect anew";
            return Err(Failure::new("HG1306", "the link is closed", "send", fix));
        }
        let (first, accepted) = state.window.push(moves);
        if accepted > 0 {
            self.shared.tell_thread(&mut state);
        }
        Ok(Sent { first, accepted })
    }

    /// Hands out what has come since the last call, in place of what `out` held.
    pub fn take(&self, out: &mut Taken) {
        out.updates.clear();
        out.receipts.clear();
        out.events.clear();
        let mut state = self.shared.lock();
        if std::mem::take(&mut state.caller_told) {
            self.shared.news.clear();
        }
        state.window.take(out);
        state.events.take(&mut out.events);
    }

    /// Readable while there is something to take.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.shared.news.fd()
    }

    /// The newest WELCOME.
    #[must_use]
    pub fn welcome(&self) -> Option<Welcome> {
        self.shared.lock().welcome
    }

    /// Whether a welcomed connection is open, and why the last one or the last attempt ended.
    #[must_use]
    pub fn standing(&self) -> (bool, String) {
        let state = self.shared.lock();
        (state.connected, state.last_reason.clone())
    }

    /// Counts since the start.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.lock().statistics()
    }

    /// Takes no more moves. When all are answered and durable, [`LinkEvent::Drained`] is told and
    /// the client ends.
    pub fn drain(&self) {
        self.order(Goal::Drain);
    }

    /// Ends the client; unsettled moves are given up. Waits at most `limit` for its thread and
    /// returns whether it has ended.
    pub fn close(&mut self, limit: Duration) -> bool {
        self.order(Goal::Close);
        let until = Instant::now() + limit;
        let mut state = self.shared.lock();
        while !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        drop(state);
        // Only its last few instructions are left; a panic of it was told as a failure.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        true
    }

    fn order(&self, goal: Goal) {
        let mut state = self.shared.lock();
        if state.goal != Goal::Close {
            state.goal = goal;
        }
        self.shared.tell_thread(&mut state);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close(Duration::from_secs(2));
    }
}
