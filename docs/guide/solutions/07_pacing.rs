//! Chapter 7, exercise 3: dials that do not overrun the backlog.

pub struct Pacing {
    window: u64,
    dialed: u64,
    /// The highest number that was heard: all up to it have been accepted.
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
        number.is_multiple_of((self.window / 4).max(1))
    }

    /// The server has answered on this connection. Answers may come in any order.
    pub fn hear(&mut self, number: u64) {
        self.heard = self.heard.max(number);
    }
}
