//! The private Python module `huntgraph._core`.

mod arrays;
mod bench;
mod branch;
mod cells;
mod client;
mod correction;
mod engine;
mod events;
mod log_reader;
mod saved;
mod seen;

use pyo3::prelude::*;

/// The native half of huntgraph; imported by one Python file a package.
#[pymodule]
mod _core {
    use super::*;

    #[pymodule_export]
    use super::bench::{
        BenchScene, bench_handshake, bench_ring, bench_sync_floor, bench_udp_floor, row_bytes,
    };

    #[pymodule_export]
    use super::client::Client;

    #[pymodule_export]
    use super::correction::{correction_rows, hash_after_changes, settable_cells};

    #[pymodule_export]
    use super::engine::Engine;

    #[pymodule_export]
    use super::log_reader::LogReader;

    #[pymodule_export]
    use super::seen::seen_of_all;

    /// A cell's name and word mixed: its part of the state hash (rules, section 8).
    #[pyfunction]
    fn mix(name: u64, word: u64) -> u64 {
        huntgraph_core::mix(name, word)
    }

    /// CRC-32C (Castagnoli, RFC 3720) of `data`, continuing from `crc`.
    ///
    /// `data` is any C-contiguous buffer of bytes, of any shape; it is read in place.
    #[pyfunction]
    #[pyo3(signature = (data, crc = 0))]
    fn crc32c(data: pyo3::buffer::PyBuffer<u8>, py: Python<'_>, crc: u32) -> PyResult<u32> {
        let Some(place) = data.as_slice_ptr() else {
            return Ok(::crc32c::crc32c_append(crc, &data.to_vec(py)?));
        };
        // SAFETY: the pointer is to the buffer's bytes, the buffer outlives the borrow, and the
        // interpreter lock is held throughout, so no Python code writes to it meanwhile.
        let bytes = unsafe { place.as_ref() };
        Ok(::crc32c::crc32c_append(crc, bytes))
    }
}
