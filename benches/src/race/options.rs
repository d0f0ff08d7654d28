//! The command line.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

const HELP: &str = "\
Several programs do the same work, one after the other, against a Redis server that is started for them.

Usage: greenroom-bench race [WORKLOAD ...] [OPTIONS]

Workloads (all of them, unless some are named):
  pops      500 blocking pops at once, all answered nil, beside a cron task
  queue     500 consumers take elements from a list: how long each is on its way, how many a second
  ping      PING on 50 and 500 connections, one at a time and 16 in a pipeline
  shared    500 tasks GET through one connection
  cancel    pops that are given up: 1000 at once, and consumers with deadlines; what is lost
  growth    pops with 100 to 10000 clients: processor time and memory
  exact     instructions and system calls of a pop, counted by valgrind and strace

Options:
      --quick            fewer and shorter runs: about two minutes instead of up to twenty
      --rounds N         measured runs of each program, instead of what the workload has
      --only NAME,NAME   only these programs
      --server PATH      the server's program (redis-server)
      --json FILE        all figures as JSON
      --csv FILE         all figures as CSV
      --html FILE        a page with pictures
      --picture FILE     the main figures as one small SVG
      --from FILE        measure nothing: show anew what an earlier race has written with --json
      --check            with exact and cancel: fail if greenroom is beyond its budgets
      --help             this text

Exit status: 0 done; 1 something failed, or a budget is not met; 2 wrong usage; 130 interrupted.
A program whose tools are not installed does not run, and that is no failure.
";

/// What is asked for on the command line: one or more workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    Pops,
    Queue,
    Ping,
    Shared,
    Cancel,
    Growth,
    Exact,
}

impl Group {
    pub(crate) const ALL: [Group; 7] = [
        Group::Pops,
        Group::Queue,
        Group::Ping,
        Group::Shared,
        Group::Cancel,
        Group::Growth,
        Group::Exact,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Pops => "pops",
            Group::Queue => "queue",
            Group::Ping => "ping",
            Group::Shared => "shared",
            Group::Cancel => "cancel",
            Group::Growth => "growth",
            Group::Exact => "exact",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }
}

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// In the order of [`Group::ALL`].
    pub(crate) groups: Vec<Group>,
    pub(crate) quick: bool,
    pub(crate) rounds: Option<usize>,
    /// All programs, if empty.
    pub(crate) only: Vec<String>,
    pub(crate) server: PathBuf,
    pub(crate) json: Option<PathBuf>,
    pub(crate) csv: Option<PathBuf>,
    pub(crate) html: Option<PathBuf>,
    pub(crate) picture: Option<PathBuf>,
    /// The JSON of an earlier race.
    pub(crate) from: Option<PathBuf>,
    pub(crate) check: bool,
}

/// What there is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Race(Options),
    Help(&'static str),
}

impl Options {
    /// Reads the command line after `race`. `known` are the names of the programs.
    pub(crate) fn parse(
        args: impl IntoIterator<Item = OsString>,
        known: &[&str],
    ) -> Result<Asked, String> {
        let mut args = lexopt::Parser::from_args(args);
        let mut options = Options {
            groups: Vec::new(),
            quick: false,
            rounds: None,
            only: Vec::new(),
            server: "redis-server".into(),
            json: None,
            csv: None,
            html: None,
            picture: None,
            from: None,
            check: false,
        };
        while let Some(arg) = args.next().map_err(told)? {
            match arg {
                Value(name) => options.groups.push(group(&name.to_string_lossy())?),
                Long("quick") => options.quick = true,
                Long("rounds") => options.rounds = Some(rounds(&mut args)?),
                Long("only") => options.only = names(&mut args, known)?,
                Long("server") => options.server = args.value().map_err(told)?.into(),
                Long("json") => options.json = file(&mut args)?,
                Long("csv") => options.csv = file(&mut args)?,
                Long("html") => options.html = file(&mut args)?,
                Long("picture") => options.picture = file(&mut args)?,
                Long("from") => options.from = file(&mut args)?,
                Long("check") => options.check = true,
                Long("help") => return Ok(Asked::Help(HELP)),
                other => {
                    let what = other.unexpected();
                    return Err(format!("{what}; --help lists what there is"));
                }
            }
        }
        options.finish().map(Asked::Race)
    }

    fn finish(mut self) -> Result<Options, String> {
        let named = std::mem::take(&mut self.groups);
        let narrows = !named.is_empty() || self.rounds.is_some() || !self.only.is_empty();
        if self.from.is_some() && (narrows || self.quick) {
            return Err(
                "--from measures nothing: it takes neither workloads nor how to run them".into(),
            );
        }
        let wanted = |group: &Group| named.is_empty() || named.contains(group);
        self.groups = Group::ALL.into_iter().filter(wanted).collect();
        let has_budgets = |group: &Group| matches!(group, Group::Cancel | Group::Exact);
        if self.check && !self.groups.iter().any(has_budgets) {
            return Err("--check is about exact and cancel, which are not asked for".into());
        }
        if self.check && !self.runs("greenroom") {
            return Err("--check is about greenroom, which --only leaves out".into());
        }
        Ok(self)
    }

    /// Whether a program is to run.
    pub(crate) fn runs(&self, program: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == program)
    }
}

fn group(name: &str) -> Result<Group, String> {
    Group::of(name).ok_or_else(|| format!("{name:?} is not a workload; --help lists them"))
}

fn file(args: &mut lexopt::Parser) -> Result<Option<PathBuf>, String> {
    Ok(Some(args.value().map_err(told)?.into()))
}

fn rounds(args: &mut lexopt::Parser) -> Result<usize, String> {
    let text = args.value().map_err(told)?;
    let number = text.to_str().and_then(|text| text.parse().ok());
    number
        .filter(|rounds| (1..=1000).contains(rounds))
        .ok_or_else(|| format!("--rounds: {text:?} is not a number from 1 to 1000"))
}

fn names(args: &mut lexopt::Parser, known: &[&str]) -> Result<Vec<String>, String> {
    let text = args.value().map_err(told)?;
    let text = text.to_string_lossy();
    let names: Vec<String> = text.split(',').map(String::from).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(names),
        Some(name) => Err(format!(
            "--only: {name:?} is not a program; there are {}",
            known.join(", ")
        )),
    }
}

fn told(error: lexopt::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Asked, String> {
        let args = line.split_whitespace().map(OsString::from);
        Options::parse(args, &["greenroom", "threads"])
    }

    fn options(line: &str) -> Options {
        match parse(line) {
            Ok(Asked::Race(options)) => options,
            other => panic!("{line:?}: {other:?}"),
        }
    }

    #[test]
    fn without_a_name_all_workloads_run() {
        assert_eq!(options("").groups, Group::ALL);
        assert_eq!(
            options("shared --quick pops").groups,
            [Group::Pops, Group::Shared]
        );
    }

    #[test]
    fn programs_are_named_with_commas() {
        let options = options("--only threads,greenroom --rounds 3 --html a.html");
        assert!(options.runs("threads") && options.runs("greenroom"));
        assert_eq!(options.rounds, Some(3));
        assert_eq!(options.html, Some("a.html".into()));
        assert!(super::tests::options("").runs("anything"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, what) in [
            ("pong", "\"pong\" is not a workload"),
            ("--rounds 0", "--rounds: \"0\" is not a number"),
            ("--rounds many", "--rounds: \"many\" is not a number"),
            ("--rounds", "missing argument"),
            ("--only greenroom,node", "\"node\" is not a program"),
            ("pops --from a.json", "--from measures nothing"),
            ("--fast", "invalid option '--fast'"),
            ("--quick=yes", "unexpected argument"),
            ("pops --check", "exact and cancel, which are not asked for"),
            ("exact --check --only threads", "which --only leaves out"),
        ] {
            let said = parse(line).unwrap_err();
            assert!(said.contains(what), "{line}: {said}");
        }
    }
}
