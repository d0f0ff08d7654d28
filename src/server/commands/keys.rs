//! Keys of any type, and strings.

use crate::server::call::Call;
use crate::server::keyspace::Value;
use crate::server::numbers::{MILLIS_MAX, int_argument};
use crate::server::refusal::Refusal;
use crate::time::Time;
use std::time::Duration;

type Done = Result<(), Refusal>;

/// A key that is named twice counts twice.
pub(in crate::server) fn exists(call: &mut Call<'_>) -> Done {
    let keys = call.args.iter().skip(1);
    let is_there = |key: &&[u8]| call.state.keyspace.entry(call.db, key).is_some();
    let count = keys.filter(is_there).count();
    call.reply.count(count);
    Ok(())
}

pub(in crate::server) fn del(call: &mut Call<'_>) -> Done {
    let keys = call.args.iter().skip(1);
    let was_there = |key: &&[u8]| call.state.keyspace.remove(call.db, key);
    let count = keys.filter(was_there).count();
    call.reply.count(count);
    Ok(())
}

pub(in crate::server) fn type_of(call: &mut Call<'_>) -> Done {
    let entry = call.state.keyspace.entry(call.db, call.arg(1));
    call.reply.simple(match entry.map(|entry| &entry.value) {
        None => "none",
        Some(Value::Text(_)) => "string",
        Some(Value::List(_)) => "list",
    });
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`: at once either way.
pub(in crate::server) fn flush_all(call: &mut Call<'_>) -> Done {
    match call.args.len() {
        1 => {}
        2 if call.is_word(1, "ASYNC") || call.is_word(1, "SYNC") => {}
        _ => return Err(Refusal::SYNTAX),
    }
    call.state.keyspace.clear();
    call.reply.ok();
    Ok(())
}

pub(in crate::server) fn get(call: &mut Call<'_>) -> Done {
    match call.state.keyspace.text(call.db, call.arg(1))? {
        Some(text) => call.reply.bulk(text),
        None => call.reply.null(),
    }
    Ok(())
}

pub(in crate::server) fn incr(call: &mut Call<'_>) -> Done {
    let key = call.arg(1);
    let number = match call.state.keyspace.text(call.db, key)? {
        Some(text) => int_argument(text)?,
        None => 0,
    };
    let overflow = Refusal::err("increment or decrement would overflow");
    let number = number.checked_add(1).ok_or(overflow)?;
    let text = number.to_string().into_bytes().into();
    match call.state.keyspace.entry(call.db, key) {
        // When it runs out does not change.
        Some(entry) => entry.value = Value::Text(text),
        None => call
            .state
            .keyspace
            .set(call.db, key, Value::Text(text), None),
    }
    call.reply.int(number);
    Ok(())
}

/// `PFCOUNT key [key ...]`: no key can hold a HyperLogLog here, so all that exist are refused.
pub(in crate::server) fn pfcount(call: &mut Call<'_>) -> Done {
    for key in call.args.iter().skip(1) {
        if call.state.keyspace.text(call.db, key)?.is_some() {
            return Err(Refusal::NO_HYPERLOGLOG);
        }
    }
    call.reply.int(0);
    Ok(())
}

/// The options of `SET`.
#[derive(Default)]
struct Options {
    only_if: Option<Presence>,
    get: bool,
    keep_expiry: bool,
    expires: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Absent,
    Present,
}

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]`
pub(in crate::server) fn set(call: &mut Call<'_>) -> Done {
    let options = options(call)?;
    let key = call.arg(1);
    if options.get {
        get(call)?;
    }
    let found = call.state.keyspace.entry(call.db, key);
    let is_wanted = match options.only_if {
        None => true,
        Some(Presence::Absent) => found.is_none(),
        Some(Presence::Present) => found.is_some(),
    };
    let kept = found.and_then(|entry| entry.expires);
    if is_wanted {
        let expires = if options.keep_expiry {
            kept
        } else {
            options.expires
        };
        let value = Value::Text(call.arg(2).into());
        call.state.keyspace.set(call.db, key, value, expires);
    }
    match (options.get, is_wanted) {
        (true, _) => {}
        (false, true) => call.reply.ok(),
        (false, false) => call.reply.null(),
    }
    Ok(())
}

fn options(call: &Call<'_>) -> Result<Options, Refusal> {
    let mut options = Options::default();
    let mut expiry: Option<(&[u8], i64)> = None;
    let mut at = 3;
    while at < call.args.len() {
        let value = call.args.get(at + 1);
        let may_expire = !options.keep_expiry;
        if call.is_word(at, "NX") && options.only_if != Some(Presence::Present) {
            options.only_if = Some(Presence::Absent);
        } else if call.is_word(at, "XX") && options.only_if != Some(Presence::Absent) {
            options.only_if = Some(Presence::Present);
        } else if call.is_word(at, "GET") {
            options.get = true;
        } else if call.is_word(at, "KEEPTTL") && expiry.is_none() {
            options.keep_expiry = true;
        } else if let (true, Some(value)) = (may_expire && is_expiry(call, at, expiry), value) {
            let unit = if call.is_word(at, "EX") { 1000 } else { 1 };
            expiry = Some((value, unit));
            at += 1;
        } else {
            return Err(Refusal::SYNTAX);
        }
        at += 1;
    }
    if let Some((value, unit)) = expiry {
        options.expires = Some(expires(value, unit, call.state.now())?);
    }
    Ok(options)
}

/// `EX` or `PX`, unless the other one has been said before.
fn is_expiry(call: &Call<'_>, at: usize, before: Option<(&[u8], i64)>) -> bool {
    let unit = before.map(|(_, unit)| unit);
    (call.is_word(at, "EX") && unit != Some(1)) || (call.is_word(at, "PX") && unit != Some(1000))
}

fn expires(value: &[u8], unit: i64, now: Time) -> Result<Time, Refusal> {
    let millis = int_argument(value)?.checked_mul(unit);
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    let millis = millis.filter(|millis| (1..=MILLIS_MAX).contains(millis));
    let invalid = Refusal::err("invalid expire time in 'set' command");
    Ok(now + Duration::from_millis(millis.ok_or(invalid)?))
}
