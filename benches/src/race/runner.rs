//! Runs the cases, round after round.

use super::case::{self, Out, Racer};
use super::exact::{self, Tool};
use super::measure::{Ended, Meter};
use super::options::{Group, Options};
use super::plan::{Case, plan};
use super::programs::{Kind, Program};
use super::progress::Progress;
use super::server::{Raster, Server};
use super::table::{Row, Table};
use super::{Result, growth, kernel, text};
use std::time::{Duration, Instant};

/// Both counts of one tool for one program.
const EXACT_GUESS: Duration = Duration::from_secs(6);

/// Who needs longer for a run, and twice as long as expected, has one only: such figures are not close to those of
/// others, and the rest of the race is waiting.
const SLOW: Duration = Duration::from_secs(10);

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
            let counted = programs
                .iter()
                .filter(|program| is_counted(program, options));
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
        let mut racers: Vec<_> = self.programs.iter().map(Racer::new).collect();
        let needed = case.work.connections() + OTHER_FILES;
        if needed > self.files_max {
            let max = self.files_max;
            let why = format!("this needs {needed} open files, and `ulimit -Hn` is {max}");
            let fail = |racer: &mut Racer| racer.take(Ended::Failed(why.clone()));
            racers.iter_mut().for_each(fail);
            return Ok(case::table(case, &racers));
        }
        if self.options.quick && case.group == Group::Growth {
            // With ten times as many clients it takes as long as all others together.
            let is_slow = |racer: &&mut Racer| racer.program.kind == Kind::Python;
            let why = "a quick race does not wait for it";
            let leave = |racer: &mut Racer| racer.take(Ended::NotRun(why.into()));
            racers.iter_mut().filter(is_slow).for_each(leave);
        }
        let mut server = Server::start(&self.options.server, Raster::Fine)?;
        self.warm_up(case, &mut racers, &mut server)?;
        for round in 0..case.rounds {
            for place in 0..racers.len() {
                let at = (place + round) % racers.len();
                self.once(case, &mut racers[at], &mut server)?;
            }
        }
        Ok(case::table(case, &racers))
    }

    /// Runs that do not count.
    fn warm_up(&mut self, case: &Case, racers: &mut [Racer], server: &mut Server) -> Result<()> {
        for racer in racers {
            self.once(case, racer, server)?;
            let has_run = !racer.runs.is_empty();
            racer.runs.clear();
            if has_run && !case.all_warm_up {
                break;
            }
        }
        Ok(())
    }

    fn once(&mut self, case: &Case, racer: &mut Racer, server: &mut Server) -> Result<()> {
        let what = format!("{}, {}", case.work.title(), racer.program.name);
        self.progress.step(what, case.work.guess());
        if racer.is_in() {
            let begin = Instant::now();
            racer.take(self.meter.run(racer.program, &case.work, server)?);
            racer.is_slow = begin.elapsed() > SLOW.max(2 * case.work.guess());
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
        let mut out = Vec::new();
        for program in self
            .programs
            .iter()
            .filter(|program| is_counted(program, self.options))
        {
            match self.counts(&tools, program, &mut server)? {
                Ended::Ran(row) => rows.push(row),
                Ended::NotRun(why) => out.push((program.name, Out::NotRun(why))),
                Ended::Failed(why) => out.push((program.name, Out::Failed(why))),
            }
        }
        notes.extend(case::notes(out.into_iter()));
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

/// The counts hardly differ from round to round.
fn exact_rounds(options: &Options) -> usize {
    options.rounds.unwrap_or(1)
}

/// Counting takes its time, and a quick race has little.
fn is_counted(program: &Program, options: &Options) -> bool {
    let is_asked_for = !options.quick || !options.only.is_empty();
    exact::counts(program) && (is_asked_for || exact::QUICK.contains(&program.name))
}

fn times(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
