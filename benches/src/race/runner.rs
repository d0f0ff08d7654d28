//! Runs the cases, round after round.

use super::column::metrics;
use super::exact::{self, Tool};
use super::measure::{Ended, Meter, Run};
use super::options::{Group, Options};
use super::plan::{Case, plan};
use super::programs::Program;
use super::progress::Progress;
use super::server::{Raster, Server};
use super::table::{Row, Shape, Table};
use super::{Result, growth, kernel, text};
use std::time::Duration;

/// Both counts of one tool for one program.
const EXACT_GUESS: Duration = Duration::from_secs(6);

/// Files that a program has open besides its connections.
const OTHER_FILES: usize = 64;

#[derive(Debug)]
pub(crate) struct Runner<'race> {
    options: &'race Options,
    programs: &'race [Program],
    meter: &'race Meter,
    cases: Vec<Case>,
    progress: Progress,
    files_max: usize,
}

/// A program in a case.
struct Racer<'race> {
    program: &'race Program,
    runs: Vec<Run>,
    /// Why it does not run any more.
    out: Option<String>,
}

impl<'race> Runner<'race> {
    pub(crate) fn new(
        options: &'race Options,
        programs: &'race [Program],
        meter: &'race Meter,
    ) -> Result<Runner<'race>> {
        let cases = plan(options);
        let of_case = |case: &Case| {
            let extra = usize::from(case.all_warm_up);
            case.work.guess() * times((case.rounds + extra) * programs.len())
        };
        let mut expected: Duration = cases.iter().map(of_case).sum();
        if options.groups.contains(&Group::Exact) {
            let counted = programs.iter().filter(|program| exact::counts(program));
            expected += EXACT_GUESS * times(counted.count() * exact_rounds(options) * 2);
        }
        Ok(Runner {
            options,
            programs,
            meter,
            cases,
            progress: Progress::new(expected)?,
            files_max: kernel::raise_open_files()?,
        })
    }

    /// All tables, each of which is printed when it is complete.
    pub(crate) fn run(mut self) -> Result<Vec<Table>> {
        let mut tables = Vec::new();
        for &group in &self.options.groups {
            let mut of_group = Vec::new();
            match group {
                Group::Exact => of_group.extend(self.exact()?),
                _ => {
                    for case in self.cases.clone() {
                        if case.group == group {
                            of_group.push(self.case(&case)?);
                        }
                    }
                }
            }
            if group == Group::Growth {
                let over_clients = growth::tables(&of_group);
                of_group.extend(over_clients);
            }
            for table in &of_group {
                self.progress.print(&text::table(table));
            }
            tables.extend(of_group);
        }
        Ok(tables)
    }

    fn case(&mut self, case: &Case) -> Result<Table> {
        let racer = |program| Racer {
            program,
            runs: Vec::new(),
            out: None,
        };
        let mut racers: Vec<_> = self.programs.iter().map(racer).collect();
        if case.work.connections() + OTHER_FILES > self.files_max {
            let needed = case.work.connections() + OTHER_FILES;
            let why = format!(
                "this needs `ulimit -n {needed}`, and {} is all",
                self.files_max
            );
            racers
                .iter_mut()
                .for_each(|racer| racer.out = Some(why.clone()));
        } else {
            let mut server = Server::start(&self.options.server, Raster::Fine)?;
            self.warm_up(case, &mut racers, &mut server)?;
            for round in 0..case.rounds {
                for place in 0..racers.len() {
                    let at = (place + round) % racers.len();
                    self.once(case, &mut racers[at], &mut server)?;
                }
            }
        }
        Ok(finish(case, racers))
    }

    /// Runs that do not count.
    fn warm_up(&mut self, case: &Case, racers: &mut [Racer], server: &mut Server) -> Result<()> {
        for racer in racers {
            self.once(case, racer, server)?;
            racer.runs.clear();
            if racer.out.is_none() && !case.all_warm_up {
                break;
            }
        }
        Ok(())
    }

    fn once(&mut self, case: &Case, racer: &mut Racer, server: &mut Server) -> Result<()> {
        let what = format!("{}, {}", case.work.title(), racer.program.name);
        self.progress.step(what, case.work.guess());
        if racer.out.is_some() {
            return Ok(());
        }
        match self.meter.run(racer.program, &case.work, server)? {
            Ended::Ran(run) => racer.runs.push(run),
            Ended::NotRun(why) => racer.out = Some(why),
            Ended::Failed(why) => {
                racer.out = Some(format!("{} failed: {why}", racer.program.name));
            }
        }
        Ok(())
    }

    /// `None` without a tool that counts.
    fn exact(&mut self) -> Result<Option<Table>> {
        let is_there = |tool: &Tool| tool.is_installed();
        let (tools, missing): (Vec<Tool>, Vec<Tool>) = Tool::ALL.into_iter().partition(is_there);
        let mut notes: Vec<String> = missing
            .iter()
            .map(|tool| format!("not run: {} is not installed", tool.name()))
            .collect();
        if tools.is_empty() {
            self.progress.print(&(notes.join("\n") + "\n"));
            return Ok(None);
        }
        let mut server = Server::start(&self.options.server, Raster::Default)?;
        let mut rows = Vec::new();
        for program in self
            .programs
            .iter()
            .filter(|program| exact::counts(program))
        {
            match self.counts(&tools, program, &mut server)? {
                Ended::Ran(row) => rows.push(row),
                Ended::NotRun(why) => notes.push(why),
                Ended::Failed(why) => notes.push(format!("{} failed: {why}", program.name)),
            }
        }
        Ok(Some(exact::table(&tools, rows, notes)))
    }

    fn counts(
        &mut self,
        tools: &[Tool],
        program: &Program,
        server: &mut Server,
    ) -> Result<Ended<Row>> {
        let mut samples = vec![Vec::new(); tools.len()];
        for _ in 0..exact_rounds(self.options) {
            for (tool, samples) in tools.iter().zip(&mut samples) {
                let what = format!("{} under {}", program.name, tool.name());
                self.progress.step(what, EXACT_GUESS);
                match exact::a_pop(*tool, program, server, self.meter)? {
                    Ended::Ran(count) => samples.push(count),
                    Ended::NotRun(why) => return Ok(Ended::NotRun(why)),
                    Ended::Failed(why) => return Ok(Ended::Failed(why)),
                }
            }
        }
        Ok(Ended::Ran(Row::new(program.name, samples)))
    }
}

/// The counts hardly differ.
fn exact_rounds(options: &Options) -> usize {
    let default = if options.quick { 1 } else { 2 };
    options.rounds.unwrap_or(default)
}

fn times(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn finish(case: &Case, racers: Vec<Racer>) -> Table {
    let metrics = metrics(&case.work);
    let (out, ran): (Vec<_>, Vec<_>) = racers.into_iter().partition(|racer| racer.out.is_some());
    let row = |racer: &Racer| Row::of_runs(racer.program.name, &metrics, &case.work, &racer.runs);
    let mut notes: Vec<String> = out.into_iter().filter_map(|racer| racer.out).collect();
    notes.dedup();
    Table {
        group: case.group,
        key: case.work.key(),
        title: case.work.title(),
        about: case.work.about(),
        shape: match case.group {
            Group::Growth => Shape::Hidden,
            _ => Shape::Bars,
        },
        rows: ran.iter().map(row).collect(),
        columns: metrics.into_iter().map(|metric| metric.column).collect(),
        notes,
    }
    .compare()
}
