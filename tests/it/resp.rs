//! Properties of the RESP codec that must hold for any bytes.
//!
//! The measure is `reference`: a decoder that has the whole input, recurses, and keeps nothing. It
//! shares no line with the one it judges.

mod reference;

use bytes::Bytes;
use greenroom::resp::{Decoder, Limits, Protocol, Value, encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// What a stream holds: complete values, and how it ends.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Printed, because NaN equals nothing.
    values: Vec<String>,
    /// Bytes up to the end of the last complete value.
    read: usize,
    refused: bool,
}

/// Decodes `stream` in pieces that end at `cuts`.
fn in_pieces(stream: &[u8], cuts: &[usize], limits: &Limits) -> Outcome {
    let mut decoder = Decoder::new();
    let mut outcome = Outcome {
        values: vec![],
        read: 0,
        refused: false,
    };
    let (mut begin, mut cuts) = (0, cuts.to_vec());
    cuts.push(stream.len());
    cuts.sort();
    for end in cuts {
        let mut input = &stream[begin..end];
        loop {
            let before = input;
            let result = decoder.decode(&mut input, limits);
            assert!(
                before.ends_with(input),
                "bytes are taken off the front only"
            );
            match result {
                Ok(Some(value)) => {
                    assert!(input.len() < before.len() && !decoder.is_partial());
                    outcome.values.push(format!("{value:?}"));
                    outcome.read = end - input.len();
                }
                Ok(None) => break assert!(input.is_empty(), "all is taken in"),
                Err(_) => {
                    assert!(decoder.decode(&mut &b"+OK\r\n"[..], limits).is_err());
                    return Outcome {
                        refused: true,
                        ..outcome
                    };
                }
            }
        }
        assert_eq!(decoder.is_partial(), end > outcome.read);
        begin = end;
    }
    outcome
}

fn check_cuts(stream: &[u8], cuts: &[usize], limits: &Limits) -> Outcome {
    let cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    let every: Vec<usize> = (0..stream.len()).collect();
    let whole = in_pieces(stream, &[], limits);
    assert_eq!(in_pieces(stream, &cuts, limits), whole);
    assert_eq!(in_pieces(stream, &every, limits), whole);
    whole
}

fn any_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

/// Bytes that fit into one line.
fn line_bytes() -> impl Strategy<Value = Bytes> {
    vec(
        any::<u8>().prop_filter("no line end", |byte| !b"\r\n".contains(byte)),
        0..40,
    )
    .prop_map(Bytes::from)
}

/// A value that may be part of another.
fn any_element() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Int),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Double),
        (-1000..1000).prop_map(|number| Value::Double(f64::from(number) / 8.0)),
        "[+-]?[0-9]{1,40}".prop_map(|digits| Value::BigNumber(digits.into())),
        line_bytes().prop_map(Value::Simple),
        line_bytes().prop_map(Value::Error),
        Just(Value::Simple("OK".into())),
        any_bytes().prop_map(Value::Bulk),
        (any::<[u8; 3]>(), any_bytes()).prop_map(|(format, text)| Value::Verbatim { format, text }),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec(inner.clone(), 0..6).prop_map(Value::Set),
            vec((inner.clone(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => any_element(),
        1 => vec(any_element(), 0..6).prop_map(Value::Push),
    ]
}

/// Bytes that look like RESP, and mostly are not quite.
fn near_resp() -> impl Strategy<Value = Vec<u8>> {
    const ENDS: [&[u8]; 5] = [b"\r\n", b"\r\n", b"\r\n", b"\r", b"\n"];
    const HEADERS: [&[u8]; 6] = [
        b"*2\r\n", b"%1\r\n", b"|1\r\n", b"|0\r\n", b"~0\r\n", b">1\r\n",
    ];
    const LEAVES: [&[u8]; 5] = [
        b":1\r\n",
        b"+a\r\n",
        b"$1\r\nx\r\n",
        b"_\r\n",
        b"=5\r\ntxt:a\r\n",
    ];
    const KINDS: [&[u8]; 10] = [b"$", b"*", b":", b",", b"#", b"(", b"!", b"=", b"_", b">"];
    const NUMBERS: [&[u8]; 10] = [
        b"0",
        b"1",
        b"2",
        b"5",
        b"-1",
        b"-0",
        b"1.",
        b"1.5",
        b"1e5",
        b"99999999999999999999",
    ];
    const ODD: [&[u8]; 6] = [b"x", b"-", b"+", b".", b"t", b"nan"];
    let piece = prop_oneof![
        4 => select(&ENDS[..]),
        4 => select(&HEADERS[..]),
        4 => select(&LEAVES[..]),
        2 => select(&KINDS[..]),
        2 => select(&NUMBERS[..]),
        1 => select(&ODD[..]),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn small_limits() -> impl Strategy<Value = Limits> {
    let reply = prop_oneof![0usize..40, 40usize..600];
    (0usize..5, 0usize..12, 0usize..8, 0usize..8, reply).prop_map(
        |(depth, elements, bulk, line, reply)| {
            let mut limits = Limits::default();
            (limits.depth, limits.elements) = (depth, elements);
            (limits.bulk_bytes, limits.line_bytes) = (bulk, line);
            limits.reply_bytes = reply;
            limits
        },
    )
}

fn encoded(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    for value in values {
        encode::value(&mut out, value, Protocol::Resp3);
    }
    out
}

fn is_resp2(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_resp2),
        Value::Null | Value::Int(_) | Value::Simple(_) | Value::Bulk(_) | Value::Error(_) => true,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_encoded_is_decoded_however_it_is_cut(
        values in vec(any_value(), 1..4),
        cuts in vec(any::<usize>(), 0..6),
    ) {
        let stream = encoded(&values);
        let outcome = check_cuts(&stream, &cuts, &Limits::DEFAULT);
        let printed: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        prop_assert_eq!(&outcome.values, &printed);
        prop_assert_eq!(outcome.read, stream.len());
        prop_assert_eq!(outcome, reference::stream(&stream, &Limits::DEFAULT));
    }

    #[test]
    fn a_command_arrives_as_it_was_given(args in vec(vec(any::<u8>(), 0..60), 1..8)) {
        let mut out = Vec::new();
        encode::command(&mut out, &args);
        let mut input = &out[..];
        let came = Decoder::new().decode(&mut input, &Limits::DEFAULT).unwrap().unwrap();
        prop_assert!(input.is_empty(), "one command and no more");
        prop_assert_eq!(came.convert::<Vec<Vec<u8>>>().unwrap(), args);
    }

    #[test]
    fn resp2_is_what_a_resp2_client_can_read(value in any_value()) {
        let mut out = Vec::new();
        encode::value(&mut out, &value, Protocol::Resp2);
        let mut input = &out[..];
        let came = Decoder::new().decode(&mut input, &Limits::DEFAULT).unwrap().unwrap();
        prop_assert!(input.is_empty() && is_resp2(&came), "{:?}", came);
    }

    #[test]
    fn any_bytes_give_what_the_reference_gives(
        stream in vec(any::<u8>(), 0..80),
        cuts in vec(any::<usize>(), 0..6),
    ) {
        let outcome = check_cuts(&stream, &cuts, &Limits::DEFAULT);
        prop_assert_eq!(outcome, reference::stream(&stream, &Limits::DEFAULT));
    }

    #[test]
    fn near_misses_give_what_the_reference_gives(
        stream in near_resp(),
        cuts in vec(any::<usize>(), 0..6),
        limits in small_limits(),
    ) {
        for limits in [&limits, &Limits::DEFAULT] {
            let outcome = check_cuts(&stream, &cuts, limits);
            prop_assert_eq!(outcome, reference::stream(&stream, limits));
        }
    }

    #[test]
    fn mutated_streams_give_what_the_reference_gives(
        values in vec(any_value(), 1..3),
        mutations in vec((any::<usize>(), any::<u8>(), 0..3), 1..4),
        cuts in vec(any::<usize>(), 0..6),
        limits in small_limits(),
    ) {
        let mut stream = encoded(&values);
        for (place, byte, how) in mutations {
            let at = place % (stream.len() + 1);
            match how {
                0 => stream.insert(at, byte),
                1 if at < stream.len() => drop(stream.remove(at)),
                _ => stream[at.saturating_sub(1)..at].fill(byte),
            }
        }
        for limits in [&limits, &Limits::DEFAULT] {
            let outcome = check_cuts(&stream, &cuts, limits);
            prop_assert_eq!(outcome, reference::stream(&stream, limits));
        }
    }
}
