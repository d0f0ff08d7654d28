//! Saying hello and goodbye, and what concerns one connection only.

use crate::resp::encode::Protocol;
use crate::server::call::Call;
use crate::server::clients::End;
use crate::server::config::REDIS_VERSION;
use crate::server::keyspace::DATABASES;
use crate::server::numbers::{int, int_argument};
use crate::server::refusal::Refusal;

type Done = Result<(), Refusal>;

pub(in crate::server) fn ping(call: &mut Call<'_>) -> Done {
    match call.args.len() {
        1 => call.reply.simple("PONG"),
        2 => call.reply.bulk(call.args.get(1).unwrap_or_default()),
        _ => return Err(Refusal::arity("ping")),
    }
    Ok(())
}

pub(in crate::server) fn echo(call: &mut Call<'_>) -> Done {
    call.reply.bulk(call.arg(1));
    Ok(())
}

pub(in crate::server) fn quit(call: &mut Call<'_>) -> Done {
    call.reply.ok();
    call.state.end(call.client, End::AfterReply);
    Ok(())
}

pub(in crate::server) fn select(call: &mut Call<'_>) -> Done {
    let number = int_argument(call.arg(1))?;
    if i32::try_from(number).is_err() {
        let text = "value is out of range, value must between -2147483648 and 2147483647";
        return Err(Refusal::err(text));
    }
    let db = usize::try_from(number).ok().filter(|&db| db < DATABASES);
    let db = db.ok_or(Refusal::err("DB index is out of range"))?;
    if let Some(client) = call.caller() {
        client.db = db;
    }
    call.reply.ok();
    Ok(())
}

/// `AUTH [user] password`. There is one user, who goes by `default`.
pub(in crate::server) fn auth(call: &mut Call<'_>) -> Done {
    let (user, password) = match call.args.len() {
        2 if call.state.config.password.is_none() => {
            return Err(Refusal::err(
                "AUTH <password> called without any password configured for the default user. \
                 Are you sure your configuration is correct?",
            ));
        }
        2 => (&b"default"[..], call.arg(1)),
        3 => (call.arg(1), call.arg(2)),
        _ => return Err(Refusal::SYNTAX),
    };
    sign_in(call, user, password)?;
    call.reply.ok();
    Ok(())
}

fn sign_in(call: &mut Call<'_>, user: &[u8], password: &[u8]) -> Done {
    let expected = call.state.config.password.as_ref();
    // Without a password, any will do.
    let fits = expected.is_none_or(|expected| is_same(expected.expose().as_bytes(), password));
    if user != b"default" || !fits {
        return Err(Refusal::WRONG_PASS);
    }
    if let Some(client) = call.caller() {
        client.signed_in = true;
    }
    Ok(())
}

/// Takes as long whichever byte differs, so that a password cannot be guessed byte by byte with a
/// stopwatch.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let bytes = one.iter().zip(other);
    let difference = bytes.fold(0, |found, (one, other)| found | (one ^ other));
    difference == 0 && one.len() == other.len()
}

/// `HELLO [version [AUTH user password] [SETNAME name]]`
pub(in crate::server) fn hello(call: &mut Call<'_>) -> Done {
    let protocol = match call.args.get(1) {
        None => None,
        Some(version) => match int(version) {
            Some(2) => Some(Protocol::Resp2),
            Some(3) => Some(Protocol::Resp3),
            Some(_) => return Err(Refusal::coded("NOPROTO unsupported protocol version")),
            None => {
                let text = "Protocol version is not an integer or out of range";
                return Err(Refusal::err(text));
            }
        },
    };
    let mut at = 2;
    while at < call.args.len() {
        let more = call.args.len() - 1 - at;
        if call.is_word(at, "AUTH") && more >= 2 {
            sign_in(call, call.arg(at + 1), call.arg(at + 2))?;
            at += 3;
        } else if call.is_word(at, "SETNAME") && more >= 1 {
            super::client::rename(call, call.arg(at + 1))?;
            at += 2;
        } else {
            return Err(Refusal::about(
                "Syntax error in HELLO option '{}'",
                call.arg(at),
            ));
        }
    }
    let caller = call.caller().map(|client| (client.signed_in, client.id));
    let Some((true, id)) = caller else {
        return Err(Refusal::coded(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO AUTH <user> <pass> option can be used to authenticate the client and select the \
             RESP protocol version at the same time",
        ));
    };
    if let Some(protocol) = protocol {
        call.reply.protocol = protocol;
    }
    introduce(call, id);
    Ok(())
}

fn introduce(call: &mut Call<'_>, id: i64) {
    let reply = &mut *call.reply;
    reply.map(7);
    reply.bulk("server");
    reply.bulk("redis");
    reply.bulk("version");
    reply.bulk(REDIS_VERSION);
    reply.bulk("proto");
    reply.int(reply.protocol.version().into());
    reply.bulk("id");
    reply.int(id);
    reply.bulk("mode");
    reply.bulk("standalone");
    reply.bulk("role");
    reply.bulk(match call.state.role.is_replica() {
        true => "replica",
        false => "master",
    });
    reply.bulk("modules");
    reply.array(0);
}
