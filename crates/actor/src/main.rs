//! `hunt-graph`: the process that owns one partition.

use std::process::ExitCode;

use huntgraph_actor::allocations::Counting;
use huntgraph_actor::serve::{parse, run};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let outcome = parse(lexopt::Parser::from_env()).and_then(run);
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{}", failure.json());
    if failure.code == "HG3000" { ExitCode::from(2) } else { ExitCode::FAILURE }
}
