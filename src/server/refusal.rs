//! Why a command was not executed, in Redis' words.

use std::borrow::Cow;

/// Why a command was not executed: the text of its error reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An error of the common code `ERR`.
    Err(Cow<'static, [u8]>),
    /// An error with a code of its own, which is the first word.
    Coded(Cow<'static, [u8]>),
}

impl Refusal {
    pub(super) const WRONG_TYPE: Refusal =
        Refusal::coded("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub(super) const NOT_AN_INTEGER: Refusal =
        Refusal::err("value is not an integer or out of range");
    pub(super) const SYNTAX: Refusal = Refusal::err("syntax error");
    pub(super) const NO_AUTH: Refusal = Refusal::coded("NOAUTH Authentication required.");
    pub(super) const FULL: Refusal = Refusal::err("max number of clients reached");
    pub(super) const NO_HYPERLOGLOG: Refusal =
        Refusal::coded("WRONGTYPE Key is not a valid HyperLogLog string value.");
    pub(super) const READ_ONLY: Refusal =
        Refusal::coded("READONLY You can't write against a read only replica.");
    pub(super) const DEMOTED: Refusal = Refusal::coded(
        "UNBLOCKED force unblock from blocking operation, instance state changed \
         (master -> replica?)",
    );
    pub(super) const WRONG_PASS: Refusal =
        Refusal::coded("WRONGPASS invalid username-password pair or user is disabled.");

    pub(super) const fn err(text: &'static str) -> Refusal {
        Refusal::Err(Cow::Borrowed(text.as_bytes()))
    }

    pub(super) const fn coded(text: &'static str) -> Refusal {
        Refusal::Coded(Cow::Borrowed(text.as_bytes()))
    }

    /// An error that repeats something of the request: `{}` in `text` stands for it.
    pub(super) fn about(text: &str, what: &[u8]) -> Refusal {
        let (before, after) = text.split_once("{}").unwrap_or((text, ""));
        let whole = [before.as_bytes(), what, after.as_bytes()].concat();
        Refusal::Err(Cow::Owned(whole))
    }

    pub(super) fn arity(command: &str) -> Refusal {
        let text = "wrong number of arguments for '{}' command";
        Refusal::about(text, command.as_bytes())
    }

    /// With its code in front.
    pub(super) fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Refusal::Err(text) => Cow::Owned([b"ERR ", &**text].concat()),
            Refusal::Coded(text) => Cow::Borrowed(text),
        }
    }

    /// Without the code, where that is the common one.
    pub(super) fn bare(&self) -> &[u8] {
        let (Refusal::Err(text) | Refusal::Coded(text)) = self;
        text
    }
}
