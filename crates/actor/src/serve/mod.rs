//! The program `hunt-graph`: one partition between a socket and a log.
//!
//! A move's way, all on one thread: [`link`] reads a connection's bytes, [`session`] cuts frames
//! and checks them, [`engine`] applies a frame's moves to the image and puts answers, events and
//! log records side by side, [`link`] sends the answers; [`actor`] is the loop around it. The log's
//! own thread makes records durable; guidance is worked on in slices when nothing waits.

mod actor;
mod boot;
mod caches;
mod control;
pub(crate) mod emit;
mod engine;
mod hold;
mod link;
mod links;
mod meters;
mod neighbour;
mod options;
mod replay;
mod round_times;
mod session;
mod share;
mod standings;
mod start;

use std::io::Write;

use crate::failure::Failure;
pub(crate) use actor::Actor;
pub use boot::make_snapshot;
pub use options::{Options, Verb, parse};
pub use start::serve;

/// Prints a line on standard output at once; a closed pipe is no reason to stop.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Does what the command line asks for.
///
/// # Errors
/// The [`Failure`] to report.
pub fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Print(text) => say(text.trim_end()),
        Verb::Snapshot(options) => say(&make_snapshot(&options)?),
        Verb::Serve(options) => serve(&options)?,
    }
    Ok(())
}
