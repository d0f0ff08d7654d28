//! Figures that repeat: instructions and system calls of a pop.
//!
//! A program's own start is in every count, so each is taken with few and with many clients, and
//! the difference is divided by the difference of clients. Both tools slow a program down by so
//! much that times mean nothing; instructions do not change, and system calls only where they wait
//! for many things at once: a slow program waits less often.

use super::column::{Better, Column, Shown};
use super::measure::{Ended, Meter};
use super::options::Group;
use super::plan::Work;
use super::programs::{Kind, Program};
use super::server::Server;
use super::table::{FIRST, Row, Shape, Table};
use super::{Result, tools, traces};

const FEW: usize = 100;
const MANY: usize = 600;

/// Whose figures a quick race shows: greenroom's, and its neighbour's.
pub(crate) const QUICK: [&str; 2] = ["greenroom", "tokio_raw"];

/// What greenroom may need for a pop.
struct Budget {
    key: &'static str,
    at_most: f64,
}

/// Who lowers a figure lowers its budget too.
const BUDGETS: [Budget; 2] = [
    Budget {
        key: "instructions",
        // The answer to `CLIENT ID` is a part of it: see docs/measurements.md.
        at_most: 4_550.0,
    },
    Budget {
        key: "system_calls",
        at_most: 7.2,
    },
];

/// A figure may be above its budget by so much: other versions of the compiler and of libc differ
/// by a little.
const TOLERANCE: f64 = 0.03;

/// What counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    Valgrind,
    Strace,
}

impl Tool {
    pub(crate) const ALL: [Tool; 2] = [Tool::Valgrind, Tool::Strace];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Tool::Valgrind => "valgrind",
            Tool::Strace => "strace",
        }
    }

    pub(crate) fn is_installed(self) -> bool {
        tools::version_of(self.name()).is_some()
    }

    fn column(self) -> Column {
        let (key, title) = match self {
            Tool::Valgrind => ("instructions", "Instructions a pop"),
            Tool::Strace => ("system_calls", "System calls a pop"),
        };
        Column::new(key, title, "", Better::Less, Shown::Picture)
    }

    /// Its command line, before the program's.
    fn args(self, file: &str) -> Vec<String> {
        let args = match self {
            // As many threads as the program with one for each connection has, and main.
            Tool::Valgrind => vec![
                "--tool=callgrind".into(),
                "--max-threads=2000".into(),
                format!("--callgrind-out-file={file}"),
            ],
            Tool::Strace => vec!["-f".into(), "-c".into(), "-o".into(), file.into()],
        };
        [vec![self.name().to_string()], args].concat()
    }

    fn count(self, text: &str) -> Option<f64> {
        match self {
            Tool::Valgrind => traces::instructions(text),
            Tool::Strace => traces::system_calls(text),
        }
    }
}

/// Whether a program is one whose instructions are its own, and not an interpreter's.
pub(crate) fn counts(program: &Program) -> bool {
    matches!(program.kind, Kind::Rust | Kind::C)
}

/// Counts once, and says how much it is for a pop.
pub(crate) fn a_pop(
    tool: Tool,
    program: &Program,
    server: &mut Server,
    meter: &Meter,
) -> Result<Ended<f64>> {
    let mut counts = [0.0; 2];
    for (count, clients) in counts.iter_mut().zip([FEW, MANY]) {
        let work = Work::Pops { clients };
        let file = meter.folder.join("count");
        let args = tool.args(&file.to_string_lossy());
        let place = server.next(work.connections())?;
        let Some(mut command) = program.command_under(&args, &work, place) else {
            return Ok(Ended::NotRun("it has ping only".into()));
        };
        let ended = meter.watch(&mut command, None, |_| ())?;
        server.settle()?;
        *count = match ended {
            Ended::Ran(said) => {
                if let Err(why) = program.result(&work, &said) {
                    return Ok(Ended::Failed(why));
                }
                let text = std::fs::read_to_string(&file)?;
                let what = || format!("{} has not written a total", tool.name());
                tool.count(&text).ok_or_else(what)?
            }
            Ended::NotRun(why) => return Ok(Ended::NotRun(why)),
            Ended::Failed(why) => return Ok(Ended::Failed(why)),
        };
    }
    Ok(Ended::Ran((counts[1] - counts[0]) / (MANY - FEW) as f64))
}

/// The table of what was counted. Each row has a list of samples for each tool.
pub(crate) fn table(tools: &[Tool], rows: Vec<Row>, notes: Vec<String>) -> Table {
    let about = format!(
        "Counted with {FEW} and with {MANY} clients; the difference, divided by {}. Instructions are those of the \
         program, without the kernel's.",
        MANY - FEW,
    );
    Table {
        group: Group::Exact,
        key: "exact".into(),
        title: "What a pop takes".into(),
        about,
        shape: Shape::Bars,
        columns: tools.iter().map(|tool| tool.column()).collect(),
        rows,
        notes,
    }
    .compare()
}

/// Compares greenroom with its budgets: a line for each, and whether all are met.
pub(crate) fn check(table: &Table) -> (Vec<String>, bool) {
    compare(table, &BUDGETS)
}

fn compare(table: &Table, budgets: &[Budget]) -> (Vec<String>, bool) {
    let mut is_met = true;
    let lines = budgets.iter().map(|budget| {
        let Budget { key, at_most } = budget;
        let cells = table.row(FIRST).map(|row| row.cells.as_slice());
        let cell = table
            .at(key)
            .zip(cells)
            .and_then(|(at, cells)| cells.get(at));
        // What was not measured is not met: on the machine that guards the project, it has to be.
        let Some(spread) = cell.and_then(|cell| cell.spread) else {
            is_met = false;
            return format!("{key}: not measured, so the budget of {at_most} is not met");
        };
        let is_over = spread.median > at_most * (1.0 + TOLERANCE);
        is_met &= !is_over;
        let verdict = if is_over { "is not met" } else { "is met" };
        let tolerance = 100.0 * TOLERANCE;
        format!(
            "{key}: {:.1} a pop; the budget of {at_most} (and {tolerance} %) {verdict}",
            spread.median
        )
    });
    (lines.collect(), is_met)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not those of greenroom, which are lowered from time to time.
    const BUDGETS: [Budget; 2] = [
        Budget {
            key: "instructions",
            at_most: 2_000.0,
        },
        Budget {
            key: "system_calls",
            at_most: 7.0,
        },
    ];

    fn checked(instructions: f64, calls: &[f64]) -> (Vec<String>, bool) {
        let row = Row::new(FIRST, vec![vec![instructions], calls.to_vec()]);
        compare(&table(&Tool::ALL, vec![row], Vec::new()), &BUDGETS)
    }

    #[test]
    fn a_budget_may_be_exceeded_by_a_little() {
        assert!(checked(1_900.0, &[6.3]).1);
        assert!(checked(2_050.0, &[7.2]).1);
        let (lines, is_met) = checked(2_100.0, &[6.3]);
        assert!(!is_met);
        assert_eq!(
            lines[0],
            "instructions: 2100.0 a pop; the budget of 2000 (and 3 %) is not met"
        );
        assert!(!checked(1_900.0, &[7.3]).1);
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!checked(1_900.0, &[]).1);
        let only = table(
            &[Tool::Strace],
            vec![Row::new(FIRST, vec![vec![6.0]])],
            Vec::new(),
        );
        assert!(!compare(&only, &BUDGETS).1);
        let nobody = table(&Tool::ALL, Vec::new(), Vec::new());
        assert!(!compare(&nobody, &BUDGETS).1);
    }
}
