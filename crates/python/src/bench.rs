//! The measurements of `huntgraph.bench`: the actor crate's, with results as arrays.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use huntgraph_actor::bench::{self, Identity, Load, Report, Scene, Watch};
use huntgraph_actor::failure::Failure;
use huntgraph_actor::world_file::WorldFile;
use huntgraph_core::Limits;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Numbers by name, and samples in nanoseconds by name.
type Found<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>);

/// What a measurement is made on.
#[pyclass(module = "huntgraph._core", frozen)]
pub struct BenchScene(Scene);

#[pymethods]
impl BenchScene {
    #[new]
    #[pyo3(signature = (world, directory, hunt, traffic, *, players, seconds))]
    fn new(
        world: PathBuf,
        directory: PathBuf,
        hunt: PyReadonlyArray2<u8>,
        traffic: PyReadonlyArray2<u8>,
        players: u32,
        seconds: f64,
    ) -> PyResult<Self> {
        let rows = |array: &PyReadonlyArray2<u8>| {
            let (rows, rest) = array.as_slice()?.as_chunks::<64>();
            if rest.is_empty() {
                Ok(rows.to_vec())
            } else {
                Err(PyValueError::new_err("rows must be 64 bytes each"))
            }
        };
        Ok(Self(Scene {
            world,
            directory,
            hunt: rows(&hunt)?,
            traffic: rows(&traffic)?,
            players,
            time: Duration::from_secs_f64(seconds),
        }))
    }

    /// The core in process.
    fn apply<'py>(&self, py: Python<'py>, watch: Py<PyAny>) -> PyResult<Found<'py>> {
        run(py, watch, |watch| bench::apply(&self.0, watch))
    }

    /// Round trips of one move; an identity is its certificate, key and authority.
    fn roundtrip<'py>(
        &self,
        py: Python<'py>,
        server: [PathBuf; 3],
        client: [PathBuf; 3],
        watch: Py<PyAny>,
    ) -> PyResult<Found<'py>> {
        let (server, client) = (identity(server), identity(client));
        run(py, watch, |watch| bench::roundtrip(&self.0, &server, &client, watch))
    }

    /// Frames at a pace: moves of a frame, moves a second.
    fn frame<'py>(
        &self,
        py: Python<'py>,
        server: [PathBuf; 3],
        client: [PathBuf; 3],
        pace: (usize, u32),
        watch: Py<PyAny>,
    ) -> PyResult<Found<'py>> {
        let (server, client) = (identity(server), identity(client));
        run(py, watch, |watch| bench::frame(&self.0, &server, &client, pace, watch))
    }

    /// A load on an actor's process.
    #[pyo3(signature = (address, client, watch, *, records, rate, in_flight_bytes, idle))]
    #[expect(clippy::too_many_arguments, reason = "named in Python")]
    fn drive<'py>(
        &self,
        py: Python<'py>,
        address: &str,
        client: [PathBuf; 3],
        watch: Py<PyAny>,
        records: usize,
        rate: u32,
        in_flight_bytes: usize,
        idle: &str,
    ) -> PyResult<Found<'py>> {
        let bad = |e: &dyn std::fmt::Display| PyValueError::new_err(e.to_string());
        let address: SocketAddr = address.parse().map_err(|e| bad(&e))?;
        let load =
            Load { records, rate, in_flight_bytes, idle: idle.parse().map_err(|e| bad(&e))? };
        let client = identity(client);
        run(py, watch, |watch| bench::drive(&self.0, address, &client, load, watch))
    }
}

/// Full and resumed handshakes.
#[pyfunction]
pub fn bench_handshake<'py>(
    py: Python<'py>,
    server: [PathBuf; 3],
    client: [PathBuf; 3],
    count: usize,
    watch: Py<PyAny>,
) -> PyResult<Found<'py>> {
    let (server, client) = (identity(server), identity(client));
    run(py, watch, |watch| bench::handshake(&server, &client, count, watch))
}

/// Bare writes and syncs of `size_bytes` in a directory, one each `period_s` or back to back.
#[pyfunction]
pub fn bench_sync_floor<'py>(
    py: Python<'py>,
    directory: PathBuf,
    size_bytes: usize,
    period_s: f64,
    seconds: f64,
    watch: Py<PyAny>,
) -> PyResult<Found<'py>> {
    let times = [period_s, seconds].map(Duration::from_secs_f64);
    run(py, watch, |watch| bench::sync_floor(&directory, size_bytes, times, watch))
}

/// The ring, one writer and a spinning reader, in a file of a directory.
#[pyfunction]
pub fn bench_ring<'py>(
    py: Python<'py>,
    directory: PathBuf,
    seconds: f64,
    watch: Py<PyAny>,
) -> PyResult<Found<'py>> {
    let time = Duration::from_secs_f64(seconds);
    run(py, watch, |watch| bench::ring(&directory, time, watch))
}

/// Round trips of 64 bytes by plain UDP over the loopback, both ends on one spinning thread.
#[pyfunction]
pub fn bench_udp_floor(py: Python<'_>, count: usize, watch: Py<PyAny>) -> PyResult<Found<'_>> {
    run(py, watch, |_| {
        let samples_ns = vec![("udp", bench::udp_round_trips(count)?)];
        Ok(Report { samples_ns, ..Report::default() })
    })
}

/// Bytes of a world's rows in the image, edges' costs, heat and closings included.
#[pyfunction]
#[pyo3(signature = (world, *, any_prices = false))]
pub fn row_bytes(world: PathBuf, any_prices: bool) -> PyResult<usize> {
    let world = WorldFile::open(&world).map_err(|e| PyOSError::new_err(e.to_string()))?;
    let of = if any_prices { Limits::of_any_prices } else { Limits::of };
    Ok(of(&world.view(), 1, 1).row_state_lines() * 64)
}

fn identity([certificate, key, authority]: [PathBuf; 3]) -> Identity {
    Identity { certificate, key, authority }
}

/// Runs a measurement without the interpreter lock; `watch` is called with it now and then, and
/// what it raises ends the measurement.
fn run<'py>(
    py: Python<'py>,
    watch: Py<PyAny>,
    measure: impl Send + FnOnce(Watch) -> Result<Report, Failure>,
) -> PyResult<Found<'py>> {
    let mut raised = None;
    let outcome = py.detach(|| {
        measure(&mut |word| {
            Python::attach(|py| match watch.call1(py, (word,)) {
                Ok(_) => Ok(()),
                Err(error) => {
                    raised = Some(error);
                    Err(Failure::new("HG3031", "stopped by its watcher", "bench", "run it again"))
                }
            })
        })
    });
    match (outcome, raised) {
        (_, Some(error)) => Err(error),
        (Ok(report), None) => found(py, report),
        (Err(failure), None) => Err(PyOSError::new_err(failure.json())),
    }
}

fn found(py: Python<'_>, report: Report) -> PyResult<Found<'_>> {
    let numbers = PyDict::new(py);
    for (name, value) in report.numbers {
        numbers.set_item(name, value)?;
    }
    let samples = PyDict::new(py);
    for (name, values) in report.samples_ns {
        let values: Bound<'_, PyArray1<u64>> = values.into_pyarray(py);
        samples.set_item(name, values)?;
    }
    Ok((numbers, samples))
}
