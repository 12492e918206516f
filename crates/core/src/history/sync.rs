//! Making a branch its original again.

use super::section::Section;
use super::touched::Touched;
use crate::edge_lines::LINE_EDGES;
use crate::image::Partition;
use crate::memory::prefetch;

/// Parts of the state that are small, and copied whole.
const SMALL: [Section; 8] = [
    Section::Header,
    Section::Prices,
    Section::Index,
    Section::Hunts,
    Section::Desk,
    Section::Peers,
    Section::Parcels,
    Section::Next,
];

impl Partition<'_> {
    /// Takes over the state of `original`, a partition with the same limits but for the
    /// journal's, from which this one differs where `touched` says at most: nowhere then.
    pub fn copy_from(&mut self, original: &Partition, touched: &mut Touched) {
        let journal = self.header.journal_max;
        let added = self.header.added | original.header.added != 0;
        for section in SMALL {
            self.section_mut(section).copy_from_slice(original.section(section));
        }
        self.header.journal_max = journal;
        if added {
            for section in [Section::Added, Section::FirstAdded, Section::Rows] {
                self.section_mut(section).copy_from_slice(original.section(section));
            }
        }
        let players = self.players.len();
        Touched::each(
            touched.players,
            players,
            |slot| prefetch(original.players, slot),
            |slot| {
                self.players[slot] = original.players[slot];
                false
            },
        );
        let edges = &original.topology.edges;
        Touched::each(
            touched.lines,
            edges.len(),
            |line| edges.prefetch_line(line),
            |line| {
                self.topology.edges.copy_line(edges, line);
                if !self.topology.edges.is_cold(line) {
                    self.warm.note(line * LINE_EDGES);
                }
                false
            },
        );
    }
}
