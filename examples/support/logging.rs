//! Log lines: `HH:MM:SS,mmm.m (function) message`, on stderr. The time is local time, or, in a simulation, what its clock
//! says: it begins at midnight.

use chrono::Timelike;
use env_logger::{Builder, Env};
use greenroom::Time;
use std::io::Write;

/// Starts logging, with the time of a simulation where there is one: at level `info` unless `RUST_LOG` says otherwise; not at all when `quiet`.
///
/// What `wiped` says comes first in each line.
pub(crate) fn start(quiet: bool, simulated: fn() -> Option<Time>, wiped: fn() -> &'static str) {
    let mut builder = Builder::from_env(Env::default().default_filter_or("info"));
    if quiet {
        builder
            .filter_level(log::LevelFilter::Off)
            .parse_filters("off");
    }
    builder.format(move |out, record| {
        writeln!(
            out,
            "{}{} ({}) {}",
            wiped(),
            now(simulated()),
            record.target(),
            record.args()
        )
    });
    builder.init();
}

fn now(simulated: Option<Time>) -> String {
    if let Some(time) = simulated {
        let nanos = time.as_nanos();
        let seconds = nanos / 1_000_000_000;
        return text([seconds / 3600, seconds / 60 % 60, seconds % 60], nanos);
    }
    let now = chrono::Local::now();
    // A leap second counts on past 999 ms.
    let nanos = now.nanosecond().min(999_999_999);
    let time = [now.hour(), now.minute(), now.second()];
    text(time.map(u64::from), nanos.into())
}

fn text([hours, minutes, seconds]: [u64; 3], nanos: u64) -> String {
    let tenths = nanos / 100_000 % 10_000;
    let (millis, tenth) = (tenths / 10, tenths % 10);
    format!("{hours:02}:{minutes:02}:{seconds:02},{millis:03}.{tenth}")
}
