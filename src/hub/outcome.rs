//! The six ways in which a blocking pop ends.

use super::task::Wake;
use crate::client::Reply;
use crate::error::Error;

/// How a blocking pop has ended: what a [`Wake`] says, as one of the things that a program can do
/// about it.
///
/// | outcome | where is the element? | |
/// |---|---|---|
/// | `Popped` | here | |
/// | `TimedOut` | in the list | the server has waited as long as it was asked to |
/// | `Cancelled` | in the list | the deadline of the wait has passed, or the task was killed |
/// | `Late` | here | it came although the pop had been cancelled |
/// | `Failed` | in the list | the pop was not sent, or the server refused it: it is safe to ask again |
/// | `Indeterminate` | not known | the connection was lost; with `BLMOVE` it is in a list |
///
/// ```
/// # use greenroom::sim::Sim;
/// # use greenroom::server::{self, Server};
/// use greenroom::{Endpoint, Hub, Outcome, Redis, Timeout, ms};
/// # let sim = Sim::new(1);
/// # let mut hub = Hub::simulated(&sim);
/// # let server = Server::new(&mut hub, server::Config::default());
/// # server.listen(&mut hub, &Endpoint::Tcp(([127, 0, 0, 1], 6379).into()))?;
/// let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
/// let pop = redis.brpop(&mut hub, "jobs", Timeout::Forever)?;
/// match hub.wait(pop.within(ms(50)))?.outcome() {
///     Outcome::Popped(job) | Outcome::Late(job) => println!("{:?}", job.value()),
///     Outcome::TimedOut | Outcome::Cancelled => println!("there was none"),
///     Outcome::Failed(error) => println!("ask again: {error}"),
///     Outcome::Indeterminate(error) => println!("a job may be gone: {error}"),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The pop was answered with something other than nil.
    Popped(Reply),
    /// The pop was answered with nil.
    TimedOut,
    /// The pop was cancelled, and has popped nothing.
    ///
    /// A task that was killed gets this before the server has answered: an element that comes all
    /// the same goes to [`Redis::on_undelivered`](crate::Redis::on_undelivered), or back.
    Cancelled,
    /// The pop was cancelled, and an element came all the same. It is the task's.
    Late(Reply),
    /// The pop was not executed.
    Failed(Error),
    /// The pop was sent, and it is not known whether it was executed.
    Indeterminate(Error),
}

impl Wake {
    /// Returns how the pop has ended that the task waited for.
    pub fn outcome(self) -> Outcome {
        match self {
            Wake::Reply(Ok(reply)) if reply.is_none() => Outcome::TimedOut,
            Wake::Reply(Ok(reply)) if reply.is_late() => Outcome::Late(reply),
            Wake::Reply(Ok(reply)) => Outcome::Popped(reply),
            Wake::Reply(Err(error)) if error.maybe_executed() => Outcome::Indeterminate(error),
            Wake::Deadline | Wake::Killed => Outcome::Cancelled,
            other => Outcome::Failed(other.unexpected()),
        }
    }
}
