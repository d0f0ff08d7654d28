//! Log lines: `HH:MM:SS,mmm.m (function) message`, local time, on stderr.

use chrono::Timelike;
use env_logger::{Builder, Env};
use std::io::Write;

/// Starts logging: at level `info` unless `RUST_LOG` says otherwise; not at all when `quiet`.
pub(crate) fn start(quiet: bool) {
    let mut builder = Builder::from_env(Env::default().default_filter_or("info"));
    if quiet {
        builder
            .filter_level(log::LevelFilter::Off)
            .parse_filters("off");
    }
    builder.format(|out, record| {
        let now = chrono::Local::now();
        // A leap second counts on past 999 ms.
        let tenths = (now.nanosecond() / 100_000).min(9_999);
        writeln!(
            out,
            "{:02}:{:02}:{:02},{:03}.{} ({}) {}",
            now.hour(),
            now.minute(),
            now.second(),
            tenths / 10,
            tenths % 10,
            record.target(),
            record.args()
        )
    });
    builder.init();
}
