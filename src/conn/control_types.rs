//! Control commands under way, and connections whose client ids are wanted.

use super::cancel::Ids;
use super::late::Late;
use crate::driver::Socket;
use crate::token::Key;

/// What was asked, and for whom.
#[derive(Debug)]
pub(super) enum Aside {
    /// Who is connected to the server.
    List,
    /// Whether the server is there, before it is asked for the ends of waits.
    Knock,
    /// The end of what this connection waits for.
    Unblock(Key),
    /// To take an element back.
    GiveBack(Late),
}

/// Connections whose ids are wanted, and where to look for them.
#[derive(Debug)]
pub(crate) struct Naming {
    pub(crate) ids: Ids,
    pub(crate) conns: Vec<(Key, Socket)>,
}
