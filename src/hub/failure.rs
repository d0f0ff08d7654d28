//! Failures of tasks.

use super::ids::TaskId;
use crate::error::Error;
use std::panic::Location;

/// A task that ended with an error or a panic: what the hub's error hook is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The task.
    pub task: TaskId,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// Its error; of kind [`ErrorKind::Task`](crate::ErrorKind::Task) if it panicked.
    pub error: Error,
}

/// What the hub does about a failure unless told otherwise.
pub(super) fn log_failure(failure: &Failure) {
    let Failure {
        task,
        spawned_at,
        error,
    } = failure;
    log::error!("{task:?}, spawned at {spawned_at}, failed: {error}");
}
