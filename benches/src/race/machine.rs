//! Where and with what the race was run.

use super::kernel::field;
use super::tools::{Field, version_of};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Names and what they stand for, in the order in which they are shown.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) lines: Vec<(String, String)>,
}

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// What the programs are made of.
const LIBRARIES: [&str; 5] = ["mio", "tokio", "redis", "fred", "rustis"];

impl Machine {
    pub(crate) fn look(server: &Path, field: &Field) -> Machine {
        let date = chrono::Local::now().format("%-d %B %Y, %H:%M (%:z)");
        let mut lines = vec![
            ("date", date.to_string()),
            ("command", command()),
            ("machine", hardware()),
            ("kernel", read("/proc/sys/kernel/osrelease")),
            ("load before", load()),
            ("server", asked(&server.to_string_lossy())),
            ("rustc", asked("rustc")),
            ("libraries", libraries()),
        ];
        lines.extend(revision().map(|revision| ("revision", revision)));
        let python = field
            .programs
            .iter()
            .find(|program| program.script.is_some());
        lines.extend(python.and_then(|python| Some(("python", packages(&python.path)?))));
        lines.extend(version_of("valgrind").map(|version| ("valgrind", version)));
        lines.extend(version_of("strace").map(|version| ("strace", version)));
        Machine {
            lines: lines
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        }
    }
}

/// The arguments, without the path in front of them, which is not of interest.
fn command() -> String {
    let args: Vec<String> = env::args().skip(1).collect();
    format!(
        "cargo run --release -p greenroom-bench -- {}",
        args.join(" ")
    )
}

fn hardware() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = read("/proc/cpuinfo");
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kib = field(&read("/proc/meminfo"), "MemTotal:").unwrap_or(0.0);
    format!("{model}, {cores} cores, {:.0} GiB", kib / 1024.0 / 1024.0)
}

/// Others that use the machine are in the figures.
fn load() -> String {
    let averages = read("/proc/loadavg");
    let averages: Vec<_> = averages.split(' ').take(3).collect();
    format!("{} (1, 5 and 15 minutes)", averages.join(", "))
}

fn libraries() -> String {
    let lock = fs::read_to_string(Path::new(PACKAGE).join("../Cargo.lock"));
    let lock = lock.unwrap_or_default();
    let versions = LIBRARIES
        .iter()
        .filter_map(|name| Some(format!("{name} {}", locked(&lock, name)?)));
    versions.collect::<Vec<_>>().join(", ")
}

/// The version of a package in `Cargo.lock`: the line after its name.
fn locked<'lock>(lock: &'lock str, name: &str) -> Option<&'lock str> {
    let head = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.split_once(&head)?;
    rest.split('"').next()
}

fn revision() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty"])
        .current_dir(PACKAGE);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

fn packages(python: &Path) -> Option<String> {
    let script = "import sys, gevent, redis; \
                  print('Python', sys.version.split()[0] + ', gevent', gevent.__version__ + ', redis-py', redis.__version__)";
    let output = Command::new(python).args(["-c", script]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().into())
}

fn asked(program: &str) -> String {
    version_of(program).unwrap_or_else(|| "unknown".into())
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock = "[[package]]\nname = \"redis-test\"\nversion = \"2.0.0\"\n\n\
                    [[package]]\nname = \"redis\"\nversion = \"1.8.1\"\nsource = \"x\"\n";
        assert_eq!(locked(lock, "redis"), Some("1.8.1"));
        assert_eq!(locked(lock, "fred"), None);
    }

    #[test]
    fn this_machine_has_something_to_say() {
        assert!(hardware().contains(" cores, "));
        assert!(libraries().contains("tokio "));
    }
}
