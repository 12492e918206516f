//! `hunt-graph`: the process that owns one partition.

fn main() {}
