//! How a blocking pop has ended, in one word each.

use super::task::Wake;
use crate::conn::Reply;
use crate::error::Error;

/// How a blocking pop has ended: what a [`Wake`] says, as one of the things that a program can do about it.
///
/// | outcome | where is the element? | |
/// |---|---|---|
/// | `Popped` | here | |
/// | `TimedOut` | in the list | the server has waited as long as it was asked to |
/// | `Cancelled` | in the list | the deadline of the wait has passed, or the task was killed, and the pop was taken back |
/// | `Late` | here | it came although the pop had been given up |
/// | `Failed` | in the list | the pop was not sent, or the server refused it: it is safe to ask again |
/// | `Unknown` | somewhere | the connection was lost with the answer; with `BLMOVE` it would stand in the other list |
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
///     Outcome::Unknown(error) => println!("a job may be gone: {error}"),
///     other => println!("{other:?}"),
/// }
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was answered with something other than nil.
    Popped(Reply),
    /// It was answered with nil.
    TimedOut,
    /// It was given up, and has popped nothing.
    ///
    /// A task that was killed is told so before the server has answered: an element that comes all the same goes to
    /// [`Redis::on_late`](crate::Redis::on_late), or back.
    Cancelled,
    /// It was given up, and something came nevertheless. It is the task's.
    Late(Reply),
    /// It was not executed.
    Failed(Error),
    /// It was sent, and nobody knows whether it was executed.
    Unknown(Error),
}

impl Wake {
    /// How the pop has ended that the task waited for.
    pub fn outcome(self) -> Outcome {
        match self {
            Wake::Reply(Ok(reply)) if reply.is_none() => Outcome::TimedOut,
            Wake::Reply(Ok(reply)) if reply.is_late() => Outcome::Late(reply),
            Wake::Reply(Ok(reply)) => Outcome::Popped(reply),
            Wake::Reply(Err(error)) if error.maybe_executed() => Outcome::Unknown(error),
            Wake::Deadline | Wake::Killed => Outcome::Cancelled,
            other => Outcome::Failed(other.unexpected()),
        }
    }
}
