//! Two servers side by side: they are given the same scripts, and what differs is written down.

use super::host::{Host, Seen};
use super::script::{Script, Step};
use std::fmt::{Display, Write as _};
use std::time::Duration;

/// The keys that scripts use. What others hold at the end is not compared.
pub(super) const KEYS: [&str; 4] = ["a", "b", "c", "d"];

/// How long a reply may take once something has failed: scripts that make one server hang are then
/// tried by the dozen, to find the shortest.
const IMPATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Pair {
    start: fn() -> Option<[Host; 2]>,
    hosts: [Host; 2],
}

/// What a step has come to, or why it has come to nothing.
type Outcome<T> = Result<T, String>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Alike,
    Different,
    /// One does not answer at all.
    Broken,
}

impl Pair {
    /// `None` where there is no Redis to compare with.
    pub(super) fn start(start: fn() -> Option<[Host; 2]>) -> Option<Pair> {
        Some(Pair {
            hosts: start()?,
            start,
        })
    }

    /// Runs a script on both. An error shows it, and what the two have made of it.
    pub(super) fn run(&mut self, script: &Script) -> Result<(), String> {
        if self.clear().is_err() {
            // The script before has left one of them unable to answer. It was told then.
            self.restart();
            self.clear()?;
        }
        let mut shown = String::new();
        match self.compare(script, &mut shown) {
            Verdict::Alike => return Ok(()),
            Verdict::Different => {}
            Verdict::Broken => self.restart(),
        }
        Err(shown)
    }

    fn clear(&mut self) -> Result<(), String> {
        self.hosts.iter_mut().try_for_each(Host::clear)
    }

    fn restart(&mut self) {
        self.hosts = (self.start)().expect("they were started before");
        for host in &mut self.hosts {
            host.patience = IMPATIENCE;
        }
    }

    fn compare(&mut self, script: &Script, shown: &mut String) -> Verdict {
        let mut before = Vec::new();
        for step in &script.0 {
            writeln!(shown, "{step}").unwrap();
            let outcomes = self.step(step);
            let verdict = judge(&outcomes);
            if verdict != Verdict::Alike {
                self.show(shown, outcomes.map(texts));
                return verdict;
            }
            let [outcome, _] = outcomes;
            let seen = outcome.unwrap_or_default();
            // Who waits as before is not worth a line.
            let is_news = |seen: &&Seen| !seen.replies.is_empty() || !before.contains(*seen);
            for news in seen.iter().filter(is_news) {
                writeln!(shown, "    {news}").unwrap();
            }
            before = seen;
        }
        self.compare_keys(shown)
    }

    fn compare_keys(&mut self, shown: &mut String) -> Verdict {
        let states = self.hosts.each_mut().map(|host| host.state(&KEYS));
        let verdict = judge(&states);
        if verdict != Verdict::Alike {
            writeln!(shown, "(what the keys hold at the end)").unwrap();
            let [one, other] = states.map(texts);
            let only = |of: &[String], not: &[String]| {
                let of = of.iter().filter(|line| !not.contains(line));
                of.cloned().collect()
            };
            self.show(shown, [only(&one, &other), only(&other, &one)]);
        }
        verdict
    }

    /// The two work at the same time.
    fn step(&mut self, step: &Step) -> [Outcome<Vec<Seen>>; 2] {
        let begun = self.hosts.each_mut().map(|host| host.begin(step));
        let mut begun = begun.into_iter();
        self.hosts.each_mut().map(|host| {
            begun.next().expect("there are two")?;
            host.settle()
        })
    }

    fn show(&self, shown: &mut String, outcomes: [Vec<String>; 2]) {
        let names = self.hosts.each_ref().map(|host| host.name);
        let [one, other] = &outcomes;
        for (name, mine, theirs) in [(names[0], one, other), (names[1], other, one)] {
            if mine.is_empty() {
                writeln!(shown, "    {name:<10} nothing").unwrap();
            }
            for (index, line) in mine.iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                let line = shortened(line, theirs.get(index));
                writeln!(shown, "    {name:<10} {line}").unwrap();
            }
        }
    }
}

/// A line without most of what it has in common with another, nor what makes it very long.
fn shortened(line: &str, other: Option<&String>) -> String {
    const NAME: usize = 3;
    const AROUND: usize = 80;
    const LONG: usize = 600;
    let other = other.map_or("", String::as_str).chars();
    let same = line.chars().zip(other).take_while(|(one, two)| one == two);
    let skip = same.count().saturating_sub(AROUND);
    let piece = |from, count| line.chars().skip(from).take(count).collect::<String>();
    let end = if line.chars().count() > skip + LONG {
        "…"
    } else {
        ""
    };
    match skip <= NAME {
        true => piece(0, skip + LONG) + end,
        false => format!("{}…{}{end}", piece(0, NAME), piece(skip, LONG)),
    }
}

fn judge<T: PartialEq>(outcomes: &[Outcome<T>; 2]) -> Verdict {
    match outcomes {
        [Ok(one), Ok(other)] if one == other => Verdict::Alike,
        [Ok(_), Ok(_)] => Verdict::Different,
        _ => Verdict::Broken,
    }
}

fn texts<T: Display>(outcome: Outcome<impl IntoIterator<Item = T>>) -> Vec<String> {
    match outcome {
        Ok(all) => all.into_iter().map(|one| one.to_string()).collect(),
        Err(why) => vec![format!("fails: {why}")],
    }
}
