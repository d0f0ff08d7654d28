//! Chapter 6, exercise 3: a wheel of two levels.

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
        self.file(when);
    }

    fn file(&mut self, when: usize) {
        self.work += 1;
        let level = usize::from(self.now / 8 != when / 8);
        let digit = if level == 0 { when % 8 } else { when / 8 };
        self.slots[level][digit].push(when);
    }

    /// Until when it is safe to sleep.
    pub fn next_wake(&self) -> Option<usize> {
        let first = |level: usize| {
            let mut slots = self.slots[level].iter();
            slots.position(|timers| !timers.is_empty())
        };
        // Where a slot of level 1 begins may be sooner than its first timer, and never later.
        first(0)
            .map(|digit| self.now / 8 * 8 + digit)
            .or_else(|| first(1).map(|digit| digit * 8))
    }

    /// What is due up to `now`, by its tick.
    pub fn advance(&mut self, now: usize) -> Vec<usize> {
        let mut due = Vec::new();
        while let Some(next) = self.next_wake().filter(|next| *next <= now) {
            let enters = next / 8 != self.now / 8;
            self.now = next;
            if enters {
                for when in std::mem::take(&mut self.slots[1][next / 8]) {
                    self.file(when);
                }
            }
            let fired = std::mem::take(&mut self.slots[0][next % 8]);
            self.work += fired.len();
            due.extend(fired);
        }
        self.now = self.now.max(now);
        due
    }
}
