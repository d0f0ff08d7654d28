//! Chapter 9, exercise 3: taking a pop back.

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

#[derive(Clone, Copy, Default)]
enum Phase {
    #[default]
    Off,
    Asked,
    Pausing,
    Unblocked,
    /// The pop is answered, and the question is not.
    Answered,
}

#[derive(Default)]
pub struct Unblock {
    phase: Phase,
    /// A question was lost: the server may read it at any time.
    haunted: bool,
}

impl Unblock {
    /// What is to be done after this has happened.
    pub fn step(&mut self, happened: Happened) -> Next {
        self.haunted |= happened == Happened::Said(Said::Lost);
        let (phase, next) = match (self.phase, happened) {
            (Phase::Off, Happened::Begin) => (Phase::Asked, Next::Ask),
            (Phase::Pausing, Happened::PauseOver) => (Phase::Asked, Next::Ask),
            (Phase::Asked, Happened::Said(Said::One)) => (Phase::Unblocked, Next::Wait),
            (Phase::Asked, Happened::Said(_)) => (Phase::Pausing, Next::Pause),
            (Phase::Asked, Happened::Answered) => (Phase::Answered, Next::Wait),
            (Phase::Answered, Happened::Said(_)) => (Phase::Off, self.end()),
            (Phase::Pausing | Phase::Unblocked, Happened::Answered) => (Phase::Off, self.end()),
            (phase, _) => (phase, Next::Wait),
        };
        self.phase = phase;
        next
    }

    fn end(&self) -> Next {
        match self.haunted {
            true => Next::Close,
            false => Next::Free,
        }
    }
}
