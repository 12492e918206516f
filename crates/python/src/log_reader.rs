//! Reading a partition's log, also while its actor writes it.

use std::path::PathBuf;

use huntgraph_actor::disk::RealDisk;
use huntgraph_actor::log::{LogError, LogReader as Reader};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// Records of a log directory in order.
#[pyclass(module = "huntgraph._core")]
pub struct LogReader {
    reader: Reader<RealDisk>,
    /// First and last position that cannot be read, where reading stopped.
    lost: Option<(u64, u64)>,
}

fn failed(error: LogError) -> PyErr {
    PyValueError::new_err(format!("{}: {error}", error.code()))
}

#[pymethods]
impl LogReader {
    /// With `far` no place is taken for the end before all behind it was looked at.
    #[new]
    #[pyo3(signature = (
        directory, *, partition = 0, world_id, first = 1, without = Vec::new(), far = false
    ))]
    fn new(
        directory: PathBuf,
        partition: u16,
        world_id: u64,
        first: u64,
        without: Vec<u64>,
        far: bool,
    ) -> PyResult<Self> {
        let disk = RealDisk::open(&directory)
            .map_err(|e| PyOSError::new_err(format!("{}: {e}", directory.display())))?;
        let mut reader = Reader::open(disk, partition, world_id, first).map_err(failed)?;
        reader.pass_over(without);
        if far {
            reader.look_far();
        }
        Ok(Self { reader, lost: None })
    }

    /// Up to about `count` records, fewer at the end: the first one's position and their rows.
    /// Those that are lost and passed over are 64 zero bytes each. Behind the block of position
    /// `upto` nothing is read.
    #[pyo3(signature = (count = 65_536, upto = u64::MAX))]
    fn read<'py>(
        &mut self,
        py: Python<'py>,
        count: usize,
        upto: u64,
    ) -> PyResult<(u64, Bound<'py, PyArray2<u8>>)> {
        let first = self.reader.next_position();
        let mut bytes: Vec<u8> = Vec::new();
        let reader = &mut self.reader;
        let read = py.detach(|| {
            while bytes.len() < count * 64
                && reader.next_position() <= upto
                && let Some(block) = reader.next_block()?
            {
                let before = (block.first_position - first) as usize * 64;
                bytes.resize(before, 0);
                bytes.extend_from_slice(block.records.as_flattened());
            }
            Ok(())
        });
        if let Err(LogError::Damaged { damage, .. }) = &read {
            self.lost = Some((damage.first_position, damage.last_position));
        }
        // What stands before the damage is given first; the next call stops there again.
        if bytes.is_empty() {
            read.map_err(failed)?;
        }
        let rows = PyArray1::from_slice(py, &bytes).reshape([bytes.len() / 64, 64])?;
        Ok((first, rows))
    }

    /// The first position that is there; 1 where nothing was dropped.
    fn first_position(&mut self) -> PyResult<u64> {
        self.reader.first_position().map_err(failed)
    }

    /// First and last position that cannot be read, where reading stopped at damage.
    #[getter]
    fn lost(&self) -> Option<(u64, u64)> {
        self.lost
    }

    /// The positions of `without` at which reading would have stopped.
    #[getter]
    fn needed(&self) -> Vec<u64> {
        self.reader.needed().to_vec()
    }

    /// The greatest watermark read so far: positions up to it were on disk.
    #[getter]
    fn durable(&self) -> u64 {
        self.reader.durable()
    }
}
