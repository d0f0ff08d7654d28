//! Lists, as far as nobody waits.

use crate::server::call::Call;
use crate::server::keyspace::{List, Side};
use crate::server::numbers::{int_argument, int_from};
use crate::server::refusal::Refusal;

type Done = Result<(), Refusal>;

pub(in crate::server) fn lpush(call: &mut Call<'_>) -> Done {
    push(call, Side::Left)
}

pub(in crate::server) fn rpush(call: &mut Call<'_>) -> Done {
    push(call, Side::Right)
}

fn push(call: &mut Call<'_>, side: Side) -> Done {
    let elements = call.args.iter().skip(2).map(Box::from);
    let length = call.state.push(call.db, call.arg(1), side, elements)?;
    call.reply.count(length);
    Ok(())
}

pub(in crate::server) fn llen(call: &mut Call<'_>) -> Done {
    let length = call.list(1)?.map_or(0, |list| list.len());
    call.reply.count(length);
    Ok(())
}

pub(in crate::server) fn lpop(call: &mut Call<'_>) -> Done {
    pop(call, Side::Left, "lpop")
}

pub(in crate::server) fn rpop(call: &mut Call<'_>) -> Done {
    pop(call, Side::Right, "rpop")
}

/// `LPOP key [count]`: one element, or with a count an array.
fn pop(call: &mut Call<'_>, side: Side, name: &str) -> Done {
    let (db, key) = (call.db, call.arg(1));
    match call.args.len() {
        2 => match call.state.keyspace.pop(db, key, side)? {
            Some(element) => call.reply.bulk(element),
            None => call.reply.null(),
        },
        3 => {
            let refusal = "value is out of range, must be positive";
            let count = int_from(0, call.arg(2), refusal)?;
            match call.list(1)?.map(|list| list.len()) {
                Some(length) => {
                    let count = count.min(length);
                    call.reply.array(count);
                    call.state.pop_each(db, key, side, count, call.reply)?;
                }
                None => call.reply.null_array(),
            }
        }
        _ => return Err(Refusal::arity(name)),
    }
    Ok(())
}

/// `LRANGE key start stop`: both ends count, negative ones from the right.
pub(in crate::server) fn lrange(call: &mut Call<'_>) -> Done {
    let (start, stop) = (int_argument(call.arg(2))?, int_argument(call.arg(3))?);
    let (db, key) = (call.db, call.arg(1));
    let Some(list) = call.state.keyspace.list(db, key)? else {
        call.reply.array(0);
        return Ok(());
    };
    let range = clamp(start, stop, list.len());
    call.reply.array(range.len());
    for element in list.range(range) {
        call.reply.bulk(element);
    }
    Ok(())
}

fn clamp(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_left = |index: i64| {
        if index < 0 {
            index.saturating_add(len)
        } else {
            index
        }
    };
    let start = from_left(start).clamp(0, len);
    let end = from_left(stop).saturating_add(1).clamp(start, len);
    let index = |index: i64| usize::try_from(index).unwrap_or_default();
    index(start)..index(end)
}

/// `LREM key count element`: the first so many that are equal; from the right if negative; all if 0.
pub(in crate::server) fn lrem(call: &mut Call<'_>) -> Done {
    let count = int_argument(call.arg(2))?;
    let element = call.arg(3);
    let Some(list) = call.list(1)? else {
        call.reply.int(0);
        return Ok(());
    };
    let before = list.len();
    let most = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(most) => most,
    };
    match count < 0 {
        false => remove_from_left(list, element, most),
        true => {
            list.make_contiguous().reverse();
            remove_from_left(list, element, most);
            list.make_contiguous().reverse();
        }
    }
    let removed = before - list.len();
    if list.is_empty() {
        call.state.keyspace.remove(call.db, call.arg(1));
    }
    call.reply.count(removed);
    Ok(())
}

fn remove_from_left(list: &mut List, element: &[u8], most: usize) {
    let mut removed = 0;
    list.retain(|other| {
        let goes = removed < most && **other == *element;
        removed += usize::from(goes);
        !goes
    });
}
