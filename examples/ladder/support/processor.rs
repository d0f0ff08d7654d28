//! How long a thread has had a processor.

use std::fs;
use std::time::Duration;

/// The time that this thread has run so far, its system calls included; the other threads do not count. Zero where the kernel
/// does not tell.
pub(crate) fn time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next();
    Duration::from_nanos(nanos.and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}
