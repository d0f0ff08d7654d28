//! What valgrind and strace write.

/// The instructions that callgrind has counted.
pub(crate) fn instructions(callgrind: &str) -> Option<f64> {
    // Which of the two is there depends on the version; with both, they are the same.
    let total = |name| {
        let rest = callgrind
            .lines()
            .find_map(|line: &str| line.strip_prefix(name))?;
        rest.trim().parse().ok()
    };
    total("totals:").or_else(|| total("summary:"))
}

/// The system calls that `strace -c` has counted, all together.
///
/// Columns are under the dashes below their names; counting words would not do, since the column of
/// errors is empty where there are none, and older versions leave another one empty in the last
/// line.
pub(crate) fn system_calls(strace: &str) -> Option<f64> {
    let dashes = strace.lines().find(|line| line.starts_with("---"))?;
    let names = strace
        .lines()
        .find(|line| line.contains("calls") && line.contains("syscall"))?;
    // The names stand at the right of their columns.
    let (start, end) = columns(dashes).find(|&(start, end)| {
        names
            .get(start..end)
            .is_some_and(|name| name.trim() == "calls")
    })?;
    let total = strace
        .lines()
        .rfind(|line| line.trim_end().ends_with(" total"))?;
    total.get(start..end)?.trim().parse().ok()
}

/// Where runs of dashes begin and end. What is in a column may be as wide as its dashes.
fn columns(dashes: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    dashes.split(' ').map(move |run| {
        let start = at;
        at += run.len() + 1;
        (start, start + run.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRACE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 62.33    0.004811           9       507           sendto
 20.01    0.001544           3       500       500 connect
------ ----------- ----------- --------- --------- ----------------
100.00    0.007719           2      3148       502 total
";

    const STRACE_OLD: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
100.00    0.000010           2         5           read
------ ----------- ----------- --------- --------- ----------------
100.00    0.000010                     5           total
";

    #[test]
    fn calls_are_counted_by_strace() {
        assert_eq!(system_calls(STRACE), Some(3148.0));
        assert_eq!(system_calls(STRACE_OLD), Some(5.0));
        assert_eq!(system_calls(""), None);
        assert_eq!(
            system_calls("strace: exec: No such file or directory\n"),
            None
        );
    }

    #[test]
    fn instructions_are_counted_by_callgrind() {
        let file = "version: 1\nevents: Ir\nsummary: 406012\n\nfn=(1)\n1 5\n\ntotals: 406012\n";
        assert_eq!(instructions(file), Some(406_012.0));
        assert_eq!(instructions("summary: 7\n"), Some(7.0));
        assert_eq!(instructions("summary:\n"), None);
        assert_eq!(instructions(""), None);
    }
}
