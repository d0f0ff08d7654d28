//! Chapter 10, exercise 3, difficulty 3: a run that is a function of its seed.
//!
//! On a simulated kernel with this seed: an embedded server at 127.0.0.1:6379, a network with the faults `latency`, `splits` and `short-reads`, and a
//! client. `CONSUMERS` tasks loop `BRPOP jobs` with a timeout of 100 ms, until that is answered with nil, and take down what they get. Main
//! pushes the `ELEMENTS` elements "0", "1" and so on, each with an `LPUSH` of its own whose reply it waits for, and then waits for
//! all consumers.
//!
//! Return the elements in the order in which they came, and the hash of what has happened. Let nothing into the run that is not decided by the
//! seed: neither the real clock nor a `HashMap`.
//!
//! The documents of `greenroom::sim` begin with most of what you need.

use greenroom::Result;

pub const CONSUMERS: usize = 5;
pub const ELEMENTS: usize = 40;

#[derive(Debug, PartialEq, Eq)]
pub struct Run {
    pub popped: Vec<String>,
    pub trace_hash: u64,
}

/// The run that belongs to a seed.
pub fn replay(seed: u64) -> Result<Run> {
    todo!("run with the seed {seed}")
}
