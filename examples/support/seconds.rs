//! Times on a command line.

use super::arguments::text;
use std::time::Duration;

/// Seconds with a fraction, from 0 to a century, rounded up to milliseconds: 0 alone is 0.
pub(crate) fn seconds(args: &mut lexopt::Parser, flag: &str) -> Result<Duration, String> {
    const CENTURY: f64 = 3.2e9;
    let text = text(args, flag)?;
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.0..CENTURY).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("{flag}: {text:?} is not a number of seconds"))?;
    Ok(Duration::from_secs_f64((seconds * 1000.0).ceil() / 1000.0))
}
