//! How a blocking command is taken back without losing an element.
//!
//! A server that answers `BRPOP` with an element has taken it out of the list already. Whoever closes the connection at
//! that moment, because a task was killed or has waited long enough, loses it: nobody else will ever get it. So a pop
//! in flight is not dropped. The server is asked to end it, with `CLIENT UNBLOCK` on the shared connection, and the pop's
//! own answer says what became of it: nil, and the element is where it was; or an element, which is *late*, and goes to
//! who has waited, or back to where it came from.
//!
//! ```text
//!                  the id is known                        :1
//!   begin ──────────────────────────────► Asked ─────────────────► Unblocked
//!     │                                 ▲   │  ▲                       │
//!     │          named                  │   │  └──────┐                │
//!     └────────► Unnamed ───────────────┘   │ :0, or  │ a pause        │ the pop is answered
//!                                           │ an error│ is over        │
//!                                           ├──────► Pausing           │
//!                     the pop is answered   │         │ answered       │
//!                                           ▼         ▼                ▼
//!                                       Answered ──────────────► (the connection is free)
//!                                                  :0, :1
//! ```
//!
//! `:1` promises that the nil is on its way. `:0` says that the client does not wait: its answer is under way already, or
//! its command has not been read yet; which of the two only the answer can tell, so the question is put again after a pause.
//!
//! *Answered* is the state in which a client that is in a hurry goes wrong. The pop has been answered, but a question
//! about it is under way: if the connection were given to another pop now, the server would end that one. And if the
//! shared connection is lost with the question, nobody knows whether the server will read it: then the connection
//! is not used again.

use super::round::Rounds;
use crate::time::{Time, ms};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What a connection knows about being taken back. Those that never were have none.
#[derive(Debug, Default)]
pub(super) struct Cancel {
    /// The server's number for this client, once it is known.
    id: Option<u64>,
    phase: Phase,
    /// How often the server was asked in vain.
    tries: u32,
    /// When the connection is given up.
    until: Time,
    /// A question was lost: the server may read it at any time.
    haunted: bool,
    /// What is asked round by round, if that is in flight.
    pub(super) rounds: Option<Rounds>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Nothing is taken back.
    #[default]
    Off,
    Unnamed,
    Asked,
    Pausing,
    Unblocked,
    Answered,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: something will come.
    Wait,
    /// The id has to be found out.
    Name,
    /// Ask for the end of what client `id` waits for.
    Ask(u64),
    /// Go on after a while.
    Pause(Duration),
    /// Nothing is in flight and nothing is under way: the connection is free.
    Free,
    /// The connection must not be used again.
    Close,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// `:1`
    Unblocked,
    /// `:0`
    NotBlocked,
    /// It was not put, or the server cannot say now.
    NotNow,
    /// The server will never do it.
    Refused,
    /// It was put, and the answer is lost.
    Lost,
}

const FIRST_PAUSE: Duration = ms(1);

/// 2^6 times the first: 64 ms.
const DOUBLINGS_MAX: u32 = 6;

impl Cancel {
    /// The server's number for this client.
    pub(super) fn id(&self) -> Option<u64> {
        self.id
    }

    /// Whether something is being taken back.
    pub(super) fn is_under_way(&self) -> bool {
        self.phase != Phase::Off
    }

    /// When the connection is given up.
    pub(super) fn until(&self) -> Time {
        self.until
    }

    /// Takes back what is in flight, trying `until` then.
    pub(super) fn begin(&mut self, until: Time) -> Next {
        debug_assert!(!self.is_under_way());
        self.until = until;
        self.tries = 0;
        self.go_on()
    }

    /// A pause is over.
    pub(super) fn go_on(&mut self) -> Next {
        match self.id {
            Some(id) => {
                self.phase = Phase::Asked;
                Next::Ask(id)
            }
            None => {
                self.phase = Phase::Unnamed;
                Next::Name
            }
        }
    }

    /// The id, if the server is to be asked, or has been.
    pub(super) fn asks(&self) -> Option<u64> {
        self.id.filter(|_| self.phase == Phase::Asked)
    }

    /// Whether a pause was to end with the timer.
    pub(super) fn pauses(&self) -> bool {
        self.phase == Phase::Pausing
    }

    /// The server has said who this client is.
    pub(super) fn named(&mut self, id: u64) -> Next {
        self.id = Some(id);
        match self.phase {
            Phase::Unnamed => self.go_on(),
            _ => Next::Wait,
        }
    }

    /// The id could not be found out: the server may not have accepted the connection yet.
    pub(super) fn not_named(&mut self, said: Said) -> Next {
        match (self.phase, said) {
            (Phase::Unnamed, Said::Refused) => Next::Close,
            (Phase::Unnamed, _) => self.pause(),
            _ => Next::Wait,
        }
    }

    /// A question has been answered, or never will be.
    pub(super) fn replied(&mut self, said: Said) -> Next {
        self.haunted |= said == Said::Lost;
        match (self.phase, said) {
            (Phase::Answered, _) if self.haunted => Next::Close,
            (Phase::Answered, _) => self.over(),
            (Phase::Asked, Said::Unblocked) => {
                self.phase = Phase::Unblocked;
                Next::Wait
            }
            (Phase::Asked, Said::Refused) => Next::Close,
            (Phase::Asked, _) => self.pause(),
            _ => Next::Wait,
        }
    }

    /// What was to be taken back has been answered.
    pub(super) fn answered(&mut self) -> Next {
        match self.phase {
            Phase::Asked => {
                self.phase = Phase::Answered;
                Next::Wait
            }
            _ if self.haunted => Next::Close,
            Phase::Answered => Next::Wait,
            Phase::Off | Phase::Unnamed | Phase::Pausing | Phase::Unblocked => self.over(),
        }
    }

    fn over(&mut self) -> Next {
        self.phase = Phase::Off;
        Next::Free
    }

    fn pause(&mut self) -> Next {
        let pause = FIRST_PAUSE * (1 << self.tries.min(DOUBLINGS_MAX));
        self.tries += 1;
        self.phase = Phase::Pausing;
        Next::Pause(pause)
    }
}

/// The ids of a server's clients, by their address and, where it is told, the server's that they are connected to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ids(BTreeMap<(SocketAddr, Option<SocketAddr>), u64>);

impl Ids {
    /// Reads the reply to `CLIENT LIST`: a client a line, of fields such as `id=7` and `addr=127.0.0.1:50000`. Since
    /// version 6.2 `laddr` tells the server's own address.
    pub(super) fn read(list: &[u8]) -> Ids {
        let mut ids = BTreeMap::new();
        for line in list.split(|&byte| byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            let field = |name: &str| {
                let mut fields = line.split_ascii_whitespace();
                fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
            };
            let address = |name: &str| field(name)?.parse::<SocketAddr>().ok();
            let id = field("id").and_then(|id| id.parse::<u64>().ok());
            let (Some(id), Some(client)) = (id, address("addr")) else {
                continue;
            };
            // Where two have the same address, the server has not noticed yet that the older one is gone.
            let known = ids.entry((client, address("laddr"))).or_insert(id);
            *known = id.max(*known);
        }
        Ids(ids)
    }

    /// The id of the client that is connected from `local` to `server`, if the server knows both by these addresses:
    /// behind a translation of addresses it does not.
    pub(crate) fn find(&self, local: SocketAddr, server: SocketAddr) -> Option<u64> {
        let known = self.0.get(&(local, Some(server)));
        known.or_else(|| self.0.get(&(local, None))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATER: Time = Time::from_nanos(1_000_000_000);

    fn begun() -> Cancel {
        let mut cancel = Cancel::default();
        assert_eq!(cancel.named(7), Next::Wait);
        assert_eq!(cancel.begin(LATER), Next::Ask(7));
        cancel
    }

    #[test]
    fn one_that_is_unblocked_is_free_when_its_nil_has_come() {
        let mut cancel = begun();
        assert_eq!(cancel.replied(Said::Unblocked), Next::Wait);
        assert_eq!(cancel.answered(), Next::Free);
        assert!(!cancel.is_under_way());
        assert_eq!(cancel.begin(LATER), Next::Ask(7), "the id is remembered");
    }

    #[test]
    fn an_answer_that_overtakes_the_question_waits_for_its_end() {
        for said in [
            Said::Unblocked,
            Said::NotBlocked,
            Said::NotNow,
            Said::Refused,
        ] {
            let mut cancel = begun();
            assert_eq!(cancel.answered(), Next::Wait);
            assert!(cancel.is_under_way());
            assert_eq!(cancel.replied(said), Next::Free, "{said:?}");
        }
    }

    #[test]
    fn a_server_that_has_not_read_the_command_is_asked_again_and_again_later() {
        let mut cancel = begun();
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let Next::Pause(pause) = cancel.replied(Said::NotBlocked) else {
                panic!("{cancel:?}");
            };
            pauses.push(pause);
            assert_eq!(cancel.go_on(), Next::Ask(7));
        }
        let expected = [1, 2, 4, 8, 16, 32, 64, 64].map(ms);
        assert_eq!(pauses, expected);
    }

    #[test]
    fn an_answer_in_a_pause_is_the_end() {
        let mut cancel = begun();
        cancel.replied(Said::NotBlocked);
        assert_eq!(cancel.answered(), Next::Free);
    }

    #[test]
    fn one_whose_question_was_lost_is_not_used_again() {
        let mut cancel = begun();
        assert_eq!(cancel.replied(Said::Lost), Next::Pause(ms(1)));
        assert_eq!(cancel.go_on(), Next::Ask(7));
        assert_eq!(cancel.replied(Said::Unblocked), Next::Wait);
        assert_eq!(cancel.answered(), Next::Close);
        let mut cancel = begun();
        assert_eq!(cancel.answered(), Next::Wait);
        assert_eq!(cancel.replied(Said::Lost), Next::Close);
    }

    #[test]
    fn a_refusal_is_the_end_of_the_connection() {
        assert_eq!(begun().replied(Said::Refused), Next::Close);
        let mut unnamed = Cancel::default();
        assert_eq!(unnamed.begin(LATER), Next::Name);
        assert_eq!(unnamed.not_named(Said::Refused), Next::Close);
    }

    #[test]
    fn one_without_a_name_is_asked_for_when_it_has_one() {
        let mut cancel = Cancel::default();
        assert_eq!(cancel.begin(LATER), Next::Name);
        assert_eq!(cancel.not_named(Said::NotBlocked), Next::Pause(ms(1)));
        assert_eq!(cancel.go_on(), Next::Name);
        assert_eq!(cancel.named(9), Next::Ask(9));
        let mut answered = Cancel::default();
        answered.begin(LATER);
        assert_eq!(answered.answered(), Next::Free);
        assert_eq!(answered.named(9), Next::Wait);
    }

    #[test]
    fn clients_are_found_by_both_addresses() {
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let list = b"id=3 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 fd=8 name= age=1\n\
            id=9 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 fd=9 name=id=4 age=0\n\
            id=5 addr=127.0.0.1:50002 fd=9\nid=6 addr=/tmp/redis.sock:0 laddr=/tmp/redis.sock:0\n\
            id=x addr=127.0.0.1:50003\n\xff\n";
        let ids = Ids::read(list);
        assert_eq!(ids.find(at(50_001), at(6379)), Some(9));
        assert_eq!(ids.find(at(50_002), at(6379)), Some(5));
        assert_eq!(ids.find(at(50_001), at(6380)), None);
        assert_eq!(ids.find(at(50_003), at(6379)), None);
    }
}
