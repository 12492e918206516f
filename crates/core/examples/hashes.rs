//! Prints position and state hash again and again while records are applied, so that two builds of
//! the core, or two ways through the same records, can be compared line by line.
//!
//! `hashes STATE RECORDS RESTART`: a saved state, a file of 64-byte records, and after how many
//! records each time the engine is to start anew from what it saved (0: never).

use std::fs;

use huntgraph_core::{Line, Partition, bytes, bytes_mut};

/// Records between two lines of output.
const EVERY: usize = 32;

/// A block with this state in it and fresh guidance.
fn restart(saved: &[u8]) -> Vec<Line> {
    let mut block = vec![Line::default(); saved.len().div_ceil(64)];
    bytes_mut(&mut block)[..saved.len()].copy_from_slice(saved);
    let limits = Partition::limits_of(&block).expect("it is a saved state");
    block.resize(limits.total_lines(), Line::default());
    Partition::resume(&mut block, limits).expect("it was saved whole");
    block
}

fn main() {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [state, records, restarts] = &given[..] else { panic!("STATE RECORDS RESTART") };
    let mut block = restart(&fs::read(state).expect("the state can be read"));
    let records = fs::read(records).expect("the records can be read");
    let restart_every: usize = restarts.parse().expect("a number of records");
    for (at, raw) in records.as_chunks::<64>().0.iter().enumerate() {
        if restart_every > 0 && at % restart_every == restart_every - 1 {
            let limits = Partition::limits_of(&block).expect("the block is whole");
            block = restart(bytes(&block[..limits.state_lines()]));
        }
        let mut partition = Partition::attach(&mut block).expect("the block is whole");
        partition.apply(raw, &mut ());
        partition.work(100);
        if at % EVERY == EVERY - 1 {
            assert_eq!(partition.state_hash(), partition.rehash(), "kept and worked out anew");
            println!("{} {:016x}", partition.header.position, partition.state_hash());
        }
    }
    let partition = Partition::attach(&mut block).expect("the block is whole");
    println!("{} {:016x}", partition.header.position, partition.state_hash());
}
