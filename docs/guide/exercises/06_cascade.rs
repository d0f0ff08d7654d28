//! Chapter 6, exercise 3, difficulty 3: a wheel of two levels.
//!
//! Ticks are 0 to 63, two digits in base 8: a level has 8 slots, and a slot is a vector of timers. `arm` files a timer under the
//! highest digit in which it differs from the present. `advance` lets time pass to `now` and returns the timers that are due, in the order of
//! their ticks; when the present enters a slot of level 1, its timers are filed anew. `next_wake` is no later than the earliest timer and later
//! than the present, and `None` when there is no timer.
//!
//! `Wheel::work` counts the timers that were looked at. A timer is looked at when it is filed, when it cascades and when it fires, and never
//! otherwise: three times, at most. (`next_wake` may look at slots, but not into them, or at no more than one of them.)

#[derive(Default)]
pub struct Wheel {
    now: usize,
    /// `slots[level][digit]`: the ticks of the timers there.
    slots: [[Vec<usize>; 8]; 2],
    pub work: usize,
}

impl Wheel {
    /// Arms a timer for a tick to come.
    pub fn arm(&mut self, when: usize) {
        assert!(self.now < when && when < 64);
        todo!("file it")
    }

    /// Until when it is safe to sleep.
    pub fn next_wake(&self) -> Option<usize> {
        todo!("find the first slot that has a timer")
    }

    /// What is due up to `now`, by its tick.
    pub fn advance(&mut self, now: usize) -> Vec<usize> {
        todo!("let time pass from {} to {now}", self.now)
    }
}
