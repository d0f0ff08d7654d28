//! Chapter 8, exercise 2, difficulty 2: three policies.
//!
//! A tick was due at `due`, and runs at `now`, which is not before. When is the next one due, and how many are left out before that?
//!
//! - `Skip`: at the first beat after `now`, the phase being that of `due`. Left out are the beats after `due` up to `now`, `now` included.
//! - `Burst`: one period after `due`, be it past. None is left out.
//! - `Delay`: one period after `now`. Left out are as many as with `Skip`.
//!
//! The period is not 0. What stands here is a loop that sleeps.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    Skip,
    Burst,
    Delay,
}

/// When the next tick is due, and how many are left out.
pub fn next_due(missed: Missed, period: u64, due: u64, now: u64) -> (u64, u64) {
    let _ = (missed, due);
    (now + period, 0)
}
