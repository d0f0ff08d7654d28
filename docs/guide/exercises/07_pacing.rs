//! Chapter 7, exercise 3, difficulty 2: dials that do not overrun the backlog.
//!
//! Connections are dialed as numbers 1, 2, 3 and so on. The server accepts them in this order, when it gets round to it; until then they stand in
//! its backlog, which has room for `window`. That it has accepted one is known when it answers on it. Most connections say nothing. But
//! those for which `must_answer` is true begin with a `PING`, and are heard.
//!
//! Never have more than `window` dials of which nothing proves that they were accepted. Make one in (about) every `window / 4` answer, and never so few
//! that dialing stands still for ever.
//!
//! What stands here counts those that were not heard. Most never will be.

pub struct Pacing {
    window: u64,
    dialed: u64,
    heard: u64,
}

impl Pacing {
    pub fn new(window: u64) -> Pacing {
        Pacing {
            window,
            dialed: 0,
            heard: 0,
        }
    }

    /// Whether one more may be dialed now.
    pub fn may_dial(&self) -> bool {
        self.dialed - self.heard < self.window
    }

    /// Dials, and returns the number.
    pub fn dial(&mut self) -> u64 {
        self.dialed += 1;
        self.dialed
    }

    /// Whether this connection must answer a `PING`.
    pub fn must_answer(&self, number: u64) -> bool {
        number % 64 == 0
    }

    /// The server has answered on this connection. Answers may come in any order.
    pub fn hear(&mut self, number: u64) {
        self.heard += 1;
    }
}
