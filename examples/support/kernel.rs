//! What the kernel says about this process. Numbers that it does not tell are 0.

use std::fs;

/// Operating system threads, counted by the kernel and not by a runtime that may not know them all.
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// The most memory that was ever resident, in KiB.
pub(crate) fn peak_resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
