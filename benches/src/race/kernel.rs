//! What the kernel tells about processes and about the network.

use super::Result;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use std::fs;

/// Processor time and context switches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) switches: f64,
}

impl Usage {
    /// Of all children that have ended and were waited for. The difference around one child is that
    /// child's.
    pub(crate) fn of_children() -> Result<Usage> {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let switches = usage.voluntary_context_switches() + usage.involuntary_context_switches();
        Ok(Usage {
            user_s: usage.user_time().num_microseconds() as f64 / 1e6,
            system_s: usage.system_time().num_microseconds() as f64 / 1e6,
            switches: switches as f64,
        })
    }

    pub(crate) fn since(self, before: Usage) -> Usage {
        Usage {
            user_s: self.user_s - before.user_s,
            system_s: self.system_s - before.system_s,
            switches: self.switches - before.switches,
        }
    }
}

/// The most memory that was ever resident, in KiB. (`ru_maxrss` would say it too, but a process
/// begins with that of the one that has started it.)
pub(crate) fn peak_kib(pid: u32) -> Option<f64> {
    field(
        &fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        "VmHWM:",
    )
}

/// The number after a name at the start of a line.
pub(crate) fn field(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Processor time of a process's first thread, in seconds. What `getrusage` tells of children comes
/// only when they end.
pub(crate) fn cpu_s(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let nanos: f64 = stat.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1e9)
}

/// Connection requests that found no room in the backlog of a listener, on the whole machine.
pub(crate) fn dropped() -> Option<f64> {
    counter(
        &fs::read_to_string("/proc/net/netstat").ok()?,
        "ListenDrops",
    )
}

/// A counter of `TcpExt`: two lines, names and numbers in the same order.
fn counter(netstat: &str, name: &str) -> Option<f64> {
    let mut lines = netstat
        .lines()
        .filter_map(|line| line.strip_prefix("TcpExt:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let at = names.split_whitespace().position(|other| other == name)?;
    numbers.split_whitespace().nth(at)?.parse().ok()
}

/// Allows as many open files as the machine lets us; what is started from here inherits it. Returns
/// how many.
pub(crate) fn raise_open_files() -> Result<usize> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    Ok(usize::try_from(most).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETSTAT: &str = "\
TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts
TcpExt: 1 22 33 4
IpExt: InNoRoutes ListenDrops
IpExt: 5 6
";

    #[test]
    fn a_counter_is_found_by_the_place_of_its_name() {
        assert_eq!(counter(NETSTAT, "ListenDrops"), Some(33.0));
        assert_eq!(counter(NETSTAT, "InNoRoutes"), None);
        assert_eq!(counter("", "ListenDrops"), None);
        assert_eq!(
            counter("TcpExt: A ListenDrops\nTcpExt: 1\n", "ListenDrops"),
            None
        );
    }

    #[test]
    fn a_field_is_the_number_after_its_name() {
        let status = "Name:\tredis\nVmPeak:\t  9 kB\nVmHWM:\t    7316 kB\n";
        assert_eq!(field(status, "VmHWM:"), Some(7316.0));
        assert_eq!(field(status, "Name:"), None);
    }

    #[test]
    fn what_a_child_has_used_is_a_difference() {
        let before = Usage::of_children().unwrap();
        let status = std::process::Command::new("true").status().unwrap();
        assert!(status.success());
        let usage = Usage::of_children().unwrap().since(before);
        assert!(usage.user_s + usage.system_s > 0.0, "{usage:?}");
        assert!(peak_kib(std::process::id()).unwrap() > 100.0);
        assert!(cpu_s(std::process::id()).is_none_or(|seconds| seconds > 0.0));
    }
}
