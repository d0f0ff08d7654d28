//! Whether the process may have as many connections as it was asked for: each is an open file.

/// Descriptors besides those of blocking commands: standard streams, epoll, the signals' sockets, the shared
/// connection, and the listener of the embedded server.
const OTHER_FILES: u64 = 16;

/// The ends of each connection that are open files of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    Ours,
    Both,
}

/// Whether there may be `count` connections, as `flag` has asked for.
pub(crate) fn check(flag: &str, count: usize, ends: Ends) -> Result<(), String> {
    let (each, why) = match ends {
        Ends::Ours => (1, ""),
        Ends::Both => (2, " (with the embedded server, two each)"),
    };
    let needed = (count as u64).saturating_mul(each);
    let needed = needed.saturating_add(OTHER_FILES);
    let limit = rlimit::Resource::NOFILE.get_soft().unwrap_or(u64::MAX);
    if needed > limit {
        return Err(format!(
            "{flag} {count} needs {needed} open files{why}, and the limit is {limit}: \
             run `ulimit -n {needed}` first, or ask for fewer"
        ));
    }
    Ok(())
}
