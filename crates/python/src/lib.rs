//! The private Python module `huntgraph._core`.

use pyo3::prelude::*;

/// The native half of huntgraph; imported by one Python file a package.
#[pymodule]
mod _core {
    use super::*;

    /// CRC-32C (Castagnoli, RFC 3720) of `data`, continuing from `crc`.
    #[pyfunction]
    #[pyo3(signature = (data, crc = 0))]
    fn crc32c(data: pyo3::buffer::PyBuffer<u8>, py: Python<'_>, crc: u32) -> PyResult<u32> {
        let bytes = data.to_vec(py)?;
        Ok(::crc32c::crc32c_append(crc, &bytes))
    }
}
