//! Popping from the first of several lists, moving from list to list, and waiting for either.
//!
//! All of these are one thing: a [`Pop`], and the keys whose first list it is done to. Where none has a
//! list, a command that may wait does; any other, and all within `EXEC`, answer with a null.

use crate::server::blocked::Pop;
use crate::server::call::Call;
use crate::server::keyspace::Side;
use crate::server::numbers::{int_from, timeout};
use crate::server::refusal::Refusal;
use crate::time::Time;
use std::ops::Range;

type Done = Result<(), Refusal>;

/// What a command does when there is no list.
enum Otherwise {
    /// It answers so.
    Answer,
    /// It waits until then.
    Wait(Option<Time>),
}

fn pop(call: &mut Call<'_>, keys: Range<usize>, pop: Pop, otherwise: &Otherwise) -> Done {
    for key in keys.clone() {
        if call.list(key)?.is_some() {
            let key = call.arg(key);
            return call.state.pop(call.db, key, &pop, call.reply);
        }
    }
    match *otherwise {
        Otherwise::Wait(until) if !call.in_exec => {
            let args = call.args;
            let keys = keys.map(|key| args.get(key).unwrap_or_default());
            call.state.block(call.client, call.db, keys, pop, until);
        }
        _ if matches!(pop, Pop::Move { .. }) => call.reply.null(),
        _ => call.reply.null_array(),
    }
    Ok(())
}

pub(in crate::server) fn blpop(call: &mut Call<'_>) -> Done {
    pop_one(call, Side::Left)
}

pub(in crate::server) fn brpop(call: &mut Call<'_>) -> Done {
    pop_one(call, Side::Right)
}

/// `BLPOP key [key ...] timeout`
fn pop_one(call: &mut Call<'_>, side: Side) -> Done {
    let last = call.args.len() - 1;
    let until = timeout(call.arg(last), call.state.now())?;
    pop(call, 1..last, Pop::One(side), &Otherwise::Wait(until))
}

/// `LMOVE source target LEFT|RIGHT LEFT|RIGHT`
pub(in crate::server) fn lmove(call: &mut Call<'_>) -> Done {
    let (from, to) = (side(call.arg(3))?, side(call.arg(4))?);
    move_one(call, from, to, &Otherwise::Answer)
}

/// `BLMOVE source target LEFT|RIGHT LEFT|RIGHT timeout`
pub(in crate::server) fn blmove(call: &mut Call<'_>) -> Done {
    let (from, to) = (side(call.arg(3))?, side(call.arg(4))?);
    let until = timeout(call.arg(5), call.state.now())?;
    move_one(call, from, to, &Otherwise::Wait(until))
}

pub(in crate::server) fn rpoplpush(call: &mut Call<'_>) -> Done {
    move_one(call, Side::Right, Side::Left, &Otherwise::Answer)
}

/// `BRPOPLPUSH source target timeout`
pub(in crate::server) fn brpoplpush(call: &mut Call<'_>) -> Done {
    let until = timeout(call.arg(3), call.state.now())?;
    move_one(call, Side::Right, Side::Left, &Otherwise::Wait(until))
}

fn move_one(call: &mut Call<'_>, from: Side, to: Side, otherwise: &Otherwise) -> Done {
    let target = call.arg(2).into();
    pop(call, 1..2, Pop::Move { from, to, target }, otherwise)
}

/// `LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub(in crate::server) fn lmpop(call: &mut Call<'_>) -> Done {
    let (keys, many) = pop_many(call, 1)?;
    pop(call, keys, many, &Otherwise::Answer)
}

/// `BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub(in crate::server) fn blmpop(call: &mut Call<'_>) -> Done {
    let (keys, many) = pop_many(call, 2)?;
    let until = timeout(call.arg(1), call.state.now())?;
    pop(call, keys, many, &Otherwise::Wait(until))
}

/// What stands from `numkeys` on, at argument `at`.
fn pop_many(call: &Call<'_>, at: usize) -> Result<(Range<usize>, Pop), Refusal> {
    let numkeys = int_from(1, call.arg(at), "numkeys should be greater than 0")?;
    let keys = at + 1..(at + 1).saturating_add(numkeys);
    let side = side(call.args.get(keys.end).ok_or(Refusal::SYNTAX)?)?;
    let count = match call.args.len() - keys.end {
        1 => 1,
        3 if call.is_word(keys.end + 1, "COUNT") => {
            let count = call.arg(keys.end + 2);
            int_from(1, count, "count should be greater than 0")?
        }
        // The first of two counts is looked at, and then the second is one too many.
        count if count > 3 && call.is_word(keys.end + 1, "COUNT") => {
            int_from(1, call.arg(keys.end + 2), "count should be greater than 0")?;
            return Err(Refusal::SYNTAX);
        }
        _ => return Err(Refusal::SYNTAX),
    };
    Ok((keys, Pop::Many(side, count)))
}

fn side(word: &[u8]) -> Result<Side, Refusal> {
    match word.to_ascii_lowercase().as_slice() {
        b"left" => Ok(Side::Left),
        b"right" => Ok(Side::Right),
        _ => Err(Refusal::SYNTAX),
    }
}
