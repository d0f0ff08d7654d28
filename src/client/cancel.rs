//! How a blocking command is cancelled without losing an element.
//!
//! A server that answers `BRPOP` with an element has removed it from the list already. A client that
//! closes the connection at that moment, because a task was killed or its deadline has passed, loses
//! the element. So a pop in flight is not dropped: the server is asked to end it, with
//! `CLIENT UNBLOCK` on the control connection, and the pop's own answer says what became of it: nil,
//! and the element is still in its list; or an element, which goes to the task if it still waits,
//! and back to its list if it does not.
//!
//! ```text
//!                  the client id is known            :1
//!   begin ────────────────────────────► Asked ─────────────► Unblocked
//!     │                               ▲   │ ▲                   │
//!     │      its answer arrives       │   │ └─────┐             │ the pop is answered
//!     └──────► NeedsId ───────────────┘   │ :0    │ the pause   │
//!                                         │       │ is over     │
//!                                         ├───► Pausing         │
//!                   the pop is answered   │       │ answered    │
//!                                         ▼       ▼             ▼
//!                                     Answered ───────► (the connection is free)
//!                                              :0, :1
//! ```
//!
//! `:1` promises that the nil is on its way. `:0` says that the client does not wait: either its
//! answer is on its way, or the server has not read the command yet. Only the answer can tell, so
//! the question is put again after a pause.
//!
//! *Answered* is the state that a hasty client gets wrong. The pop has been answered, but a question
//! about it is under way: if the connection carried another pop now, the server would end that one.
//! If the control connection is lost with the question, the server may still read it: then the
//! pop's connection is not used again.

use crate::time::{Time, ms};
use std::time::Duration;

/// Why a request in flight is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CancelCause {
    /// The server should have answered by now. Whatever comes is the answer.
    Overdue,
    /// Its task no longer waits, or its deadline has passed: nil means that nothing was popped.
    Task,
    /// Its client is being closed.
    Close,
}

/// The cancelling of what one connection carries.
#[derive(Debug)]
pub(super) struct Cancel {
    phase: Phase,
    /// How often the server was asked in vain.
    tries: u32,
    /// When it began.
    began: Time,
    /// When the connection is closed.
    until: Time,
    /// When a pause ends.
    pause_until: Time,
    /// A question was lost: the server may read it at any time.
    stray_unblock: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    NeedsId,
    Asked,
    Pausing,
    Unblocked,
    Answered,
    Finished,
}

/// What the connection that is asked about knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knows {
    /// Its client id.
    Id,
    /// Nothing yet: the answer to `CLIENT ID` is on its way.
    NotYet,
    /// Its reply has begun to arrive: there is nothing to ask.
    ReplyBegun,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing: something will come.
    Wait,
    /// Ask the server to end the wait.
    Ask,
    /// Nothing is in flight and no question is under way: the connection is free.
    Free,
    /// The connection must not be used again.
    Close,
}

/// The reply to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnblockReply {
    /// `:1`
    Unblocked,
    /// `:0`
    NotBlocked,
    /// The question was not put, or the server cannot answer it now.
    NotNow,
    /// The server will never do it.
    Refused,
    /// The question was put, and the answer is lost.
    Lost,
}

const FIRST_PAUSE: Duration = ms(1);

/// 2^6 times the first: 64 ms.
const DOUBLINGS_MAX: u32 = 6;

impl Cancel {
    /// Begins to cancel what is in flight; the connection is closed at `until`.
    pub(super) fn begin(knows: Knows, now: Time, until: Time) -> (Cancel, Action) {
        let (phase, action) = match knows {
            Knows::Id => (Phase::Asked, Action::Ask),
            Knows::NotYet => (Phase::NeedsId, Action::Wait),
            Knows::ReplyBegun => (Phase::Unblocked, Action::Wait),
        };
        let cancel = Cancel {
            phase,
            tries: 0,
            began: now,
            until,
            pause_until: now,
            stray_unblock: false,
        };
        (cancel, action)
    }

    /// When it began.
    pub(super) fn began(&self) -> Time {
        self.began
    }

    /// When the connection is closed.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Moves the time at which the connection is closed.
    pub(super) fn extend(&mut self, until: Time) {
        self.until = until;
    }

    /// When something is to be done: a pause ends, or the connection is closed.
    pub(super) fn deadline(&self) -> Time {
        match self.phase {
            Phase::Pausing => self.pause_until.min(self.until),
            _ => self.until,
        }
    }

    /// True if a question is waiting for the control connection, or was put on it.
    pub(super) fn asks(&self) -> bool {
        self.phase == Phase::Asked
    }

    /// The client id is known now, or will not be.
    pub(super) fn on_id(&mut self, is_known: bool) -> Action {
        match (self.phase, is_known) {
            (Phase::NeedsId, true) => self.ask(),
            (Phase::NeedsId, false) => Action::Close,
            _ => Action::Wait,
        }
    }

    /// Asks again if a pause is over.
    pub(super) fn on_time(&mut self, now: Time) -> Action {
        match self.phase {
            Phase::Pausing if self.pause_until <= now => self.ask(),
            _ => Action::Wait,
        }
    }

    fn ask(&mut self) -> Action {
        self.phase = Phase::Asked;
        Action::Ask
    }

    /// A question has been answered, or never will be.
    pub(super) fn on_unblock_reply(&mut self, reply: UnblockReply, now: Time) -> Action {
        self.stray_unblock |= reply == UnblockReply::Lost;
        match (self.phase, reply) {
            (Phase::Answered, _) if self.stray_unblock => Action::Close,
            (Phase::Answered, _) => self.finish(),
            (Phase::Asked, UnblockReply::Unblocked) => {
                self.phase = Phase::Unblocked;
                Action::Wait
            }
            (Phase::Asked, UnblockReply::Refused) => Action::Close,
            (Phase::Asked, _) => self.pause(now),
            _ => Action::Wait,
        }
    }

    /// What was in flight has been answered.
    pub(super) fn on_answer(&mut self) -> Action {
        match self.phase {
            Phase::Asked => {
                self.phase = Phase::Answered;
                Action::Wait
            }
            _ if self.stray_unblock => Action::Close,
            Phase::Answered => Action::Wait,
            _ => self.finish(),
        }
    }

    fn finish(&mut self) -> Action {
        self.phase = Phase::Finished;
        Action::Free
    }

    fn pause(&mut self, now: Time) -> Action {
        let pause = FIRST_PAUSE * (1 << self.tries.min(DOUBLINGS_MAX));
        self.tries += 1;
        self.pause_until = now + pause;
        self.phase = Phase::Pausing;
        Action::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_nanos(1_000_000);
    const LATER: Time = Time::from_nanos(1_000_000_000);

    fn asked() -> Cancel {
        let (cancel, action) = Cancel::begin(Knows::Id, NOW, LATER);
        assert_eq!(action, Action::Ask);
        cancel
    }

    #[test]
    fn unblocked_connection_is_free_once_its_nil_arrives() {
        let mut cancel = asked();
        let action = cancel.on_unblock_reply(UnblockReply::Unblocked, NOW);
        assert_eq!(action, Action::Wait);
        assert_eq!(cancel.on_answer(), Action::Free);
    }

    #[test]
    fn answer_that_overtakes_the_question_waits_for_its_reply() {
        use UnblockReply::{NotBlocked, NotNow, Refused, Unblocked};
        for reply in [Unblocked, NotBlocked, NotNow, Refused] {
            let mut cancel = asked();
            assert_eq!(cancel.on_answer(), Action::Wait);
            let action = cancel.on_unblock_reply(reply, NOW);
            assert_eq!(action, Action::Free, "{reply:?}");
        }
    }

    #[test]
    fn command_that_was_not_read_is_asked_about_again_later() {
        let (mut cancel, mut now) = (asked(), NOW);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let action = cancel.on_unblock_reply(UnblockReply::NotBlocked, now);
            assert_eq!(action, Action::Wait);
            assert_eq!(cancel.on_time(now), Action::Wait, "the pause is not over");
            pauses.push(cancel.deadline().since(now));
            now = cancel.deadline();
            assert_eq!(cancel.on_time(now), Action::Ask);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64].map(ms));
    }

    #[test]
    fn answer_during_a_pause_frees_the_connection() {
        let mut cancel = asked();
        cancel.on_unblock_reply(UnblockReply::NotBlocked, NOW);
        assert_eq!(cancel.on_answer(), Action::Free);
    }

    #[test]
    fn connection_with_a_lost_question_is_closed_after_its_answer() {
        let mut cancel = asked();
        let action = cancel.on_unblock_reply(UnblockReply::Lost, NOW);
        assert_eq!(action, Action::Wait);
        assert_eq!(cancel.on_time(cancel.deadline()), Action::Ask);
        cancel.on_unblock_reply(UnblockReply::Unblocked, NOW);
        assert_eq!(cancel.on_answer(), Action::Close);
        let mut cancel = asked();
        assert_eq!(cancel.on_answer(), Action::Wait);
        let action = cancel.on_unblock_reply(UnblockReply::Lost, NOW);
        assert_eq!(action, Action::Close);
    }

    #[test]
    fn refused_question_closes_the_connection() {
        let action = asked().on_unblock_reply(UnblockReply::Refused, NOW);
        assert_eq!(action, Action::Close);
        let (mut cancel, action) = Cancel::begin(Knows::NotYet, NOW, LATER);
        assert_eq!(action, Action::Wait);
        assert_eq!(cancel.on_id(false), Action::Close);
    }

    #[test]
    fn question_is_put_once_the_client_id_is_known() {
        let (mut cancel, _) = Cancel::begin(Knows::NotYet, NOW, LATER);
        assert_eq!(cancel.on_id(true), Action::Ask);
        let (mut cancel, _) = Cancel::begin(Knows::NotYet, NOW, LATER);
        assert_eq!(cancel.on_answer(), Action::Free);
        assert_eq!(cancel.on_id(true), Action::Wait);
    }

    #[test]
    fn reply_that_has_begun_is_waited_for_without_a_question() {
        let (mut cancel, action) = Cancel::begin(Knows::ReplyBegun, NOW, LATER);
        assert_eq!(action, Action::Wait);
        assert_eq!(cancel.deadline(), LATER);
        assert_eq!(cancel.on_answer(), Action::Free);
    }
}
