//! What a client's caller and its thread both see.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use huntgraph_core::schema::Welcome;

use super::event::Events;
use super::wake::Wake;
use super::window::Window;
use crate::failure::Failure;

/// What the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Take and send moves.
    Run,
    /// Take no more moves; end when all is durable.
    Drain,
    /// End now.
    Close,
}

/// Counts of a client since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Moves taken in by `send`.
    pub moves: u64,
    /// Moves written to a connection, repeats included.
    pub sent: u64,
    /// Moves written again.
    pub repeated: u64,
    /// Moves that have got their answer.
    pub answered: u64,
    /// Answers that were not handed out because one was before.
    pub swallowed: u64,
    /// Answers that put a move off, to be sent again.
    pub put_off: u64,
    /// Answers that changed after they were handed out.
    pub revised: u64,
    /// Places of the window in use.
    pub used: u64,
    /// Moves not settled.
    pub unsettled: u64,
    /// Records sent and not answered.
    pub in_flight: u64,
    /// Attempts to connect.
    pub attempts: u64,
    /// Connections that were welcomed.
    pub connections: u64,
    /// Frames of moves written.
    pub frames: u64,
    /// Epoch of the actor's log.
    pub epoch: u64,
    /// The durable position told by the actor.
    pub durable: u64,
}

/// Guarded by the lock.
pub(super) struct State {
    pub(super) window: Window,
    pub(super) events: Events,
    pub(super) goal: Goal,
    pub(super) welcome: Option<Welcome>,
    pub(super) connected: bool,
    /// Why the client has given up.
    pub(super) failure: Option<Failure>,
    /// Why the last connection or attempt ended.
    pub(super) last_reason: String,
    /// The thread is done.
    pub(super) ended: bool,
    /// The caller's descriptor was made readable since it last took.
    pub(super) caller_told: bool,
    /// The thread's descriptor was made readable since it last looked.
    pub(super) thread_told: bool,
    pub(super) attempts: u64,
    pub(super) connections: u64,
    pub(super) frames: u64,
}

/// The state, and the descriptors by which the two sides wake each other.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) ended: Condvar,
    /// Wakes the caller.
    pub(super) news: Wake,
    /// Wakes the thread.
    pub(super) orders: Wake,
}

impl Shared {
    pub(super) fn new(capacity: usize) -> std::io::Result<Self> {
        Ok(Self {
            state: Mutex::new(State {
                window: Window::new(capacity),
                events: Events::new(),
                goal: Goal::Run,
                welcome: None,
                connected: false,
                failure: None,
                last_reason: String::new(),
                ended: false,
                caller_told: false,
                thread_told: false,
                attempts: 0,
                connections: 0,
                frames: 0,
            }),
            ended: Condvar::new(),
            news: Wake::new()?,
            orders: Wake::new()?,
        })
    }

    /// The state. A panic of the other side leaves it readable: it is only ever between two moves.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the caller, once until it takes.
    pub(super) fn tell_caller(&self, state: &mut State) {
        if !std::mem::replace(&mut state.caller_told, true) {
            self.news.ring();
        }
    }

    /// Wakes the thread, once until it looks.
    pub(super) fn tell_thread(&self, state: &mut State) {
        if !std::mem::replace(&mut state.thread_told, true) {
            self.orders.ring();
        }
    }
}

impl State {
    pub(super) fn statistics(&self) -> Statistics {
        let (window, counts) = (&self.window, &self.window.counts);
        Statistics {
            moves: window.next - 1,
            sent: counts.sent,
            repeated: counts.repeated,
            answered: counts.answered,
            swallowed: counts.swallowed,
            put_off: counts.put_off,
            revised: counts.revised,
            used: window.used() as u64,
            unsettled: window.unsettled(),
            in_flight: window.in_flight.into(),
            attempts: self.attempts,
            connections: self.connections,
            frames: self.frames,
            epoch: window.epoch,
            durable: window.durable,
        }
    }
}
