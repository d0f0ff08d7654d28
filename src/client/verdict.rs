//! What an error reply says about its command: one table.
//!
//! A command that the server says it did not execute may be sent again; one that may have been
//! executed never is. The first word of an error reply is its code, and these codes are sent before
//! the command runs (`processCommand` in Redis' `server.c`, and `blocked.c` for commands that were
//! waiting). Any other code is the command's own result, and final.

use super::cancel::CancelCause;
use crate::resp::Value;

/// What an error reply says about its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not executed: the server is not ready for any command, and will be after a while.
    NotReady,
    /// Not executed: the server is not ready for this command, and may be after a while.
    NotNow,
    /// Not executed: this server no longer takes it, another one may.
    NotHere,
    /// Not executed: the server wants other credentials.
    Credentials,
    /// The server has no room for this connection, and has read nothing from it.
    Full,
    /// The command's own result, or a refusal that will not change by itself.
    Final,
}

/// The code of an error reply: its first word.
pub(super) fn error_code(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == b' ').next().unwrap_or_default()
}

/// Codes and what they say. `docs/architecture.md` has their sources.
const CODES: &[(&[u8], Verdict)] = &[
    (b"LOADING", Verdict::NotReady),
    (b"MASTERDOWN", Verdict::NotReady),
    (b"BUSY", Verdict::NotNow),
    (b"TRYAGAIN", Verdict::NotNow),
    (b"CLUSTERDOWN", Verdict::NotNow),
    (b"MISCONF", Verdict::NotNow),
    (b"NOREPLICAS", Verdict::NotNow),
    (b"OOM", Verdict::NotNow),
    (b"READONLY", Verdict::NotHere),
    (b"NOAUTH", Verdict::Credentials),
    (b"WRONGPASS", Verdict::Credentials),
    (b"DENIED", Verdict::Credentials),
];

/// Sent to a connection for which the server has no room; a cluster node adds words.
const FULL: &[u8] = b"ERR max number of clients";

/// Sent to blocked clients when the server's role changes. The other texts with this code are the
/// wish of an administrator (`CLIENT UNBLOCK id ERROR`), or say that a stream is gone: final.
const ROLE_CHANGED: &[u8] = b"UNBLOCKED force unblock";

impl Verdict {
    /// The verdict of an error reply's text.
    pub(super) fn of(text: &[u8]) -> Verdict {
        if text.starts_with(FULL) {
            return Verdict::Full;
        }
        if text.starts_with(ROLE_CHANGED) {
            return Verdict::NotHere;
        }
        let code = error_code(text);
        let known = CODES.iter().find(|(name, _)| *name == code);
        known.map_or(Verdict::Final, |&(_, verdict)| verdict)
    }

    /// The verdict of a reply; `None` if it is not an error.
    #[inline]
    pub(super) fn of_reply(reply: &Value) -> Option<Verdict> {
        match reply {
            Value::Error(text) => Some(Verdict::of(text)),
            _ => None,
        }
    }

    /// True if the server will answer whatever follows on this connection with the same error, or
    /// will close it.
    pub(super) fn ends_connection(self) -> bool {
        !matches!(self, Verdict::NotNow | Verdict::Final)
    }

    /// True if another server, or other credentials, are wanted.
    pub(super) fn is_refusal(self) -> bool {
        matches!(self, Verdict::NotHere | Verdict::Credentials)
    }
}

/// What is done about the answer to a blocking command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is the request's result.
    Deliver,
    /// The request was cancelled, and nothing was executed.
    EndCancelled,
    /// The next slice begins, on this connection.
    NextSlice,
    /// It is sent again on this connection, after a pause.
    RetryLater,
    /// It goes back to the end of the queue.
    RequeueLast,
    /// It goes back to the front of the queue.
    RequeueFirst,
}

impl Decision {
    /// What is done about an answer that is nil, or an error with this verdict, or an element.
    ///
    /// Only a request that `repeats`, a wait without a timeout, is sent again after an error: any
    /// other one has a deadline of its own, and a program that looks at its errors. A server that
    /// is full is the exception: it has read nothing.
    pub(super) fn of(
        repeats: bool,
        cancel: Option<CancelCause>,
        is_nil: bool,
        verdict: Option<Verdict>,
    ) -> Decision {
        use CancelCause::{Overdue, Task};
        use Verdict::{Final, Full, NotHere, NotNow, NotReady};
        match (verdict, cancel) {
            (Some(Final), _) => Decision::Deliver,
            (Some(_), Some(Task)) => Decision::EndCancelled,
            (Some(Full), None | Some(Overdue)) => Decision::RequeueFirst,
            (Some(NotReady | NotNow), None) if repeats => Decision::RetryLater,
            (Some(NotReady | NotNow | NotHere), Some(Overdue)) if repeats => Decision::RequeueLast,
            (Some(NotHere), None) if repeats => Decision::RequeueFirst,
            (None, None) if repeats && is_nil => Decision::NextSlice,
            // The server was asked to end a slice that should have ended long before.
            (None, Some(Overdue)) if repeats && is_nil => Decision::RequeueLast,
            _ => Decision::Deliver,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_code_counts() {
        assert_eq!(
            Verdict::of(b"BUSYGROUP Consumer Group name"),
            Verdict::Final
        );
        assert_eq!(Verdict::of(b"BUSYKEY Target key name"), Verdict::Final);
        assert_eq!(Verdict::of(b"BUSY Redis is busy"), Verdict::NotNow);
        assert_eq!(Verdict::of(b"LOADING"), Verdict::NotReady);
        assert_eq!(Verdict::of(b""), Verdict::Final);
    }

    #[test]
    fn an_error_that_proves_nothing_happened_repeats_a_wait_without_a_timeout() {
        use Decision::{Deliver, EndCancelled, RequeueFirst, RequeueLast, RetryLater};
        let cases = [
            (Verdict::NotReady, RetryLater, Deliver),
            (Verdict::NotNow, RetryLater, Deliver),
            (Verdict::NotHere, RequeueFirst, Deliver),
            (Verdict::Credentials, Deliver, Deliver),
            (Verdict::Full, RequeueFirst, RequeueFirst),
            (Verdict::Final, Deliver, Deliver),
        ];
        for (verdict, repeated, single) in cases {
            let of = |repeats| Decision::of(repeats, None, false, Some(verdict));
            assert_eq!((of(true), of(false)), (repeated, single), "{verdict:?}");
            let cancelled = Decision::of(true, Some(CancelCause::Task), false, Some(verdict));
            let expected = match verdict {
                Verdict::Final => Deliver,
                _ => EndCancelled,
            };
            assert_eq!(cancelled, expected, "{verdict:?}");
        }
        let overdue = Some(CancelCause::Overdue);
        assert_eq!(Decision::of(true, overdue, true, None), RequeueLast);
        assert_eq!(Decision::of(false, overdue, true, None), Deliver);
    }

    #[test]
    fn nil_begins_the_next_slice_unless_the_wait_is_cancelled() {
        let nil = |repeats, cancel| Decision::of(repeats, cancel, true, None);
        assert_eq!(nil(true, None), Decision::NextSlice);
        assert_eq!(nil(true, Some(CancelCause::Task)), Decision::Deliver);
        assert_eq!(nil(true, Some(CancelCause::Close)), Decision::Deliver);
        assert_eq!(nil(false, None), Decision::Deliver);
    }

    #[test]
    fn only_a_role_change_makes_unblocked_repeatable() {
        let role = b"UNBLOCKED force unblock from blocking operation, \
            instance state changed (master -> replica?)";
        assert_eq!(Verdict::of(role), Verdict::NotHere);
        let wish = b"UNBLOCKED client unblocked via CLIENT UNBLOCK";
        assert_eq!(Verdict::of(wish), Verdict::Final);
        let stream = b"UNBLOCKED the stream key no longer exists";
        assert_eq!(Verdict::of(stream), Verdict::Final);
    }

    #[test]
    fn a_full_server_is_recognised_in_both_wordings() {
        assert_eq!(
            Verdict::of(b"ERR max number of clients reached"),
            Verdict::Full
        );
        let cluster = b"ERR max number of clients + cluster connections reached";
        assert_eq!(Verdict::of(cluster), Verdict::Full);
    }
}
