//! rustis on tokio, one thread: its one connection, shared by all tasks.

use greenroom_bench::{Countdown, Job, Outcome, Result, Stop, Workload, on_tokio, program, wire};
use rustis::client::{Client, IntoConfig};
use rustis::commands::StringCommands;
use std::rc::Rc;
use tokio::task::spawn_local;

const NAME: &str = "rustis";

fn main() {
    program(NAME, |job| {
        let Workload::Shared { tasks, ops } = job.workload else {
            return Err(Stop::NotRun("it is here for its shared connection"));
        };
        on_tokio(job, shared(job, tasks, ops))
    });
}

async fn shared(job: &Job, tasks: usize, ops: usize) -> Result<Outcome> {
    let left = Rc::new(Countdown::new(ops));
    let client = connect(job).await?;
    let asks = |_| {
        let (left, client) = (Rc::clone(&left), client.clone());
        spawn_local(async move {
            while left.take() {
                let value: String = client.get("key").await?;
                wire::check_value(value.as_bytes())?;
            }
            Result::Ok(())
        })
    };
    for task in (0..tasks).map(asks).collect::<Vec<_>>() {
        task.await??;
    }
    let wall = job.begin.elapsed();
    Ok(Outcome::Ops { ops, wall })
}

async fn connect(job: &Job) -> Result<Client> {
    let mut config = job.place.url().into_config()?;
    // Commands that follow others unanswered would wait for their acknowledgement (Nagle).
    config.no_delay = true;
    Ok(Client::connect(config).await?)
}
