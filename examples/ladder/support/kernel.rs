//! What the kernel says about this process and its threads. What it does not tell is 0.

use std::fs;

/// A number of `/proc/self/status`: `Threads`; `VmRSS`, the memory that is resident, or `VmSize`, the addresses that are taken,
/// both in KiB.
pub(crate) fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let fields = status.lines().filter_map(|line| line.split_once(':'));
    let text = fields
        .filter(|(field, _)| *field == name)
        .find_map(|(_, text)| text.split_whitespace().next());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}
