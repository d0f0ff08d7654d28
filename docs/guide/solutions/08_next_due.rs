//! Chapter 8, exercise 2: three policies.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    Skip,
    Burst,
    Delay,
}

/// When the next tick is due, and how many are left out.
pub fn next_due(missed: Missed, period: u64, due: u64, now: u64) -> (u64, u64) {
    let behind = (now - due) / period;
    match missed {
        Missed::Skip => (due + (behind + 1) * period, behind),
        Missed::Burst => (due + period, 0),
        Missed::Delay => (now + period, behind),
    }
}
