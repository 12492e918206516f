//! Making a branch its original again.

use super::section::Section;
use super::touched::Touched;
use crate::image::Partition;

/// Parts of the state that are small, and copied whole.
const SMALL: [Section; 7] = [
    Section::Header,
    Section::Index,
    Section::Hunts,
    Section::Desk,
    Section::Peers,
    Section::Parcels,
    Section::Next,
];

impl Partition<'_> {
    /// Takes over the state of `original`, a partition with the same limits but for the
    /// journal's, from which this one differs where `touched` says at most.
    pub fn copy_from(&mut self, original: &Partition, touched: &Touched) {
        let journal = self.header.journal_max;
        for section in SMALL {
            self.section_mut(section).copy_from_slice(original.section(section));
        }
        self.header.journal_max = journal;
        if self.header.added > 0 || original.header.added > 0 {
            for section in [Section::Added, Section::FirstAdded, Section::Rows] {
                self.section_mut(section).copy_from_slice(original.section(section));
            }
        }
        let players = self.players.len();
        for slot in Touched::ids(touched.players).take_while(|&slot| slot < players) {
            self.players[slot] = original.players[slot];
        }
        let edges = original.topology.slots() + original.topology.added.len();
        for edge in Touched::ids(touched.edges).take_while(|&edge| edge < edges) {
            self.put_edge(original.edge_value(edge));
        }
    }
}
