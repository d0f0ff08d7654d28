//! What is measured, and how it is said.

use super::measure::Run;
use super::plan::{TIMEOUT, Work};
use super::statistics::{percentile, sorted};

/// Which way is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
    /// It explains other figures.
    Neither,
}

/// Where a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shown {
    /// In files and in the tables of the page.
    Detail,
    /// In the tables of the terminal too.
    Table,
    /// As a picture too.
    Picture,
}

impl Shown {
    const ALL: [Shown; 3] = [Shown::Detail, Shown::Table, Shown::Picture];

    /// In file formats.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Shown::Detail => "detail",
            Shown::Table => "table",
            Shown::Picture => "picture",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Shown> {
        Shown::ALL.into_iter().find(|shown| shown.word() == word)
    }
}

/// A column of a table, with what its figures are.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// In file formats.
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    pub(crate) shown: Shown,
    /// Where on the horizontal axis the column is, if the table is drawn as lines.
    pub(crate) x: Option<usize>,
}

impl Column {
    pub(crate) fn new(
        key: &str,
        title: impl Into<String>,
        unit: impl Into<String>,
        better: Better,
        shown: Shown,
    ) -> Column {
        Column {
            key: key.into(),
            title: title.into(),
            unit: unit.into(),
            better,
            shown,
            x: None,
        }
    }
}

impl Better {
    const ALL: [Better; 3] = [Better::Less, Better::More, Better::Neither];

    /// In file formats.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Better::Less => "less",
            Better::More => "more",
            Better::Neither => "neither",
        }
    }

    pub(crate) fn of(word: &str) -> Option<Better> {
        Better::ALL.into_iter().find(|better| better.word() == word)
    }

    pub(crate) fn said(self) -> &'static str {
        match self {
            Better::Less => "less is better",
            Better::More => "more is better",
            Better::Neither => "neither is better",
        }
    }
}

/// A column, and how its figure comes from a run.
pub(crate) struct Metric {
    pub(crate) column: Column,
    pub(crate) value: fn(&Work, &Run) -> Option<f64>,
}

fn metric(
    key: &str,
    title: impl Into<String>,
    unit: &str,
    (better, shown): (Better, Shown),
    value: fn(&Work, &Run) -> Option<f64>,
) -> Metric {
    Metric {
        column: Column::new(key, title, unit, better, shown),
        value,
    }
}

const LESS: (Better, Shown) = (Better::Less, Shown::Table);
const LESS_DRAWN: (Better, Shown) = (Better::Less, Shown::Picture);
const NEITHER: (Better, Shown) = (Better::Neither, Shown::Table);
const LESS_DETAIL: (Better, Shown) = (Better::Less, Shown::Detail);

/// What is measured when programs do this work.
pub(crate) fn metrics(work: &Work) -> Vec<Metric> {
    let mut metrics = match work {
        Work::Pops { .. } => pops(),
        Work::Latency { .. } => latency(),
        Work::Drain { .. } | Work::Ping { .. } | Work::Shared { .. } => rate(work),
        Work::Cancel { .. } => cancel(),
        Work::Losses { .. } => losses(),
    };
    metrics.extend(costs(work));
    metrics
}

fn pops() -> Vec<Metric> {
    vec![
        metric(
            "beyond_ms",
            "Beyond the timeout",
            "ms",
            LESS_DRAWN,
            |_, run| {
                let seconds = run.said("wall_s")? - TIMEOUT as f64;
                Some(seconds * 1e3)
            },
        ),
        metric(
            "cron_p50_ms",
            "Lateness of cron, median",
            "ms",
            LESS_DETAIL,
            |_, run| late_ms(run, 50),
        ),
        metric(
            "cron_max_ms",
            "Latest cron tick",
            "ms",
            LESS_DRAWN,
            |_, run| late_ms(run, 100),
        ),
    ]
}

fn late_ms(run: &Run, percent: usize) -> Option<f64> {
    let late = run.json["cron_late_us"]
        .members()
        .filter_map(|us| us.as_f64());
    Some(percentile(&sorted(&late.collect::<Vec<_>>()), percent)? / 1e3)
}

fn latency() -> Vec<Metric> {
    vec![
        metric(
            "p50_us",
            "On its way, median",
            "µs",
            LESS_DRAWN,
            |_, run| run.said("p50_us"),
        ),
        metric("p90_us", "90 % are faster", "µs", LESS_DETAIL, |_, run| {
            run.said("p90_us")
        }),
        metric("p99_us", "99 % are faster", "µs", LESS_DRAWN, |_, run| {
            run.said("p99_us")
        }),
        metric("max_us", "Slowest", "µs", LESS, |_, run| {
            run.said("max_us")
        }),
    ]
}

fn cancel() -> Vec<Metric> {
    vec![
        metric(
            "unblocked_ms",
            "Until no pop waits",
            "ms",
            LESS_DRAWN,
            |_, run| run.said("unblocked_ms"),
        ),
        metric(
            "said_ms",
            "as the program sees it",
            "ms",
            LESS_DETAIL,
            |_, run| Some(run.said("wall_s")? * 1e3),
        ),
        metric("blocked", "Pops that wait still", "", LESS, |_, run| {
            run.said("blocked")
        }),
        metric("connections", "Connections then", "", NEITHER, |_, run| {
            run.said("connections")
        }),
    ]
}

fn losses() -> Vec<Metric> {
    vec![
        metric("lost", "Lost", "", LESS_DRAWN, |_, run| run.said("lost")),
        metric("duplicated", "Duplicated", "", LESS, |_, run| {
            run.said("duplicated")
        }),
        metric("delivered", "Delivered", "", NEITHER, |_, run| {
            run.said("came")
        }),
        metric("left", "Left in the list", "", NEITHER, |_, run| {
            run.said("left")
        }),
        metric("given_up", "Given up", "", NEITHER, |_, run| {
            run.said("given_up")
        }),
        // Only who asks the server to end a pop can know.
        metric("late", "of them too late", "", NEITHER, |_, run| {
            run.said("late")
        }),
    ]
}

fn rate(work: &Work) -> Vec<Metric> {
    let title = match work {
        Work::Drain { .. } => "Elements",
        _ => "Commands",
    };
    let drawn = (Better::More, Shown::Picture);
    vec![
        metric("rate_per_s", title, "a second", drawn, |work, run| {
            Some(work.units() as f64 / run.said("wall_s")?)
        }),
        // Near 100 %, the server and not the program is what the rate shows.
        metric(
            "server_percent",
            "Server busy",
            "%",
            (Better::Neither, Shown::Table),
            |_, run| Some(100.0 * run.server_s? / run.said("wall_s")?),
        ),
    ]
}

/// What every run costs, seen from outside.
fn costs(work: &Work) -> Vec<Metric> {
    vec![
        metric(
            "cpu_us",
            format!("Processor {}", work.each()),
            "µs",
            LESS_DRAWN,
            |work, run| per_unit(run.user_s + run.system_s, work),
        ),
        metric(
            "user_us",
            "of it in the program",
            "µs",
            LESS_DETAIL,
            |work, run| per_unit(run.user_s, work),
        ),
        metric(
            "system_us",
            "of it in the kernel",
            "µs",
            LESS_DETAIL,
            |work, run| per_unit(run.system_s, work),
        ),
        metric("switches", "Context switches", "", LESS, |_, run| {
            Some(run.switches)
        }),
        metric(
            "peak_mib",
            "Peak memory",
            "MiB",
            match work {
                Work::Pops { .. } => LESS_DRAWN,
                _ => LESS,
            },
            |_, run| Some(run.peak_kib / 1024.0),
        ),
        metric(
            "syns_dropped",
            "Connects that the server lost",
            "",
            LESS_DETAIL,
            |_, run| Some(run.dropped),
        ),
    ]
}

fn per_unit(seconds: f64, work: &Work) -> Option<f64> {
    Some(seconds * 1e6 / work.units() as f64)
}
