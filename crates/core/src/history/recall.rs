//! What a branch need not look for: its head took the same records, and the head's journal tells
//! which player and which edge each step was of.
//!
//! Nothing depends on it but time. What is recalled of a record is checked against the record, and
//! what does not fit is looked for as if nothing had been recalled.

use super::journal::{Journal, Kept, START, STEP, Step};

/// A place in a journal that is read forwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// Number of an entry: the first of a record, or one of the record before.
    pub(super) entry: u64,
    /// Position of that record.
    pub(super) position: u64,
}

/// A journal read forwards, step by step.
pub struct Recall<'j> {
    kept: Kept<'j>,
    at: Bookmark,
}

impl<'j> Recall<'j> {
    /// A journal from a bookmark on, for records from position `first` on, which may be that of the
    /// record before. `None` when the journal does not reach back so far, or the bookmark is not of
    /// there.
    pub fn new(journal: &'j Journal, at: Bookmark, first: u64) -> Option<Self> {
        let kept = journal.kept();
        (at.position <= first + 1 && at.entry >= kept.oldest).then_some(Self { kept, at })
    }

    /// Where to read on from.
    pub fn bookmark(&self) -> Bookmark {
        self.at
    }

    /// What the record at a position was as a plain step; `None` if it was none, or if one at or
    /// behind that position was asked for before.
    #[inline(always)]
    pub(crate) fn step(&mut self, position: u64) -> Option<Step> {
        while self.at.position <= position && self.at.entry < self.kept.next {
            let entry = self.kept.entry(self.at.entry);
            self.at.entry += 1;
            let own = match entry.tag() {
                STEP => self.at.position,
                START => entry.start().0 + 1,
                _ => continue,
            };
            self.at.position = own + 1;
            if own == position {
                return (entry.tag() == STEP).then(|| entry.step());
            }
        }
        None
    }
}
