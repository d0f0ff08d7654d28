//! What the worker says about itself: a line now and then, and a summary.

use super::crew::Crew;
use super::options::Options;
use greenroom::{Address, Hub, ShutdownReport, TaskId, Wait, Wake};
use jzon::object;
use log::info;
use std::ffi::c_int;
use std::rc::Rc;
use std::time::Duration;

/// Logs figures steadily, until the task is killed.
pub(crate) fn tell(hub: &mut Hub, crew: Rc<Crew>, period: Duration) -> TaskId {
    let mut done_before = 0;
    let mut told = hub.now();
    hub.every(period, move |hub, _| {
        let done = crew.counts.done.get();
        let rate = (done - done_before) as f64 / hub.now().since(told).as_secs_f64();
        (done_before, told) = (done, hub.now());
        // Cron does not wait: somebody else does, for as long as the answer takes.
        let (crew, line) = (Rc::clone(&crew), crew.line());
        let teller = hub.spawn(move |hub, wake| match wake {
            Wake::Start => crew.queue.length(hub),
            wake => {
                let length = wake.reply().and_then(|reply| reply.to::<u64>());
                let length = length.map_or_else(|_| "?".into(), |length| length.to_string());
                info!(target: "stats", "{line}; {length} wait; {rate:.0}/s");
                Ok(Wait::done())
            }
        });
        hub.detach(teller);
        Ok(())
    })
}

impl Crew {
    /// The counters, in words.
    pub(crate) fn line(&self) -> String {
        let counts = &self.counts;
        format!(
            "{} done, {} failed, {} retried, {} dead, {} in progress",
            counts.done.get(),
            counts.failed.get(),
            counts.retried.get(),
            counts.dead.get(),
            counts.running.get()
        )
    }
}

/// How a run has ended.
pub(crate) struct Summary {
    pub(crate) crew: Rc<Crew>,
    pub(crate) url: Address,
    pub(crate) duration: Duration,
    pub(crate) report: ShutdownReport,
    /// Jobs that were taken and not done, and are in the queue again. `None` when that failed.
    pub(crate) returned: Option<u64>,
    pub(crate) signal: Option<c_int>,
}

impl Summary {
    /// One line. The order is fixed.
    pub(crate) fn to_json(&self, options: &Options) -> String {
        let counts = &self.crew.counts;
        let seconds = self.duration.as_secs_f64();
        let rate = counts.done.get() as f64 / seconds.max(0.001);
        object! {
            "schema": 1,
            "url": self.url.to_string(),
            "queue": options.queue.as_str(),
            "name": options.name.as_str(),
            "jobs": options.jobs,
            "done": counts.done.get(),
            "failed": counts.failed.get(),
            "retried": counts.retried.get(),
            "dead": counts.dead.get(),
            "recovered": counts.recovered.get(),
            "returned": self.returned,
            "killed": self.report.killed,
            "signal": self.signal,
            "duration_s": (seconds * 1000.0).round() / 1000.0,
            "done_per_s": rate.round(),
        }
        .dump()
    }
}
