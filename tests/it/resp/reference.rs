//! The decoder that the other is measured by: it has the whole input, recurses, and keeps nothing.

use super::*;

/// Why there is no value.
enum No {
    NotYet,
    Refused,
}

pub(super) fn stream(bytes: &[u8], limits: &Limits) -> Outcome {
    let mut outcome = Outcome {
        values: vec![],
        read: 0,
        refused: false,
    };
    loop {
        let (mut at, mut elements) = (0, 0);
        let rest = &bytes[outcome.read..];
        let result = value(rest, &mut at, 0, &mut elements, limits);
        let read = match result {
            Ok(_) => at,
            Err(_) => rest.len(),
        };
        let is_over = elements > 0 && cost(read, elements) > limits.reply_bytes;
        match result {
            _ if is_over => {
                return Outcome {
                    refused: true,
                    ..outcome
                };
            }
            Ok(value) => outcome.values.push(format!("{value:?}")),
            Err(No::NotYet) => return outcome,
            Err(No::Refused) => {
                return Outcome {
                    refused: true,
                    ..outcome
                };
            }
        }
        outcome.read += at;
    }
}

/// What counts against [`Limits::reply_bytes`].
fn cost(read: usize, elements: usize) -> usize {
    elements
        .saturating_mul(size_of::<Value>())
        .saturating_add(read)
}

/// Reads one value from `bytes`, which begin with the reply that it is a part of.
fn value(
    bytes: &[u8],
    at: &mut usize,
    depth: usize,
    elements: &mut usize,
    limits: &Limits,
) -> Result<Value, No> {
    let kind = *bytes.get(*at).ok_or(No::NotYet)?;
    *at += 1;
    if kind == b'>' && depth > 0 {
        return Err(No::Refused);
    }
    let alphabet: &[u8] = match kind {
        b'+' | b'-' | b'_' => b"",
        b'#' => b"tf",
        b',' => b"0123456789+-.eEinfa",
        b':' | b'(' => b"0123456789+-",
        b'$' | b'!' | b'=' | b'*' | b'~' | b'>' | b'%' | b'|' => b"0123456789-",
        _ => return Err(No::Refused),
    };
    let most = match kind {
        b'+' | b'-' | b'(' => limits.line_bytes,
        b',' => limits.line_bytes.min(5 * 1024),
        b'#' => limits.line_bytes.min(1),
        _ => limits.line_bytes.min("-9223372036854775808".len()),
    };
    let line = line(bytes, at, alphabet, matches!(kind, b'+' | b'-'), most)?;
    let text = String::from_utf8_lossy(line).into_owned();
    let copy = Bytes::copy_from_slice(line);
    let number = || text.parse::<i64>().map_err(|_| No::Refused);
    if alphabet.ends_with(b"9-") && text.starts_with('-') && text != "-1" {
        return Err(No::Refused);
    }
    Ok(match kind {
        b'+' => Value::Simple(copy),
        b'-' => Value::Error(copy),
        b'_' if text.is_empty() => Value::Null,
        b'#' if text.len() == 1 => Value::Bool(text == "t"),
        b',' => Value::Double(double(&text).ok_or(No::Refused)?),
        b'(' => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            let good = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
            if good {
                Value::BigNumber(copy)
            } else {
                return Err(No::Refused);
            }
        }
        b':' => Value::Int(number()?),
        b'$' | b'*' if number()? == -1 => Value::Null,
        b'$' | b'!' | b'=' => string(kind, number()?, bytes, at, *elements, limits)?,
        b'_' | b'#' => return Err(No::Refused),
        _ => aggregate(kind, number()?, bytes, at, depth, elements, limits)?,
    })
}

fn aggregate(
    kind: u8,
    count: i64,
    bytes: &[u8],
    at: &mut usize,
    depth: usize,
    elements: &mut usize,
    limits: &Limits,
) -> Result<Value, No> {
    let count = usize::try_from(count).map_err(|_| No::Refused)?;
    let values = if b"%|".contains(&kind) {
        count.saturating_mul(2)
    } else {
        count
    };
    *elements = elements.saturating_add(values) + usize::from(kind == b'|');
    if *elements > limits.elements || depth >= limits.depth {
        return Err(No::Refused);
    }
    let mut items = vec![];
    for _ in 0..values {
        items.push(value(bytes, at, depth + 1, elements, limits)?);
    }
    let pairs = items
        .chunks(2)
        .map(|pair| (pair[0].clone(), pair[pair.len() - 1].clone()));
    Ok(match kind {
        b'*' => Value::Array(items),
        b'~' => Value::Set(items),
        b'>' => Value::Push(items),
        b'%' => Value::Map(pairs.collect()),
        _ => return value(bytes, at, depth, elements, limits),
    })
}

fn line<'a>(
    bytes: &'a [u8],
    at: &mut usize,
    alphabet: &[u8],
    any: bool,
    most: usize,
) -> Result<&'a [u8], No> {
    let begin = *at;
    loop {
        let byte = *bytes.get(*at).ok_or(No::NotYet)?;
        *at += 1;
        match byte {
            b'\r' => break,
            b'\n' => return Err(No::Refused),
            _ if !any && !alphabet.contains(&byte) => return Err(No::Refused),
            _ if *at - begin > most => return Err(No::Refused),
            _ => {}
        }
    }
    let end = *at - 1;
    expect(bytes, at, b'\n')?;
    Ok(&bytes[begin..end])
}

fn string(
    kind: u8,
    len: i64,
    bytes: &[u8],
    at: &mut usize,
    elements: usize,
    limits: &Limits,
) -> Result<Value, No> {
    let len = usize::try_from(len).map_err(|_| No::Refused)?;
    let end = (*at + 2).saturating_add(len);
    if len > limits.bulk_bytes || cost(end, elements) > limits.reply_bytes {
        return Err(No::Refused);
    }
    let body = bytes.get(*at..*at + len).ok_or(No::NotYet)?;
    *at += len;
    expect(bytes, at, b'\r')?;
    expect(bytes, at, b'\n')?;
    let body = Bytes::copy_from_slice(body);
    Ok(match kind {
        b'$' => Value::Bulk(body),
        b'!' => Value::Error(body),
        _ if body.len() < 4 || body[3] != b':' => return Err(No::Refused),
        _ => Value::Verbatim {
            format: [body[0], body[1], body[2]],
            text: body.slice(4..),
        },
    })
}

fn double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "nan" | "-nan" => Some(f64::NAN),
        "inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        _ if !unsigned.starts_with(|first: char| first.is_ascii_digit()) => None,
        _ if unsigned.ends_with('.') || unsigned.contains(".e") || unsigned.contains(".E") => None,
        _ => text.parse().ok(),
    }
}

fn expect(bytes: &[u8], at: &mut usize, byte: u8) -> Result<(), No> {
    let found = *bytes.get(*at).ok_or(No::NotYet)?;
    *at += 1;
    if found == byte {
        Ok(())
    } else {
        Err(No::Refused)
    }
}
