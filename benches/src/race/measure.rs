//! One run of one program, and what it has cost.

use super::beside::Beside;
use super::kernel::{self, Usage};
use super::plan::Work;
use super::process::{Interrupt, Process};
use super::server::Server;
use super::{Result, programs};
use jzon::JsonValue;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a program is looked at while it runs. What its memory grows by after the last look is
/// not seen.
const LOOK: Duration = Duration::from_millis(5);

/// The longest run takes some seconds. Under valgrind, a few times that.
const TIME_MAX: Duration = Duration::from_secs(120);

/// The exit status of a program that does not have a workload.
const NOT_RUN: i32 = 3;

/// What was seen of one run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) switches: f64,
    pub(crate) peak_kib: f64,
    /// Connects that the kernel has dropped because the server's backlog was full.
    pub(crate) dropped: f64,
    /// Processor time of the server.
    pub(crate) server_s: Option<f64>,
    /// What the program says.
    pub(crate) json: JsonValue,
}

impl Run {
    /// A number that the program says.
    pub(crate) fn said(&self, key: &str) -> Option<f64> {
        self.json[key].as_f64()
    }
}

/// How a run has ended.
#[derive(Debug)]
pub(crate) enum Ended<T> {
    Ran(T),
    /// The program does not do this, and why.
    NotRun(String),
    Failed(String),
}

/// Runs programs, one at a time: what `getrusage` tells of children cannot be told apart.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) interrupt: Interrupt,
    /// For what the programs write. To files, since nobody reads while they run.
    pub(crate) folder: PathBuf,
}

impl Meter {
    /// One run, with the server prepared for it and left in peace after it.
    pub(crate) fn run(
        &self,
        program: &programs::Program,
        work: &Work,
        server: &mut Server,
    ) -> Result<Ended<Run>> {
        let place = server.next(work.connections())?;
        let Some(mut command) = program.command(work, place) else {
            return Ok(Ended::NotRun("it has ping only".into()));
        };
        prepare(work, server)?;
        let before = Before::now(server)?;
        let mut beside = Beside::new(work, server);
        let mut peak_kib = 0.0;
        let ended = self.watch(&mut command, Some(&mut beside), |pid| {
            peak_kib = kernel::peak_kib(pid).unwrap_or(peak_kib);
        })?;
        let mut ended = match ended {
            Ended::Ran(said) => match program.result(work, &said) {
                Ok(json) => Ended::Ran(before.until_now(server, peak_kib, json)?),
                Err(why) => Ended::Failed(why),
            },
            Ended::NotRun(why) => Ended::NotRun(why),
            Ended::Failed(why) => Ended::Failed(why),
        };
        server.settle()?;
        if let Ended::Ran(run) = &mut ended
            && let Err(why) = beside.account(&mut run.json)
        {
            ended = Ended::Failed(why);
        }
        Ok(ended)
    }

    /// Starts a program, looks at it until it ends, and returns what it has written.
    pub(crate) fn watch(
        &self,
        command: &mut Command,
        mut beside: Option<&mut Beside>,
        mut look: impl FnMut(u32),
    ) -> Result<Ended<String>> {
        let (stdout, stderr) = (self.folder.join("stdout"), self.folder.join("stderr"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&stdout)?)
            .stderr(File::create(&stderr)?);
        let begin = Instant::now();
        let mut process = Process::start(command)?;
        let status = loop {
            look(process.id());
            if let Some(status) = process.0.try_wait()? {
                break status;
            }
            self.interrupt.check()?;
            if begin.elapsed() > TIME_MAX {
                let why = format!("it has not ended within {TIME_MAX:?}");
                return Ok(Ended::Failed(why));
            }
            let waiting = beside.as_mut().filter(|beside| beside.waits());
            if let Some(beside) = waiting.filter(|_| is_ready(&stderr)) {
                beside.start();
            }
            sleep(LOOK);
        };
        // One that has failed has not taken what is pushed, and then pushing need not have an end
        // either.
        if let Some(beside) = beside.filter(|_| status.success()) {
            beside.finish()?;
        }
        ended(
            status,
            &fs::read_to_string(&stdout)?,
            &fs::read_to_string(&stderr)?,
        )
    }
}

/// What is different after a run.
struct Before {
    usage: Usage,
    dropped: Option<f64>,
    server_s: Option<f64>,
}

impl Before {
    fn now(server: &Server) -> Result<Before> {
        Ok(Before {
            usage: Usage::of_children()?,
            dropped: kernel::dropped(),
            server_s: kernel::cpu_s(server.id()),
        })
    }

    fn until_now(self, server: &Server, peak_kib: f64, json: JsonValue) -> Result<Run> {
        let after = Before::now(server)?;
        let usage = after.usage.since(self.usage);
        let grown = |after: Option<f64>, before: Option<f64>| Some(after? - before?);
        Ok(Run {
            user_s: usage.user_s,
            system_s: usage.system_s,
            switches: usage.switches,
            peak_kib,
            dropped: grown(after.dropped, self.dropped).unwrap_or(0.0),
            server_s: grown(after.server_s, self.server_s),
            json,
        })
    }
}

/// What has to be in the server before a run.
fn prepare(work: &Work, server: &Server) -> Result<()> {
    let mut side = server.side()?;
    side.ask(&["FLUSHALL"])?;
    match *work {
        Work::Drain { elements } => fill(&mut side, elements),
        Work::Shared { .. } => side.ask(&["SET", "key", "value"]).map(drop),
        _ => Ok(()),
    }
}

fn fill(side: &mut super::raw::Raw, elements: usize) -> Result<()> {
    let numbers: Vec<String> = (0..elements).map(|number| number.to_string()).collect();
    for numbers in numbers.chunks(1000) {
        let mut push = vec!["LPUSH", "queue"];
        push.extend(numbers.iter().map(String::as_str));
        side.ask(&push)?;
    }
    Ok(())
}

fn is_ready(stderr: &Path) -> bool {
    fs::read_to_string(stderr).is_ok_and(|text| text.lines().any(|line| line == "ready"))
}

fn ended(status: ExitStatus, stdout: &str, stderr: &str) -> Result<Ended<String>> {
    Ok(match status.code() {
        Some(0) => Ended::Ran(stdout.into()),
        Some(NOT_RUN) => Ended::NotRun(reason(stderr).into()),
        _ => Ended::Failed(format!("{} ({status})", last(stderr))),
    })
}

/// `NAME does not run WORKLOAD: why`; a tool may write more behind it.
fn reason(stderr: &str) -> &str {
    let line = stderr.lines().find(|line| line.contains("does not run"));
    let line = line.unwrap_or_else(|| last(stderr));
    line.split_once(": ").map_or(line, |(_, why)| why)
}

fn last(stderr: &str) -> &str {
    let line = stderr.lines().rfind(|line| !line.trim().is_empty());
    line.unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_why_it_does_not_run() {
        let said =
            "==7== Callgrind\nfred does not run pops: it has one connection\n==7== I refs: 1\n";
        assert_eq!(reason(said), "it has one connection");
        assert_eq!(last(said), "==7== I refs: 1");
        assert_eq!(reason("\n"), "it does not say why");
    }
}
