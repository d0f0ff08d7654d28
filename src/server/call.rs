//! What a command is, and what its handler is given.

use super::clients::Client;
use super::keyspace::List;
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Args;
use super::state::State;
use crate::token::Key;

/// A row of the [table](super::table).
#[derive(Debug)]
pub(super) struct Command {
    /// In lower case; of a subcommand with its container: `client|kill`.
    pub(super) name: &'static str,
    /// How many arguments there must be, the name included; negative is *at least* so many.
    pub(super) arity: i32,
    pub(super) flags: Flags,
    pub(super) group: &'static str,
    pub(super) keys: Keys,
    pub(super) handler: Handler,
    pub(super) summary: &'static str,
}

/// Writes one reply to the caller, or refuses, or makes the caller wait.
pub(super) type Handler = fn(&mut Call<'_>) -> Result<(), Refusal>;

/// Which arguments are keys: the first, the last (negative counts from the end), and how far apart.
pub(super) type Keys = (i32, i32, i32);

/// What clients are told about a command, and what the dispatcher asks. Bits, since a static table is
/// made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u16);

impl Flags {
    pub(super) const WRITE: Flags = Flags(1);
    pub(super) const READONLY: Flags = Flags(1 << 1);
    pub(super) const DENYOOM: Flags = Flags(1 << 2);
    pub(super) const ADMIN: Flags = Flags(1 << 3);
    pub(super) const NOSCRIPT: Flags = Flags(1 << 4);
    pub(super) const BLOCKING: Flags = Flags(1 << 5);
    pub(super) const LOADING: Flags = Flags(1 << 6);
    pub(super) const STALE: Flags = Flags(1 << 7);
    pub(super) const FAST: Flags = Flags(1 << 8);
    /// Allowed before the client has signed in.
    pub(super) const NO_AUTH: Flags = Flags(1 << 9);
    /// Refused between `MULTI` and `EXEC`.
    pub(super) const NO_MULTI: Flags = Flags(1 << 10);
    pub(super) const MOVABLEKEYS: Flags = Flags(1 << 11);
    /// Executed at once between `MULTI` and `EXEC`, not queued. Not told to clients.
    pub(super) const UNQUEUED: Flags = Flags(1 << 12);
    /// Its first argument names a subcommand. Not told to clients.
    pub(super) const CONTAINER: Flags = Flags(1 << 13);
    /// Postponed by a pause of writes, although it is no write. Hidden from clients, as in Redis.
    pub(super) const MAY_REPLICATE: Flags = Flags(1 << 14);

    /// As clients know them.
    pub(super) const NAMES: [(Flags, &'static str); 12] = [
        (Flags::WRITE, "write"),
        (Flags::READONLY, "readonly"),
        (Flags::DENYOOM, "denyoom"),
        (Flags::ADMIN, "admin"),
        (Flags::NOSCRIPT, "noscript"),
        (Flags::BLOCKING, "blocking"),
        (Flags::LOADING, "loading"),
        (Flags::STALE, "stale"),
        (Flags::FAST, "fast"),
        (Flags::NO_AUTH, "no_auth"),
        (Flags::NO_MULTI, "no_multi"),
        (Flags::MOVABLEKEYS, "movablekeys"),
    ];

    pub(super) const fn and(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    pub(super) const fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }
}

/// One command on its way through a handler.
pub(super) struct Call<'a> {
    pub(super) state: &'a mut State,
    /// Who asks.
    pub(super) client: Key,
    /// The caller's database when the command began.
    pub(super) db: usize,
    pub(super) args: Args<'a>,
    /// The caller's output.
    pub(super) reply: &'a mut Reply,
    /// Within `EXEC`, where nothing may wait.
    pub(super) in_exec: bool,
}

impl<'a> Call<'a> {
    /// The caller. It is there as long as one of its commands runs.
    pub(super) fn caller(&mut self) -> Option<&mut Client> {
        self.state.clients.get_mut(self.client)
    }

    /// An argument that the arity says is there.
    pub(super) fn arg(&self, index: usize) -> &'a [u8] {
        self.args.get(index).unwrap_or_default()
    }

    /// The list at the key that argument `index` names.
    pub(super) fn list(&mut self, index: usize) -> Result<Option<&mut List>, Refusal> {
        let key = self.arg(index);
        self.state.keyspace.list(self.db, key)
    }

    /// Whether an argument is this word, in any case.
    pub(super) fn is_word(&self, index: usize, word: &str) -> bool {
        self.arg(index).eq_ignore_ascii_case(word.as_bytes())
    }
}
