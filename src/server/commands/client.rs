//! `CLIENT`: who is connected, and what can be done to them.

use crate::server::call::Call;
use crate::server::clients::{Client, End};
use crate::server::mode::Pause;
use crate::server::numbers::{int, int_argument, int_from, pause_end};
use crate::server::refusal::Refusal;
use crate::token::Key;

type Done = Result<(), Refusal>;

pub(in crate::server) fn id(call: &mut Call<'_>) -> Done {
    let id = call.caller().map_or(0, |client| client.id);
    call.reply.int(id);
    Ok(())
}

pub(in crate::server) fn name(call: &mut Call<'_>) -> Done {
    let name = call.caller().map(|client| client.name.clone());
    match name.filter(|name| !name.is_empty()) {
        Some(name) => call.reply.bulk(name),
        None => call.reply.null(),
    }
    Ok(())
}

pub(in crate::server) fn set_name(call: &mut Call<'_>) -> Done {
    rename(call, call.arg(2))?;
    call.reply.ok();
    Ok(())
}

/// An empty name is none.
pub(super) fn rename(call: &mut Call<'_>, name: &[u8]) -> Done {
    let text = "Client names cannot contain spaces, newlines or special characters.";
    check_printable(name, text)?;
    if let Some(client) = call.caller() {
        client.name = name.into();
    }
    Ok(())
}

/// What stands in a line of `CLIENT LIST` must not end a word or the line.
fn check_printable(text: &[u8], refusal: &'static str) -> Done {
    match text.iter().all(u8::is_ascii_graphic) {
        true => Ok(()),
        false => Err(Refusal::err(refusal)),
    }
}

/// `CLIENT SETINFO LIB-NAME name` or `LIB-VER version`: libraries introduce themselves so. Redis has it
/// since 7.2.
pub(in crate::server) fn set_info(call: &mut Call<'_>) -> Done {
    let (which, refusal) = if call.is_word(2, "LIB-NAME") {
        (
            0,
            "lib-name cannot contain spaces, newlines or special characters.",
        )
    } else if call.is_word(2, "LIB-VER") {
        (
            1,
            "lib-ver cannot contain spaces, newlines or special characters.",
        )
    } else {
        return Err(Refusal::about("Unrecognized option '{}'", call.arg(2)));
    };
    let value = call.arg(3);
    check_printable(value, refusal)?;
    if let Some(client) = call.caller() {
        client.library[which] = value.into();
    }
    call.reply.ok();
    Ok(())
}

/// `CLIENT LIST [TYPE type | ID id ...]`
pub(in crate::server) fn list(call: &mut Call<'_>) -> Done {
    let listed: Vec<Key> = if call.args.len() == 4 && call.is_word(2, "TYPE") {
        let is_normal = is_normal(call.arg(3))?;
        call.state.clients.keys().filter(|_| is_normal).collect()
    } else if call.args.len() > 3 && call.is_word(2, "ID") {
        let ids = call.args.iter().skip(3);
        let ids: Option<Vec<i64>> = ids.map(int).collect();
        let ids = ids.ok_or(Refusal::err("Invalid client ID"))?;
        let keys = ids
            .into_iter()
            .filter_map(|id| call.state.clients.by_id(id));
        keys.collect()
    } else if call.args.len() == 2 {
        call.state.clients.keys().collect()
    } else {
        return Err(Refusal::SYNTAX);
    };
    let now = call.state.now();
    let (own, protocol) = (call.client, call.reply.protocol);
    let clients = listed
        .iter()
        .filter_map(|&key| Some((key, call.state.clients.get(key)?)));
    // The caller's protocol went out with its output.
    let line = |(key, client): (Key, &Client)| match key == own {
        true => client.line(now, protocol),
        false => client.line(now, client.output.protocol),
    };
    let lines: String = clients.map(line).collect();
    call.reply.verbatim(&lines);
    Ok(())
}

/// Whether the type of client is the one that all clients have here.
fn is_normal(name: &[u8]) -> Result<bool, Refusal> {
    const OTHERS: [&str; 4] = ["master", "replica", "slave", "pubsub"];
    if name.eq_ignore_ascii_case(b"normal") {
        return Ok(true);
    }
    let is_known = |other: &&str| name.eq_ignore_ascii_case(other.as_bytes());
    match OTHERS.iter().any(is_known) {
        true => Ok(false),
        false => Err(Refusal::about("Unknown client type '{}'", name)),
    }
}

/// Which clients `CLIENT KILL` means: all conditions that are given hold.
#[derive(Default)]
struct Victims<'a> {
    id: Option<i64>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    none: bool,
    myself: bool,
}

impl Victims<'_> {
    fn has(&self, client: &Client, is_caller: bool) -> bool {
        let is = |wanted: Option<&[u8]>, have: &str| {
            wanted.is_none_or(|wanted| wanted == have.as_bytes())
        };
        !self.none
            && (self.myself || !is_caller)
            && self.id.is_none_or(|id| id == client.id)
            && (self.address.is_none() || is(self.address, &client.address()))
            && is(self.local, &client.local)
    }
}

/// `CLIENT KILL address`, or `CLIENT KILL [ID id] [ADDR a] [LADDR a] [TYPE t] [USER u] [SKIPME yes|no]
/// ...`
pub(in crate::server) fn kill(call: &mut Call<'_>) -> Done {
    let is_old_form = call.args.len() == 3;
    let victims = match is_old_form {
        true => Victims {
            address: call.args.get(2),
            myself: true,
            ..Victims::default()
        },
        false => victims(call)?,
    };
    let own = call.client;
    let clients = &call.state.clients;
    let is_meant = |&key: &Key| {
        let client = clients.get(key);
        client.is_some_and(|client| victims.has(client, key == own))
    };
    let meant: Vec<Key> = clients.keys().filter(is_meant).collect();
    for &key in &meant {
        // The caller still gets its answer.
        let end = if key == own {
            End::AfterReply
        } else {
            End::Now
        };
        call.state.end(key, end);
    }
    match (is_old_form, meant.len()) {
        (true, 0) => return Err(Refusal::err("No such client")),
        (true, _) => call.reply.ok(),
        (false, count) => call.reply.count(count),
    }
    Ok(())
}

fn victims<'a>(call: &Call<'a>) -> Result<Victims<'a>, Refusal> {
    let mut victims = Victims::default();
    let mut at = 2;
    while at < call.args.len() {
        let value = call.args.get(at + 1).ok_or(Refusal::SYNTAX)?;
        if call.is_word(at, "ID") {
            let refusal = "client-id should be greater than 0";
            int_from(1, value, refusal)?;
            victims.id = int(value);
        } else if call.is_word(at, "ADDR") {
            victims.address = Some(value);
        } else if call.is_word(at, "LADDR") {
            victims.local = Some(value);
        } else if call.is_word(at, "TYPE") {
            victims.none = !is_normal(value)?;
        } else if call.is_word(at, "USER") {
            if value != b"default" {
                return Err(Refusal::about("No such user '{}'", value));
            }
        } else if call.is_word(at, "SKIPME") {
            victims.myself = match value.to_ascii_lowercase().as_slice() {
                b"yes" => false,
                b"no" => true,
                _ => return Err(Refusal::SYNTAX),
            };
        } else {
            return Err(Refusal::SYNTAX);
        }
        at += 2;
    }
    Ok(victims)
}

/// `CLIENT UNBLOCK id [TIMEOUT | ERROR]`
pub(in crate::server) fn unblock(call: &mut Call<'_>) -> Done {
    const UNBLOCKED: Refusal = Refusal::coded("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    let refusal = match call.args.len() {
        3 => None,
        4 if call.is_word(3, "TIMEOUT") => None,
        4 if call.is_word(3, "ERROR") => Some(&UNBLOCKED),
        4 => {
            let text = "CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
            return Err(Refusal::err(text));
        }
        _ => return Err(too_many(call)),
    };
    let id = int_argument(call.arg(2))?;
    let client = call.state.clients.by_id(id);
    let was_blocked = client.is_some_and(|client| match call.state.is_postponed(client) {
        true => call.state.unblock_postponed(client, refusal),
        false => call.state.answer(client, refusal),
    });
    call.reply.int(i64::from(was_blocked));
    Ok(())
}

fn too_many(call: &Call<'_>) -> Refusal {
    let text = "unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.";
    Refusal::about(text, call.arg(1))
}

/// `CLIENT PAUSE milliseconds [WRITE | ALL]`
pub(in crate::server) fn pause(call: &mut Call<'_>) -> Done {
    let what = match call.args.len() {
        3 => Pause::All,
        4 if call.is_word(3, "WRITE") => Pause::Writes,
        4 if call.is_word(3, "ALL") => Pause::All,
        4 => return Err(Refusal::err("CLIENT PAUSE mode must be WRITE or ALL")),
        _ => return Err(too_many(call)),
    };
    let until = pause_end(call.arg(2), call.state.now())?;
    call.state.pause(what, until);
    call.reply.ok();
    Ok(())
}

pub(in crate::server) fn unpause(call: &mut Call<'_>) -> Done {
    call.state.unpause();
    call.reply.ok();
    Ok(())
}
