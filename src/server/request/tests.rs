//! How samples are fed: whole, byte by byte, cut at every place, and with bytes behind them.

mod bounds;
mod reading;

use super::*;
use std::cell::Cell;

thread_local! {
    static SCANNED: Cell<usize> = const { Cell::new(0) };
}

/// Called by `Parser::search` with the number of bytes that it passed, and by the quick way.
pub(super) fn count_scanned(bytes: usize) {
    SCANNED.set(SCANNED.get() + bytes);
}

const OPEN: Limits = Limits {
    bulk_bytes: 512 << 20,
    signed_in: true,
};
const STRANGER: Limits = Limits {
    signed_in: false,
    ..OPEN
};

fn words(args: Args<'_>) -> Vec<Vec<u8>> {
    args.iter().map(<[u8]>::to_vec).collect()
}

/// Reads one command that has come whole; nothing that asks for nothing has no arguments.
fn read(parser: &mut Parser, bytes: &[u8]) -> Vec<Vec<u8>> {
    let parsed = parser.parse(bytes, &OPEN).unwrap();
    let got = words(parser.args(bytes));
    let expected = match got.is_empty() {
        true => Parsed::Nothing,
        false => Parsed::Command,
    };
    assert_eq!(parsed, expected, "{}", bytes.escape_ascii());
    assert_eq!(
        parser.parse(bytes, &OPEN),
        Ok(parsed),
        "complete is complete"
    );
    assert_eq!(words(parser.args(bytes)), got);
    got
}

/// Checks that `sample` is one command with these arguments, however it comes.
fn check(sample: &[u8], expected: &[&[u8]]) {
    let shown = sample.escape_ascii();
    for cut in 0..sample.len() {
        let mut parser = Parser::default();
        let early = parser.parse(&sample[..cut], &OPEN);
        assert_eq!(early, Ok(Parsed::More), "{shown} cut at {cut}");
        assert_eq!(read(&mut parser, sample), expected, "{shown} cut at {cut}");
        assert_eq!(parser.consumed(), sample.len());
    }
    let mut parser = Parser::default();
    for end in 0..sample.len() {
        let early = parser.parse(&sample[..end], &OPEN);
        assert_eq!(early, Ok(Parsed::More), "{shown}: {end} bytes");
    }
    assert_eq!(read(&mut parser, sample), expected, "{shown}");
    for behind in [
        &b"*1\r\n$4\r\nPING\r\n"[..],
        b"PING\r\n",
        b"\0",
        b"\r\n",
        b"*",
        b"\n",
    ] {
        let stream = [sample, behind].concat();
        parser.reset();
        assert_eq!(read(&mut parser, &stream), expected, "{shown}");
        assert_eq!(parser.consumed(), sample.len(), "{shown}");
    }
    parser.reset();
    let next = b"*1\r\n$4\r\nPING\r\n";
    assert_eq!(read(&mut parser, next), [b"PING"], "after {shown}");
}

/// Feeds bytes one by one until they are refused, and says after how many that was, and why. Fed
/// whole, and cut at every place, they must be refused likewise.
fn refused(sample: &[u8], limits: &Limits) -> (usize, String) {
    let shown = sample.escape_ascii();
    let mut parser = Parser::default();
    let mut count = 0;
    let first = loop {
        assert!(count < sample.len(), "accepted: {shown}");
        count += 1;
        match parser.parse(&sample[..count], limits) {
            Ok(parsed) => assert_eq!(parsed, Parsed::More, "{shown}"),
            Err(refusal) => break refusal,
        }
    };
    for cut in (0..count).take(300) {
        let mut parser = Parser::default();
        let early = parser.parse(&sample[..cut], limits);
        assert_eq!(early, Ok(Parsed::More), "{shown} cut at {cut}");
        let late = parser.parse(sample, limits);
        assert_eq!(late.as_ref(), Err(&first), "{shown} cut at {cut}");
    }
    let text = first.text().escape_ascii().to_string().replace("\\'", "'");
    (count, text)
}

fn array(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend(format!("${}\r\n", arg.len()).bytes());
        bytes.extend_from_slice(arg);
        bytes.extend(b"\r\n");
    }
    bytes
}
