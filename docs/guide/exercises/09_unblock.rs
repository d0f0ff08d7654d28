//! Chapter 9, exercise 3, difficulty 3: cancelling a pop.
//!
//! A pop is in flight on its own connection. `step` is told what happens, and says what is to be done next:
//!
//! - `Begin` (once, at first): the pop is cancelled. Ask.
//! - `Said(One)`: the server has ended the wait; the pop's nil will come.
//! - `Said(Zero)`: it did not wait. Its answer is under way, or it has not been read yet: pause, and ask again if no answer comes meanwhile.
//! - `Said(Lost)`: the control connection broke with the question. The server may read it at any
//!   time, or never. Pause, and ask again; but this connection must not be used again in the end:
//!   `Close` it, where it would be `Free`.
//! - `PauseOver`: the pause that was asked for is over.
//! - `Answered` (once): the pop's own answer has come, nil or not.
//!
//! `Free` means: give the connection to somebody else. So no question about it may be under way then. After `Free` and `Close` nothing more is
//! told. One question is under way at a time; a pause may end after the answer has come.
//!
//! What stands here does not wait for the question.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    One,
    Zero,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    Begin,
    Said(Said),
    PauseOver,
    Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: something will come.
    Wait,
    /// Ask the server to end the wait.
    Ask,
    /// Go on after a while.
    Pause,
    Free,
    Close,
}

#[derive(Default)]
pub struct Unblock {}

impl Unblock {
    /// What is to be done after this has happened.
    pub fn step(&mut self, happened: Happened) -> Next {
        match happened {
            Happened::Begin | Happened::PauseOver => Next::Ask,
            Happened::Said(Said::One) => Next::Wait,
            Happened::Said(_) => Next::Pause,
            Happened::Answered => Next::Free,
        }
    }
}
