//! History: taking a partition back to what it was, and telling what differs.
//!
//! A partition with room for a *journal* ([`crate::Limits::journal`]) writes down what each record
//! overwrites, so that it, or a copy of it, can be taken back record by record ([`rewind`]). A copy
//! that was taken back and went on with other records is compared with the original where either
//! was touched ([`Touched`], [`differ`]); while it only goes on it notes that and keeps nothing
//! ([`Journal::note_in`]). The actor has no journal: history is worked on outside of it
//! (`docs/decisions/0010-time-travel-beside-the-actor.md`).

mod differ;
mod journal;
mod keep;
mod recall;
mod rewind;
mod section;
mod sync;
mod touched;

pub use differ::{Change, differ};
pub(crate) use journal::Step;
pub use journal::{Entry, Journal, Marks};
pub use recall::{Bookmark, Recall};
pub use rewind::RewindError;
pub(crate) use section::Section;
pub use touched::Touched;
