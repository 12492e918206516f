//! The QUIC client for Python: batches in, batches out, a descriptor to wait for.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use huntgraph_actor::client::{Client as Native, LinkEvent, Options, Taken};
use huntgraph_actor::failure::Failure;
use huntgraph_actor::quic::{ClientFiles, IdentityFiles};
use numpy::PyReadonlyArray2;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::arrays::{Rows, as_rows};

/// How long `close` waits for the thread.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// What `take` gives: updates, receipts, the durable position, events.
type Batch<'py> = (Rows<'py>, Rows<'py>, u64, Vec<Py<PyAny>>);

/// A link to one partition, with a thread of its own; `huntgraph.client` makes it awaitable.
#[pyclass(module = "huntgraph._core", frozen)]
pub struct Client {
    /// None in a forked child, where the thread does not exist.
    native: Mutex<Option<Native>>,
    taken: Mutex<Taken>,
    fd: i32,
    pid: u32,
}

/// The package's own error, with its four parts.
fn link_error(py: Python<'_>, failure: &Failure) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let fields = PyDict::new(py);
        fields.set_item("where", &failure.location)?;
        fields.set_item("fix", failure.fix)?;
        fields.set_item("code", failure.code)?;
        let class = py.import("huntgraph.errors")?.getattr("LinkError")?;
        let error = class.call((&failure.what,), Some(&fields))?;
        Ok(PyErr::from_value(error))
    };
    raised().unwrap_or_else(|error| error)
}

/// Any array of 64-byte records as rows of bytes.
fn rows<'py>(records: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, u8>> {
    let py = records.py();
    let flat = py.import("numpy")?.call_method1("ascontiguousarray", (records,))?;
    let item_bytes: usize = flat.getattr("dtype")?.getattr("itemsize")?.extract()?;
    if item_bytes != 64 && item_bytes != 1 {
        let what = format!("records must be 64 bytes each, not {item_bytes}");
        return Err(PyValueError::new_err(what));
    }
    let bytes = flat.call_method1("reshape", (-1i32,))?.call_method1("view", ("u1",))?;
    let shaped = bytes.call_method1("reshape", ((-1i32, 64i32),))?;
    shaped.extract()
}

fn event(py: Python<'_>, event: LinkEvent) -> PyResult<Py<PyAny>> {
    let tuple = match event {
        LinkEvent::Connected { welcome, connection } => {
            let welcome = PyBytes::new(py, &welcome.encode());
            ("connected", connection, welcome).into_pyobject(py)?.into_any()
        }
        LinkEvent::Lost { reason } => ("lost", reason).into_pyobject(py)?.into_any(),
        LinkEvent::Draining => ("draining",).into_pyobject(py)?.into_any(),
        LinkEvent::Drained { durable } => ("drained", durable).into_pyobject(py)?.into_any(),
        LinkEvent::Revised { number, update } => {
            let update = PyBytes::new(py, &update);
            ("revised", number, update).into_pyobject(py)?.into_any()
        }
        LinkEvent::Failed(f) => {
            ("failed", f.code, f.what, f.location, f.fix).into_pyobject(py)?.into_any()
        }
        LinkEvent::Missed { count } => ("missed", count).into_pyobject(py)?.into_any(),
    };
    Ok(tuple.unbind())
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (
        address, server_name, certificate, key, authority, *, partition = 0, world_id = 0,
        capacity = 65_536, client_id = 0, give_up_ms = 0
    ))]
    #[expect(clippy::too_many_arguments, reason = "named arguments in Python, five of them")]
    fn new(
        py: Python<'_>,
        address: &str,
        server_name: &str,
        certificate: PathBuf,
        key: PathBuf,
        authority: PathBuf,
        partition: u16,
        world_id: u64,
        capacity: usize,
        client_id: u64,
        give_up_ms: u64,
    ) -> PyResult<Self> {
        let address: SocketAddr = address
            .parse()
            .map_err(|_| PyValueError::new_err(format!("no address with a port: {address}")))?;
        let files = ClientFiles {
            identity: Some(IdentityFiles { certificate_chain: certificate, private_key: key }),
            authority,
        };
        let options = Options {
            partition,
            world_id,
            client_id,
            capacity,
            give_up_ms,
            ..Options::new(address, server_name, files)
        };
        let native =
            py.detach(|| Native::start(options)).map_err(|failure| link_error(py, &failure))?;
        Ok(Self {
            fd: native.fd().as_raw_fd(),
            native: Mutex::new(Some(native)),
            taken: Mutex::default(),
            pid: std::process::id(),
        })
    }

    /// Takes in moves, shape (n, 64) or (n,) of 64 bytes; gives the first one's number and how
    /// many were taken in: fewer than given when the window is full.
    fn send(&self, moves: &Bound<'_, PyAny>) -> PyResult<(u64, usize)> {
        let py = moves.py();
        let records = rows(moves)?;
        let records = records.as_slice()?.as_chunks::<64>().0;
        let sent = self.with(py, |native| native.send(records))?;
        sent.map(|sent| (sent.first, sent.accepted)).map_err(|failure| link_error(py, &failure))
    }

    /// What has come since the last call: updates, receipts, the durable position, events.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Batch<'py>> {
        // The buffers are borrowed for the call: no lock is held where Python may run.
        let mut taken = self.with(py, |native| {
            let mut taken = std::mem::take(&mut *lock(&self.taken));
            native.take(&mut taken);
            taken
        })?;
        let events = taken.events.drain(..).map(|each| event(py, each));
        let batch = (
            as_rows(py, &taken.updates)?,
            as_rows(py, &taken.receipts)?,
            taken.durable,
            events.collect::<PyResult<_>>()?,
        );
        *lock(&self.taken) = taken;
        Ok(batch)
    }

    /// A descriptor that is readable while there is something to take.
    #[getter]
    fn fd(&self, py: Python<'_>) -> PyResult<i32> {
        self.with(py, |_| self.fd)
    }

    /// Counts since the start, by name.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = self.with(py, |native| native.statistics())?;
        let named = [
            ("moves", counts.moves),
            ("sent", counts.sent),
            ("repeated", counts.repeated),
            ("answered", counts.answered),
            ("swallowed", counts.swallowed),
            ("put_off", counts.put_off),
            ("revised", counts.revised),
            ("used", counts.used),
            ("unsettled", counts.unsettled),
            ("in_flight", counts.in_flight),
            ("attempts", counts.attempts),
            ("connections", counts.connections),
            ("frames", counts.frames),
            ("epoch", counts.epoch),
            ("durable", counts.durable),
        ];
        let dict = PyDict::new(py);
        for (name, value) in named {
            dict.set_item(name, value)?;
        }
        Ok(dict)
    }

    /// Whether a welcomed connection is open, and why the last one or the last attempt ended.
    fn standing(&self, py: Python<'_>) -> PyResult<(bool, String)> {
        self.with(py, |native| native.standing())
    }

    /// Takes no more moves; the event `drained` comes when all are durable.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |native| native.drain())
    }

    /// Ends the link and its thread; false when the thread did not end in time. The descriptor is
    /// closed with it.
    fn close(&self, py: Python<'_>) -> PyResult<bool> {
        if self.pid != std::process::id() {
            return Ok(true);
        }
        py.detach(|| {
            let mut place = lock(&self.native);
            let ended = place.as_mut().is_none_or(|native| native.close(CLOSE_LIMIT));
            if ended {
                *place = None;
            }
            Ok(ended)
        })
    }
}

impl Client {
    /// Does something with the client outside the interpreter's lock.
    fn with<T: Send>(&self, py: Python<'_>, act: impl FnOnce(&Native) -> T + Send) -> PyResult<T> {
        if self.pid != std::process::id() {
            return Err(PyRuntimeError::new_err(
                "this link belongs to the process that was forked: connect anew in this one",
            ));
        }
        py.detach(|| lock(&self.native).as_ref().map(act)).ok_or_else(|| {
            let fix = "connect anew";
            link_error(py, &Failure::new("HG1306", "the link is closed", "", fix))
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // In a forked child the thread does not exist and its lock may be held for ever.
        if self.pid != std::process::id()
            && let Ok(place) = self.native.get_mut()
        {
            std::mem::forget(place.take());
        }
    }
}

/// A panic between two moves of the guarded value is impossible: it is only replaced or called.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
