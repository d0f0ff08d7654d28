//! The programs in one case, and the table of what they have done.

use super::column::metrics;
use super::measure::{Ended, Run};
use super::options::Group;
use super::plan::Case;
use super::programs::Program;
use super::table::{Row, Shape, Table};

/// A program in a case.
#[derive(Debug)]
pub(crate) struct Racer<'race> {
    pub(crate) program: &'race Program,
    pub(crate) runs: Vec<Run>,
    /// One run takes so long that more are not waited for.
    pub(crate) is_slow: bool,
    out: Option<Out>,
}

/// Why a program does not run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// It does not have this work.
    NotRun(String),
    Failed(String),
}

impl<'race> Racer<'race> {
    pub(crate) fn new(program: &'race Program) -> Racer<'race> {
        Racer {
            program,
            runs: Vec::new(),
            is_slow: false,
            out: None,
        }
    }

    /// Whether it is to run once more.
    pub(crate) fn is_in(&self) -> bool {
        self.out.is_none() && (self.runs.is_empty() || !self.is_slow)
    }

    pub(crate) fn take(&mut self, ended: Ended<Run>) {
        match ended {
            Ended::Ran(run) => self.runs.push(run),
            Ended::NotRun(why) => self.out = Some(Out::NotRun(why)),
            Ended::Failed(why) => self.out = Some(Out::Failed(why)),
        }
    }
}

/// What has come of a case.
pub(crate) fn table(case: &Case, racers: &[Racer]) -> Table {
    let metrics = metrics(&case.work);
    let ran = racers.iter().filter(|racer| racer.out.is_none());
    let row = |racer: &Racer| Row::of_runs(racer.program.name, &metrics, &case.work, &racer.runs);
    let out = racers.iter();
    let out = out.filter_map(|racer| Some((racer.program.name, racer.out.clone()?)));
    Table {
        group: case.group,
        key: case.work.key(),
        title: case.work.title(),
        about: case.work.about(),
        shape: match case.group {
            Group::Growth => Shape::Hidden,
            _ => Shape::Bars,
        },
        rows: ran.map(row).collect(),
        columns: metrics.into_iter().map(|metric| metric.column).collect(),
        notes: notes(out),
    }
    .compare()
}

/// A line for those who do not have the work, one for each that has failed.
pub(crate) fn notes<'out>(out: impl Iterator<Item = (&'out str, Out)>) -> Vec<String> {
    let mut absent = Vec::new();
    let mut notes = Vec::new();
    for (program, out) in out {
        match out {
            Out::NotRun(why) => absent.push(format!("{program} ({why})")),
            Out::Failed(why) => notes.push(format!("{program} failed: {why}")),
        }
    }
    if !absent.is_empty() {
        notes.push(format!("not in it: {}", absent.join(", ")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_in_it_is_told_in_one_line() {
        let out = [
            ("fred", Out::NotRun("a".into())),
            ("threads", Out::Failed("it is ill".into())),
            ("rustis", Out::NotRun("b".into())),
        ];
        assert_eq!(
            notes(out.into_iter()),
            [
                "threads failed: it is ill",
                "not in it: fred (a), rustis (b)"
            ]
        );
    }
}
