//! The process's own resident memory, read again and again without allocating.

use std::io;

use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};

/// `/proc/self/statm`, open.
#[derive(Debug)]
pub struct Resident {
    statm: OwnedFd,
    page_bytes: u64,
}

impl Resident {
    /// Opens the file of this process.
    ///
    /// # Errors
    /// The system's error where `/proc` is not mounted.
    pub fn open() -> io::Result<Self> {
        let statm = fs::open("/proc/self/statm", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        // SAFETY: a plain number for a plain number. Asked of the C library, because rustix finds
        // it out in a way that ends a program under valgrind.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        Ok(Self { statm, page_bytes: page_bytes.unsigned_abs() })
    }

    /// Bytes resident now, 0 when the system does not tell.
    pub fn bytes(&self) -> u64 {
        let mut text = [0; 128];
        let length = rustix::io::pread(&self.statm, &mut text, 0).unwrap_or(0);
        second_number(&text[..length]).saturating_mul(self.page_bytes)
    }
}

/// The second of some numbers with spaces between them; 0 when there is none.
fn second_number(text: &[u8]) -> u64 {
    let word = text.split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    str::from_utf8(word).ok().and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_what_is_touched() {
        let resident = Resident::open().expect("this process has a statm");
        let before = resident.bytes();
        assert!(before > 64 << 10, "{before}");
        let touched = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(resident.bytes() >= before + (60 << 20), "{} bytes touched", touched.len());
    }

    #[test]
    fn what_is_no_number_counts_as_nothing() {
        assert_eq!(second_number(b"12 345 6\n"), 345);
        assert_eq!([second_number(b""), second_number(b"12"), second_number(b"1 x")], [0; 3]);
    }
}
