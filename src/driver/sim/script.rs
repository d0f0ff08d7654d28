//! A peer that does as it is told: for tests of exact bytes.

use crate::error::printable;
use crate::resp::encode;
use std::collections::VecDeque;
use std::time::Duration;

/// What a peer expects of one connection, what it says, and what befalls it, one after the other.
///
/// What is expected must come exactly; anything else ends the connection, and [`Sim::verify`](super::Sim::verify) tells
/// of it. When all is done, the peer stays and says nothing more.
///
/// ```
/// use greenroom::sim::{Script, Sim};
/// use greenroom::{Hub, Redis, ms};
///
/// let sim = Sim::new(42);
/// let address = "127.0.0.1:6379".parse().unwrap();
/// // The client asks first whether the server is ready.
/// let ready = Script::new().expect_command(&["PING"]).send(b"+PONG\r\n");
/// let slow = ready.expect_command(&["GET", "key"]).wait(ms(300)).send(b"$5\r\nvalue\r\n");
/// sim.scripts(address, [slow]);
///
/// let mut hub = Hub::simulated(&sim);
/// let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
/// let asked = redis.get(&mut hub, "key")?;
/// let reply = hub.wait(asked)?.reply()?;
/// assert_eq!(reply.elapsed(), ms(300));
/// assert_eq!(reply.to::<String>()?, "value");
/// sim.verify().unwrap();
/// # Ok::<(), greenroom::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: VecDeque<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Expect(Vec<u8>),
    ExpectEnd,
    Send(Vec<u8>),
    Wait(Duration),
    Finish,
    Close,
    Reset,
    Vanish,
}

/// A script that is being played, on one connection.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) steps: VecDeque<Step>,
    pub(super) waits: bool,
}

impl Script {
    /// A script without steps yet.
    pub fn new() -> Script {
        Script::default()
    }

    fn step(mut self, step: Step) -> Script {
        self.steps.push_back(step);
        self
    }

    /// Waits until these bytes have come, and nothing else.
    #[must_use]
    pub fn expect(self, bytes: &[u8]) -> Script {
        self.step(Step::Expect(bytes.to_vec()))
    }

    /// Waits until this command has come.
    ///
    /// # Panics
    ///
    /// When `args` is empty.
    #[must_use]
    pub fn expect_command<A: AsRef<[u8]>>(self, args: &[A]) -> Script {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, args);
        self.step(Step::Expect(bytes))
    }

    /// Waits until the other end has closed or reset the connection.
    #[must_use]
    pub fn expect_end(self) -> Script {
        self.step(Step::ExpectEnd)
    }

    /// Says something.
    #[must_use]
    pub fn send(self, bytes: &[u8]) -> Script {
        self.step(Step::Send(bytes.to_vec()))
    }

    /// Does nothing for so long, not even read.
    #[must_use]
    pub fn wait(self, time: Duration) -> Script {
        self.step(Step::Wait(time))
    }

    /// Says that nothing follows, and goes on listening: a half close.
    #[must_use]
    pub fn finish(self) -> Script {
        self.step(Step::Finish)
    }

    /// Closes the connection.
    #[must_use]
    pub fn close(self) -> Script {
        self.step(Step::Close)
    }

    /// Resets the connection.
    #[must_use]
    pub fn reset(self) -> Script {
        self.step(Step::Reset)
    }

    /// Falls silent for ever, without a word: its machine is gone.
    #[must_use]
    pub fn vanish(self) -> Script {
        self.step(Step::Vanish)
    }

    pub(super) fn start(self) -> Run {
        Run {
            steps: self.steps,
            waits: false,
        }
    }
}

impl Run {
    /// What it still waits for, if it has not come to its end.
    pub(super) fn left(&self) -> Option<String> {
        self.steps.front().map(|step| match step {
            Step::Expect(bytes) => format!("\"{}\" is expected", printable(bytes)),
            Step::ExpectEnd => "the end is expected".into(),
            _ => "it is not at its end".into(),
        })
    }
}
