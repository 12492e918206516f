//! The control socket: the way in for supervisor and neighbours, on the actor's own thread, never
//! waiting.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Instant;

use rustix::event::PollFlags;

use super::actor::FAREWELL;
use super::engine::Engine;
use super::session::{Desk, Role, Session};
use crate::failure::Failure;

/// Supervisors and neighbours connected at once; further ones wait in the socket's queue.
pub const CLIENTS: usize = 16;

struct Client {
    stream: UnixStream,
    session: Session,
}

/// The listening socket and who came.
pub struct Control {
    listener: UnixListener,
    clients: Vec<Client>,
    /// Sessions for clients to come.
    spare: Vec<Session>,
}

impl Control {
    /// Listens at `path`, readable by its owner only; a socket left by a dead actor is replaced.
    ///
    /// # Errors
    /// HG3020 when the socket cannot be made.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let failure = |e: std::io::Error| {
            Failure::new(
                "HG3020",
                format!("the control socket cannot be made: {e}"),
                path.display(),
                "use a shorter --dir that can be written to",
            )
        };
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failure(e)),
            _ => {}
        }
        let listener = UnixListener::bind(path).map_err(failure)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failure)?;
        listener.set_nonblocking(true).map_err(failure)?;
        let (clients, spare) = (Vec::with_capacity(CLIENTS), Session::spare(CLIENTS));
        Ok(Self { listener, clients, spare })
    }

    /// What to wait for: the listener while there is a session for who comes, and the clients. What
    /// cannot be taken is not waited for either: it would be there at once, turn by turn.
    pub fn fds(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let listener = (!self.spare.is_empty()).then(|| (self.listener.as_fd(), PollFlags::IN));
        listener.into_iter().chain(self.clients.iter().map(|client| {
            let mut interest = PollFlags::empty();
            interest.set(PollFlags::IN, client.session.has_room());
            interest.set(PollFlags::OUT, !client.session.unsent().is_empty());
            (client.stream.as_fd(), interest)
        }))
    }

    /// Serves whoever is there; `true` when one asked the actor to stop.
    pub fn turn(&mut self, engine: &mut Engine, desk: &Desk, now: Instant) -> bool {
        while !self.spare.is_empty()
            && let Ok((stream, _)) = self.listener.accept()
        {
            if stream.set_nonblocking(true).is_ok()
                && let Some(session) = self.spare.pop()
            {
                self.clients.push(Client { stream, session: session.begin(Role::Control) });
            }
        }
        let mut stop = false;
        for at in (0..self.clients.len()).rev() {
            let alive = self.clients[at].turn(engine, desk, now);
            stop |= self.clients[at].session.wants_stop;
            if !alive {
                let mut session = self.clients.remove(at).session;
                session.let_go(engine);
                self.spare.push(session);
            }
        }
        stop
    }

    /// Tells those who asked the actor to stop that all is on disk, as far as they read it.
    pub fn tell_stopped(&mut self, durable: u64) {
        for client in self.clients.iter_mut().filter(|client| client.session.wants_stop) {
            client.session.tell_drained(durable);
            let _ = client.stream.set_nonblocking(false);
            let _ = client.stream.set_write_timeout(Some(FAREWELL));
            let _ = client.stream.write_all(client.session.unsent());
        }
    }
}

impl Client {
    /// Reads, answers, writes; `false` when the client is gone or was cut off.
    fn turn(&mut self, engine: &mut Engine, desk: &Desk, now: Instant) -> bool {
        loop {
            let Some(open) = self.take(engine, desk, now) else { return false };
            let had_room = self.session.has_room();
            let sent = self.send();
            let goes_on = self.session.failed.is_none() || !self.session.unsent().is_empty();
            if !(sent && open && goes_on) {
                return false;
            }
            // Answers that left may have made room for frames that are here already.
            if had_room || !self.session.has_room() {
                return true;
            }
        }
    }

    /// Reads and answers; whether more may come, `None` when the connection is broken.
    fn take(&mut self, engine: &mut Engine, desk: &Desk, now: Instant) -> Option<bool> {
        let mut open = true;
        while self.session.has_room() && open {
            let room = self.session.inbox.room();
            match self.stream.read(room) {
                Ok(0) => open = false,
                Ok(count) => self.session.inbox.filled(count),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return None,
            }
            self.session.take_frames(engine, desk, now);
        }
        self.session.take_frames(engine, desk, now);
        self.session.tell_arrived(engine.logger.durable());
        self.session.tell_synced(engine, desk);
        Some(open)
    }

    fn send(&mut self) -> bool {
        while !self.session.unsent().is_empty() {
            match self.stream.write(self.session.unsent()) {
                Ok(count) => self.session.was_sent(count),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        true
    }
}
