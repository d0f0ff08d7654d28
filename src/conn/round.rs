//! What a connection keeps of a wait without end between two of its rounds.

use crate::time::Time;

/// What a round needs to begin again, and when the first of them began.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) bytes: Box<[u8]>,
    pub(super) began: Time,
}

impl Rounds {
    pub(super) fn begin(bytes: &[u8], now: Time) -> Rounds {
        Rounds {
            bytes: bytes.into(),
            began: now,
        }
    }
}
