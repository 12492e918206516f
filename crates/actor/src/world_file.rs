//! A world file, memory-mapped and checked (`docs/reference/world-format.md`).

use std::fs::File;
use std::path::Path;

use huntgraph_core::WorldView;

use crate::failure::Failure;

const HEADER_BYTES: usize = 4096;
const ENTRY_BYTES: usize = 32;

/// An open world file.
pub struct WorldFile {
    map: memmap2::Mmap,
    first: (usize, usize),
    head: (usize, usize),
    cost: (usize, usize),
    owner: Option<(usize, usize)>,
    twin: (usize, usize),
    /// Nodes of the world.
    pub nodes: usize,
    /// Slots of its rows.
    pub edges: usize,
    /// Its id.
    pub world_id: u64,
    /// Nodes at the end that belong to other partitions.
    pub halo: usize,
}

impl WorldFile {
    /// Opens a file and checks header, sections and checksums.
    ///
    /// # Errors
    /// HG3001 when it cannot be read, HG3002 when it is no world of this version or is damaged.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let unreadable = |e: std::io::Error| {
            Failure::new(
                "HG3001",
                format!("the world cannot be read: {e}"),
                &shown,
                "check the path given as --world",
            )
        };
        let damaged = |what: &str| {
            Failure::new(
                "HG3002",
                format!("not a sound world file: {what}"),
                &shown,
                "make it anew with 'huntgraph world make' or 'world import'",
            )
        };
        let file = File::open(path).map_err(unreadable)?;
        // SAFETY: world files are written once and renamed into place, never changed in place.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(unreadable)?;
        Self::check(map).map_err(damaged)
    }

    fn check(map: memmap2::Mmap) -> Result<Self, &'static str> {
        let header = map.get(..HEADER_BYTES).ok_or("it is shorter than its header")?;
        if &header[..8] != b"HGWORLD\0" || u32_at(header, 8) != 1 {
            return Err("it does not begin with the mark of version 1");
        }
        let mut zeroed = header.to_vec();
        zeroed[56..60].fill(0);
        if crc32c::crc32c(&zeroed) != u32_at(header, 56) {
            return Err("the checksum of the header differs");
        }
        let (nodes, edges) = (u64_at(header, 16) as usize, u64_at(header, 24) as usize);
        if nodes > huntgraph_core::schema::NODES || edges > nodes * huntgraph_core::schema::DEGREE {
            return Err("more nodes or edges than a partition can have");
        }
        check_gaps(&map)?;
        let first = section(&map, b"first", (nodes + 1) * 4)?;
        let head = section(&map, b"head", edges * 4)?;
        let cost = section(&map, b"cost", edges * 2)?;
        let owner =
            find(&map, b"owner")?.map(|_| section(&map, b"owner", nodes * 2)).transpose()?;
        let twin = owner.map_or(Ok((0, 0)), |_| section(&map, b"twin", nodes * 4))?;
        let world_id = u64_at(header, 32);
        let mut world =
            Self { map, first, head, cost, owner, twin, nodes, edges, world_id, halo: 0 };
        let owners = world.owners();
        let own = owners.iter().take_while(|&owner| Some(owner) == owners.first()).count();
        world.halo = owners.len() - own;
        Ok(world)
    }

    /// The partition that this file is of; `None` when it is a whole world.
    pub fn partition(&self) -> Option<u16> {
        self.owners().first().copied()
    }

    fn owners(&self) -> &[u16] {
        self.owner.map_or(&[], |(start, end)| bytemuck::cast_slice(&self.map[start..end]))
    }

    /// The rows, in place.
    pub fn view(&self) -> WorldView<'_> {
        WorldView {
            first: bytemuck::cast_slice(&self.map[self.first.0..self.first.1]),
            head: bytemuck::cast_slice(&self.map[self.head.0..self.head.1]),
            cost: bytemuck::cast_slice(&self.map[self.cost.0..self.cost.1]),
            world_id: self.world_id,
            partition: self.partition().unwrap_or(0),
            halo_owner: &self.owners()[self.owners().len() - self.halo..],
            halo_twin: &bytemuck::cast_slice(&self.map[self.twin.0..self.twin.1])
                [self.owners().len() - self.halo..],
        }
    }
}

/// A section's entry in the table, if the file has such a section.
fn find<'a>(map: &'a [u8], tag: &[u8]) -> Result<Option<&'a [u8]>, &'static str> {
    let count = u32_at(map, 52) as usize;
    let table = map
        .get(64..64 + count.min(120) * ENTRY_BYTES)
        .ok_or("the table of sections is cut short")?;
    let mut padded = [0; 8];
    padded[..tag.len()].copy_from_slice(tag);
    Ok(table.chunks_exact(ENTRY_BYTES).find(|entry| entry[..8] == padded))
}

/// Checks that nothing stands before, between or behind the sections but zeros.
fn check_gaps(map: &[u8]) -> Result<(), &'static str> {
    let table = map[64..HEADER_BYTES].chunks_exact(ENTRY_BYTES).take(u32_at(map, 52) as usize);
    let mut ends: Vec<_> = table
        .map(|entry| (u64_at(entry, 8), u64_at(entry, 8).saturating_add(u64_at(entry, 16))))
        .collect();
    ends.sort_unstable();
    let mut end = HEADER_BYTES;
    for (start, next) in ends {
        let gap = map.get(end..start as usize).ok_or("a section has the wrong length or place")?;
        if gap.iter().any(|&byte| byte != 0) {
            return Err("there is something between its sections");
        }
        end = next as usize;
    }
    if end == map.len() { Ok(()) } else { Err("it does not end with its last section") }
}

/// Start and end of a section, its bytes checked.
fn section(map: &[u8], tag: &[u8], bytes: usize) -> Result<(usize, usize), &'static str> {
    let entry = find(map, tag)?.ok_or("a section is missing")?;
    let (start, length) = (u64_at(entry, 8) as usize, u64_at(entry, 16) as usize);
    let end = start.checked_add(length).ok_or("a section lies outside the file")?;
    let data = map.get(start..end).ok_or("a section lies outside the file")?;
    if length != bytes || start % HEADER_BYTES != 0 {
        return Err("a section has the wrong length or place");
    }
    if crc32c::crc32c(data) != u32_at(entry, 24) {
        return Err("the checksum of a section differs");
    }
    Ok((start, end))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) as u64 | (u32_at(bytes, at + 4) as u64) << 32
}
