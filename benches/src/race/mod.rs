//! A race: several programs do the same work against the same server, and are measured from
//! outside.
//!
//! **One at a time.** A program has the machine to itself and the server, as far as others on the
//! machine let it. Programs take turns: each round has one run of each, and begins with another
//! one, so that what changes in the course of time meets all of them. The median of the rounds
//! counts; the smallest and the largest are shown beside it.
//!
//! **From outside.** Processor time and context switches are what the kernel says of a child that
//! has ended; memory is the peak that it says while the child runs; connects that were lost are
//! what it counts meanwhile. Only what cannot be seen from outside, how long elements are on their
//! way and how late a cron task is, says the program.
//!
//! **What is missing is no failure.** A program whose tools are not installed is named, and the
//! race goes on.

mod bars;
mod beside;
mod cancel;
mod case;
mod column;
mod earlier;
mod exact;
mod feed;
mod files;
mod findings;
mod growth;
mod kernel;
mod lines;
mod machine;
mod measure;
mod options;
mod page;
mod picture;
mod plan;
mod process;
mod programs;
mod progress;
mod raw;
mod report;
mod runner;
mod server;
mod statistics;
mod svg;
mod table;
mod text;
mod tools;
mod traces;
mod watch;

use machine::Machine;
use measure::Meter;
use options::{Asked, Group, Options};
use process::{Interrupt, Interrupted};
use report::Report;
use runner::Runner;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The exit status for wrong usage.
pub(crate) const MISUSED: u8 = 2;

/// The exit status after Ctrl-C: 128 and the number of SIGINT, as a shell tells it.
const INTERRUPTED: u8 = 130;

/// Does what the command line says.
pub(crate) fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(args, &programs::NAMES) {
        Ok(Asked::Race(options)) => options,
        Ok(Asked::Help(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            // What was typed may hold a line break, and this is to be one line.
            eprintln!("race: {}", message.replace(char::is_control, " "));
            return ExitCode::from(MISUSED);
        }
    };
    match race(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("race: {error}");
            ExitCode::from(match error.is::<Interrupted>() {
                true => INTERRUPTED,
                false => 1,
            })
        }
    }
}

/// False when a budget is not met.
fn race(options: &Options) -> Result<bool> {
    let report = match &options.from {
        Some(path) => earlier(path)?,
        None => measure(options)?,
    };
    for line in report.not_run() {
        println!("{line}");
    }
    write(options, &report)?;
    Ok(!options.check || check(&options.groups, &report))
}

/// Shows what an earlier race has found.
fn earlier(path: &Path) -> Result<Report> {
    let named = |error: Error| format!("{}: {error}", path.display());
    let text = fs::read_to_string(path).map_err(|error| named(error.into()))?;
    let report = earlier::report(&text).map_err(named)?;
    let tables: String = report.tables.iter().map(text::table).collect();
    // Whoever reads only the beginning is no reason to panic.
    io::stdout().write_all((text::machine(&report.machine) + &tables).as_bytes())?;
    Ok(report)
}

/// Tables are printed as soon as they are complete.
fn measure(options: &Options) -> Result<Report> {
    if cfg!(debug_assertions) {
        return Err("only optimized programs are worth measuring: cargo run --release".into());
    }
    let interrupt = Interrupt::install()?;
    let folder = tempfile::tempdir()?;
    let field = tools::gather(options, folder.path())?;
    let machine = Machine::look(&options.server, &field);
    print!("{}", text::machine(&machine));
    let meter = Meter {
        interrupt,
        folder: folder.path().into(),
    };
    let tables = Runner::new(options, &field.programs, &meter)?.run()?;
    let missing = field.missing.into_iter();
    Ok(Report {
        machine,
        tables,
        missing: missing.map(|(name, why)| (name.into(), why)).collect(),
    })
}

fn write(options: &Options, report: &Report) -> Result<()> {
    let write = |path: &Option<_>, make: fn(&Report) -> String| match path {
        Some(path) => fs::write(path, make(report)),
        None => Ok(()),
    };
    write(&options.json, files::json)?;
    write(&options.csv, files::csv)?;
    write(&options.html, page::page)?;
    write(&options.picture, picture::picture)?;
    Ok(())
}

/// Whether the budgets of what was asked for are met.
fn check(groups: &[Group], report: &Report) -> bool {
    let mut is_met = true;
    for group in groups {
        let (lines, is_within) = match group {
            Group::Exact => {
                let table = report.tables.iter().find(|table| table.key == "exact");
                let missing = || vec!["exact: not measured, so no budget is met".to_owned()];
                table.map_or_else(|| (missing(), false), exact::check)
            }
            Group::Cancel => cancel::check(&report.tables),
            _ => continue,
        };
        println!("{}", lines.join("\n"));
        is_met &= is_within;
    }
    is_met
}
