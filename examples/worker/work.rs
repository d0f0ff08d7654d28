//! What a job does. **This is the file to replace by your own**: nothing else knows what bodies mean.
//!
//! A job runs as a task of its own, so that whatever it does is done by the words of all tasks: it is called with
//! [`Wake::Start`], returns what it waits for, and is called again when that has come. [`Wait::done`] is success. An error or a
//! panic is a failed attempt. It must not block: a job that computes for a second stops all others for a second.
//!
//! It may be done twice: when the worker dies between the end of the work and its acknowledgement, or when the
//! acknowledgement is lost. Whatever it changes should be the same after the second time.

use super::job::Job;
use greenroom::{Error, ErrorKind, Hub, Result, Wait, Wake, ms};
use std::time::Duration;

/// What a body that means nothing here takes.
const USUAL: Duration = ms(5);

/// | body | what it does |
/// |---|---|
/// | `sleep MS` | takes so many milliseconds |
/// | `fail N` | fails at its first N attempts |
/// | `fail` | fails |
/// | anything else | takes 5 ms |
pub(crate) fn work(_hub: &mut Hub, job: &Job, wake: Wake) -> Result<Wait> {
    match wake {
        Wake::Start => {}
        // Its worker ends, and has waited as long as it was told to. The job goes back to the queue.
        Wake::Killed => return Ok(Wait::done()),
        Wake::Elapsed => return Ok(Wait::done()),
        other => return Err(other.unexpected()),
    }
    let (verb, number) = job.body.split_once(' ').unwrap_or((&job.body, ""));
    match (verb, number.parse::<u64>()) {
        ("sleep", Ok(millis)) => Ok(Wait::sleep(ms(millis))),
        ("fail", Ok(times)) if u64::from(job.attempts) >= times => Ok(Wait::done()),
        ("fail", _) => Err(Error::new(ErrorKind::Task, "it was told to fail")),
        _ => Ok(Wait::sleep(USUAL)),
    }
}
