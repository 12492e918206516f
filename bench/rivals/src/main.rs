//! Other buses and QUIC stacks, measured as huntgraph's own are; `huntgraph bench` starts it.
//!
//! ```text
//! rivals bus NAME SECONDS FOLDER
//! rivals quinn SECONDS FOLDER CERTIFICATE KEY AUTHORITY
//! ```
//! Prints one `name value` a line; samples go to `FOLDER/NAME.u64`, little-endian nanoseconds.

mod bus;
mod quic;

use std::fs;
use std::path::Path;
use std::time::Duration;

use huntgraph_actor::bench::{Report, failure, measure_bus};
use huntgraph_actor::failure::Failure;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = measure(&words).and_then(|(report, folder)| write(&report, Path::new(folder)));
    if let Err(failure) = done {
        eprintln!("{}", failure.json());
        std::process::exit(1);
    }
}

fn measure<'a>(words: &[&'a str]) -> Result<(Report, &'a str), Failure> {
    match *words {
        ["bus", name, seconds, folder] => {
            let report = measure_bus(&mut *bus::named(name)?, time(seconds)?, &mut |_| Ok(()))?;
            Ok((report, folder))
        }
        ["quinn", seconds, folder, certificate, key, authority] => {
            let files = [certificate, key, authority].map(Path::new);
            let report = quic::measure(files, time(seconds)?);
            Ok((report.map_err(|e| failure(e, "quinn"))?, folder))
        }
        _ => Err(failure("wrong arguments", "rivals")),
    }
}

fn time(seconds: &str) -> Result<Duration, Failure> {
    let seconds = seconds.parse().map_err(|e| failure(e, "the argument SECONDS"))?;
    Duration::try_from_secs_f64(seconds).map_err(|e| failure(e, "the argument SECONDS"))
}

fn write(report: &Report, folder: &Path) -> Result<(), Failure> {
    for (name, value) in &report.numbers {
        println!("{name} {value}");
    }
    for (name, samples) in &report.samples_ns {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let path = folder.join(format!("{name}.u64"));
        fs::write(&path, bytes).map_err(|e| failure(e, path.display()))?;
    }
    Ok(())
}
