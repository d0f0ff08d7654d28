//! Helpers of the tests of this module: how a sample is fed, and how a refusal is checked.

mod bounds;
mod converting;
mod reading;
mod skipping;
mod writing;

use super::*;
use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use std::cell::Cell;

thread_local! {
    static SCANNED: Cell<usize> = const { Cell::new(0) };
}

/// Called by `line::scan` with the number of bytes that it looked at.
pub(super) fn count_scanned(bytes: usize) {
    SCANNED.set(SCANNED.get() + bytes);
}

fn bulk(text: &'static str) -> Value {
    Value::Bulk(text.into())
}

fn decode_with(mut bytes: &[u8], limits: &Limits) -> crate::error::Result<Option<Value>> {
    Decoder::new().decode(&mut bytes, limits)
}

fn decode(bytes: &[u8]) -> crate::error::Result<Option<Value>> {
    decode_with(bytes, &Limits::DEFAULT)
}

/// Feeds `sample` whole, byte by byte, cut at every place, and with bytes behind it.
fn check(sample: &[u8], expected: &Value) {
    check_with(sample, expected, &Limits::DEFAULT);
}

fn check_with(sample: &[u8], expected: &Value, limits: &Limits) {
    let same = |got: &Value| format!("{got:?}") == format!("{expected:?}");
    for cut in 0..=sample.len() {
        let (mut head, mut tail) = sample.split_at(cut);
        let mut decoder = Decoder::new();
        if cut < sample.len() {
            assert_eq!(
                decoder.decode(&mut head, limits).unwrap(),
                None,
                "cut at {cut}"
            );
            assert!(head.is_empty(), "what is not enough is taken in");
            assert_eq!(decoder.is_partial(), cut > 0);
            let read = decoder.progress().map(|progress| progress.read_bytes());
            assert_eq!(read, (cut > 0).then_some(cut));
        } else {
            tail = head;
        }
        let value = decoder
            .decode(&mut tail, limits)
            .unwrap()
            .expect("all has come");
        assert!(same(&value), "cut at {cut}: {value:?}");
        assert!(tail.is_empty() && !decoder.is_partial());
    }
    let mut decoder = Decoder::new();
    let (last, before) = sample.split_last().unwrap();
    for byte in before {
        assert_eq!(decoder.decode(&mut &[*byte][..], limits).unwrap(), None);
        assert!(decoder.is_partial());
    }
    assert!(same(
        &decoder.decode(&mut &[*last][..], limits).unwrap().unwrap()
    ));
    for behind in [&b"\r"[..], b"\n", b"+next\r\n", b"\0\0\0"] {
        let stream = [sample, behind].concat();
        let mut rest = &stream[..];
        assert!(same(
            &Decoder::new().decode(&mut rest, limits).unwrap().unwrap()
        ));
        assert_eq!(rest, behind);
    }
}

/// Feeds bytes one by one until they are refused, and says after how many that was. Fed whole, and
/// cut at every place, they must be refused likewise.
fn refused_after(sample: &[u8], limits: &Limits) -> (usize, Error) {
    let mut decoder = Decoder::new();
    let mut count = 0;
    let first = loop {
        assert!(count < sample.len(), "accepted: {}", sample.escape_ascii());
        count += 1;
        if let Err(error) = decoder.decode(&mut &sample[count - 1..count], limits) {
            break error;
        }
    };
    assert_eq!(first.kind(), ErrorKind::Protocol);
    assert!(!first.to_string().contains(char::is_control), "{first}");
    let again = decoder.decode(&mut &b"+OK\r\n"[..], limits).unwrap_err();
    assert_eq!(again.to_string(), first.to_string(), "an error is for good");
    assert!(!decoder.is_partial() && decoder.progress().is_none());
    for cut in (0..=count).take(300) {
        let (mut head, mut tail) = sample.split_at(cut);
        let mut decoder = Decoder::new();
        let outcome = decoder.decode(&mut head, limits);
        let outcome = if cut < count {
            decoder.decode(&mut tail, limits)
        } else {
            outcome
        };
        assert_eq!(
            outcome.unwrap_err().kind(),
            ErrorKind::Protocol,
            "cut at {cut}"
        );
    }
    (count, first)
}
