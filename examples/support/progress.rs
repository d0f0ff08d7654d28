//! How far a long run has come: one line at the foot of a terminal, which log lines push down.
//!
//! There is none where nobody looks: not when stderr is no terminal, not with `--quiet`, not in a simulation.

use greenroom::{Hub, TaskId, Timeout, ms, secs};
use std::io::{IsTerminal, Write, stderr};
use std::sync::atomic::{AtomicBool, Ordering};

use super::options::Options;

/// Whether the line stands there now. The log wants to know, wherever it is called from.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Moves to the beginning of the line, and wipes it.
const WIPE: &str = "\r\x1b[K";

/// Keeps the line up to date with what `counts` says: how many are in flight, and how many answered.
pub(crate) fn start(
    hub: &mut Hub,
    options: &Options,
    counts: impl Fn(&Hub) -> (usize, usize) + 'static,
) -> Option<TaskId> {
    let is_long = options.clients >= 2000
        || match options.timeout {
            Timeout::After(timeout) => timeout > secs(2),
            Timeout::Forever => true,
        };
    if options.quiet || options.simulate.is_some() || !is_long || !stderr().is_terminal() {
        return None;
    }
    let begin = hub.now();
    let all = options.clients;
    Some(hub.every(ms(100), move |hub, _| {
        let (in_flight, answered) = counts(hub);
        let elapsed = hub.now().since(begin).as_secs_f64();
        // A terminal that is gone is not worth an error.
        let _ = write!(
            stderr(),
            "{WIPE}{in_flight} in flight, {answered} of {all} answered, {elapsed:.1} s"
        );
        SHOWN.store(true, Ordering::Relaxed);
        Ok(())
    }))
}

/// What is to be written before anything else is: it wipes the line, if it stands there.
pub(crate) fn wipe() -> &'static str {
    match SHOWN.swap(false, Ordering::Relaxed) {
        true => WIPE,
        false => "",
    }
}

/// The end of the run, or something else that is to be said.
pub(crate) fn stop(hub: &mut Hub, task: Option<TaskId>) {
    if let Some(task) = task {
        hub.kill(task);
    }
    let _ = write!(stderr(), "{}", wipe());
}
