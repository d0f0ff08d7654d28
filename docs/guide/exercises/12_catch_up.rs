//! Chapter 12, exercise 2, difficulty 2: catching up with so many at most.
//!
//! A tick was due at `due`, and runs at `now`, which is not before. The beats after `due` up to `now` (`now` included) are missed. Of them,
//! the last `most` are run late, one after the other; those before are left out. When is the next tick due, which may be past, and how many are
//! left out before it?
//!
//! With `most` 0 this is `Skip` of chapter 8, and with a very large one `Burst`. The period is not 0.

/// When the next tick is due, and how many are left out.
pub fn catch_up(most: u64, period: u64, due: u64, now: u64) -> (u64, u64) {
    let _ = (most, now);
    (due + period, 0)
}
