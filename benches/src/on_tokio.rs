//! tokio as it fits the work best: one thread, and tasks that need not be `Send`.

use crate::{Job, Outcome, Result, Workload};
use tokio::runtime::{Builder, LocalOptions};

/// Runs a program of tokio's.
pub fn on_tokio(job: &Job, run: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    let mut builder = Builder::new_current_thread();
    if let Workload::Shared { tasks, .. } = job.workload {
        // After so many tasks the kernel is asked for events. That is a system call for each 61 of
        // them by default, which counts where those that are ready make no system calls themselves.
        builder.event_interval(u32::try_from(tasks)?.saturating_add(2));
    }
    let builder = builder.enable_io().enable_time();
    let runtime = builder.build_local(LocalOptions::default())?;
    runtime.block_on(run)
}
