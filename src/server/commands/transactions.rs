//! `MULTI`, `EXEC`, `DISCARD`: commands that are executed with nothing in between.
//!
//! A transaction that holds a command which could not even be queued is not executed at all. A command
//! that fails while the others are executed is one error among the replies.

use crate::server::call::{Call, Command};
use crate::server::clients::End;
use crate::server::dispatch::run;
use crate::server::refusal::Refusal;
use crate::server::reply::Reply;
use crate::server::request::Args;

type Done = Result<(), Refusal>;

pub(in crate::server) fn multi(call: &mut Call<'_>) -> Done {
    if let Some(client) = call.caller() {
        if client.transaction.is_some() {
            return Err(Refusal::err("MULTI calls can not be nested"));
        }
        client.transaction = Some(Box::default());
    }
    call.reply.ok();
    Ok(())
}

pub(in crate::server) fn discard(call: &mut Call<'_>) -> Done {
    let open = call.caller().and_then(|client| client.transaction.take());
    open.ok_or(Refusal::err("DISCARD without MULTI"))?;
    call.reply.ok();
    Ok(())
}

pub(in crate::server) fn exec(call: &mut Call<'_>) -> Done {
    let open = call.caller().and_then(|client| client.transaction.as_mut());
    let open = open.ok_or(Refusal::err("EXEC without MULTI"))?;
    let queued = std::mem::take(&mut open.queued);
    let is_refused = open.is_refused;
    if !is_refused {
        call.reply.array(queued.len());
        for (command, args) in &queued {
            execute(call, command, args.args());
            if call.reply.unsent().len() > call.state.config.output_bytes_max {
                call.state.end(call.client, End::Now);
                break;
            }
        }
    }
    if let Some(client) = call.caller() {
        client.transaction = None;
    }
    match is_refused {
        false => Ok(()),
        true => {
            let text = "EXECABORT Transaction discarded because of previous errors.";
            Err(Refusal::coded(text))
        }
    }
}

/// Executes one of them. Nobody hears of what is executed after the caller has closed its own
/// connection.
fn execute(call: &mut Call<'_>, command: &Command, args: Args<'_>) {
    let is_open = call.caller().is_some_and(|client| client.end == End::Open);
    let mut unheard = Reply::default();
    let reply = if is_open {
        &mut *call.reply
    } else {
        &mut unheard
    };
    if let Err(refusal) = run(call.state, call.client, command, args, reply, true) {
        reply.refusal(&refusal);
    }
}
