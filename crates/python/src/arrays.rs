//! Records as NumPy arrays: rows of 64 bytes.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::engine::bad;

/// Records, 64 bytes each.
pub(crate) type Rows<'py> = Bound<'py, PyArray2<u8>>;

/// Any array of 64-byte items as rows of bytes.
pub(crate) fn rows<'py>(records: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, u8>> {
    let flat = match records.getattr("dtype")?.getattr("itemsize")?.extract::<usize>()? {
        64 => records.call_method0("ravel")?.call_method1("view", ("u1",))?,
        1 => records.clone(),
        other => return Err(bad(format!("records must be 64 bytes each, not {other}"))),
    };
    let flat = records.py().import("numpy")?.call_method1("ascontiguousarray", (flat,))?;
    let shaped = flat.call_method1("reshape", ((-1i32, 64i32),))?;
    shaped.extract()
}

/// Bytes of whole records as rows.
pub(crate) fn as_rows<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Rows<'py>> {
    PyArray1::from_slice(py, bytes).reshape([bytes.len() / 64, 64])
}
