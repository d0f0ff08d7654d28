//! From the words of a request to the handler of its command: what is checked before any command is
//! executed.

use super::call::{Call, Command, Flags};
use super::clients::End;
use super::refusal::Refusal;
use super::reply::Reply;
use super::request::Args;
use super::state::State;
use super::table;
use crate::token::Key;

/// Executes one command, or queues or refuses it. There is one reply, unless the client waits for it
/// now. Returns false if a pause postpones the command.
pub(super) fn dispatch(state: &mut State, client: Key, args: Args<'_>, reply: &mut Reply) -> bool {
    if is_http(&args[0]) {
        state.end(client, End::Now);
        return true;
    }
    let result = match admit(state, client, args) {
        Ok(Admitted::Now(command)) => run(state, client, command, args, reply, false),
        Ok(Admitted::Queued) => {
            reply.simple("QUEUED");
            Ok(())
        }
        Ok(Admitted::Later) => {
            state.postpone(client);
            return false;
        }
        Err(refusal) => Err(spoil_transaction(state, client, &args[0], refusal)),
    };
    if let Err(refusal) = result {
        reply.refusal(&refusal);
    }
    true
}

/// Calls a handler.
pub(super) fn run(
    state: &mut State,
    client: Key,
    command: &Command,
    args: Args<'_>,
    reply: &mut Reply,
    in_exec: bool,
) -> Result<(), Refusal> {
    let db = state.clients.get(client).map_or(0, |client| client.db);
    (command.handler)(&mut Call {
        state,
        client,
        db,
        args,
        reply,
        in_exec,
    })
}

enum Admitted {
    Now(&'static Command),
    Queued,
    Later,
}

/// A web page can make a browser send a request to any port: its first line is an unknown command, its
/// headers are more of them, and its body could be commands. Nobody else says these words.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// The command that is meant.
fn find(args: Args<'_>) -> Result<&'static Command, Refusal> {
    let name = &args[0];
    let command = table::find(name).ok_or_else(|| unknown(args))?;
    match args.get(1) {
        Some(sub) if command.flags.has(Flags::CONTAINER) => {
            table::find_sub(command, sub).ok_or_else(|| unknown_sub(name, sub))
        }
        _ => Ok(command),
    }
}

fn check_arity(command: &Command, args: Args<'_>) -> Result<(), Refusal> {
    let count = i32::try_from(args.len()).unwrap_or(i32::MAX);
    match command.arity {
        exactly if exactly >= 0 && count != exactly => Err(Refusal::arity(command.name)),
        at_least if count < -at_least => Err(Refusal::arity(command.name)),
        _ => Ok(()),
    }
}

fn admit(state: &mut State, key: Key, args: Args<'_>) -> Result<Admitted, Refusal> {
    let found = find(args);
    let Some(client) = state.clients.get_mut(key) else {
        return found.map(Admitted::Now);
    };
    client.last_command = found.as_ref().ok().copied();
    let command = found?;
    check_arity(command, args)?;
    if !client.signed_in && !command.flags.has(Flags::NO_AUTH) {
        return Err(Refusal::NO_AUTH);
    }
    if client.transaction.is_some() && command.flags.has(Flags::NO_MULTI) {
        return Err(Refusal::err("Command not allowed inside a transaction"));
    }
    let queued = client.transaction.as_ref().map(|open| open.flags);
    state.inject(command.name)?;
    // `EXEC` is what it executes.
    let flags = match queued {
        Some(queued) if command.name == "exec" => command.flags.and(queued),
        _ => command.flags,
    };
    if state.role.is_replica() && flags.has(Flags::WRITE) {
        return Err(Refusal::READ_ONLY);
    }
    if state.postpones(flags) {
        return Ok(Admitted::Later);
    }
    let client = state.clients.get_mut(key);
    let Some(transaction) = client.and_then(|client| client.transaction.as_mut()) else {
        return Ok(Admitted::Now(command));
    };
    if command.flags.has(Flags::UNQUEUED) {
        return Ok(Admitted::Now(command));
    }
    if !transaction.is_refused {
        let kept = args.to_owned();
        transaction.bytes += kept.bytes();
        transaction.queued.push((command, kept));
        transaction.count += 1;
        transaction.flags = transaction.flags.and(command.flags);
    }
    Ok(Admitted::Queued)
}

/// A refused command spoils the transaction that it was to be part of. If it is `EXEC` itself, that is
/// the end of it.
fn spoil_transaction(state: &mut State, client: Key, name: &[u8], refusal: Refusal) -> Refusal {
    let Some(client) = state.clients.get_mut(client) else {
        return refusal;
    };
    if name.eq_ignore_ascii_case(b"exec") {
        client.transaction = None;
        let why: &[u8] = b"EXECABORT Transaction discarded because of: ";
        return Refusal::Coded([why, refusal.bare()].concat().into());
    }
    if let Some(transaction) = &mut client.transaction {
        transaction.is_refused = true;
    }
    refusal
}

/// How much of a name, and of all arguments together, is repeated.
const REPEATED_BYTES_MAX: usize = 128;

fn unknown(args: Args<'_>) -> Refusal {
    let mut shown = Vec::new();
    for arg in args.iter().skip(1) {
        if shown.len() >= REPEATED_BYTES_MAX {
            break;
        }
        let room = REPEATED_BYTES_MAX - shown.len();
        shown.extend_from_slice(b"'");
        shown.extend_from_slice(until_nul(arg, room));
        shown.extend_from_slice(b"' ");
    }
    let name = until_nul(&args[0], REPEATED_BYTES_MAX);
    let mut text = [b"unknown command '", name, b"', with args beginning with: "].concat();
    text.extend_from_slice(&shown);
    Refusal::Err(text.into())
}

fn unknown_sub(name: &[u8], sub: &[u8]) -> Refusal {
    let sub = until_nul(sub, REPEATED_BYTES_MAX);
    let container = name.to_ascii_uppercase();
    let text = [
        b"unknown subcommand '",
        sub,
        b"'. Try ",
        &container,
        b" HELP.",
    ]
    .concat();
    Refusal::Err(text.into())
}

/// What Redis prints of an argument: a C string, cut.
fn until_nul(text: &[u8], room: usize) -> &[u8] {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    &text[..text.len().min(room)]
}
