//! Who comes first on a core: the threads that moves wait for.

/// Least of the real-time priorities. Whoever lets moves go on has a higher one.
const FIRST: libc::c_int = 1;

/// While this lives a thread comes before all that have no real-time priority.
#[derive(Debug)]
pub struct First {
    tid: i32,
}

impl First {
    /// Puts a thread of this process first; `None` where that is not allowed, and when the thread
    /// has another policy than the usual one already.
    pub fn put(tid: i32) -> Option<Self> {
        // SAFETY: no memory is involved.
        let usual = unsafe { libc::sched_getscheduler(tid) } == libc::SCHED_OTHER;
        (usual && schedule(tid, libc::SCHED_FIFO, FIRST)).then_some(Self { tid })
    }
}

impl Drop for First {
    fn drop(&mut self) {
        schedule(self.tid, libc::SCHED_OTHER, 0);
    }
}

/// Gives a thread a policy and a priority; whether that was allowed, and the thread still there.
fn schedule(tid: i32, policy: libc::c_int, priority: libc::c_int) -> bool {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: the kernel reads one `sched_param` from where it is told.
    unsafe { libc::sched_setscheduler(tid, policy, &raw const param) == 0 }
}

#[cfg(test)]
mod tests {
    use super::First;

    fn policy() -> i32 {
        // SAFETY: no memory is involved.
        unsafe { libc::sched_getscheduler(0) }
    }

    #[test]
    fn a_thread_comes_first_for_a_while_only() {
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        if let Some(first) = First::put(tid) {
            assert_eq!(policy(), libc::SCHED_FIFO);
            assert!(First::put(tid).is_none(), "it does so already");
            drop(first);
        }
        assert_eq!(policy(), libc::SCHED_OTHER);
    }
}
