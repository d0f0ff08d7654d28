//! What is read, and what is refused.

use super::*;

#[test]
fn every_type_is_read_however_it_is_cut() {
    for (sample, expected) in resp2_samples().iter().chain(&resp3_samples()) {
        check(sample, expected);
    }
}

#[test]
fn attributes_are_dropped_wherever_they_stand() {
    check(b"|1\r\n+ttl\r\n:9\r\n:1\r\n", &Value::Int(1));
    check(
        b"|0\r\n|0\r\n*1\r\n|1\r\n*1\r\n:1\r\n%0\r\n:2\r\n",
        &Value::Array(vec![Value::Int(2)]),
    );
    check(
        b"%1\r\n|1\r\n:8\r\n:9\r\n:1\r\n:2\r\n",
        &Value::Map(vec![(Value::Int(1), Value::Int(2))]),
    );
}

#[test]
fn what_is_no_resp_is_refused_at_its_first_wrong_byte() {
    for (sample, after) in REFUSED {
        let (count, error) = refused_after(sample, &Limits::DEFAULT);
        assert_eq!(count, *after, "{}: {error}", sample.escape_ascii());
    }
}

#[test]
fn an_error_says_what_came() {
    let message = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(
        message(b"HTTP/1.1 400\r\n"),
        "not RESP: a value cannot begin with \"HTTP/1.1 400\\r\\n\""
    );
    assert_eq!(
        message(b":1\x1b[2J"),
        "not RESP: byte \"\\u{1b}\" in an integer"
    );
    assert_eq!(
        message(b"=-2\r\n"),
        "not RESP: \"-2\" as a verbatim string or its length"
    );
    assert_eq!(
        message(b"*1\r\n>1\r\n"),
        "not RESP: a push inside an aggregate"
    );
    assert_eq!(
        message(b"$536870913\r\n"),
        "a string of 536870913 bytes is over the limit of 536870912"
    );
}

#[test]
fn progress_is_told_in_words() {
    let progress = |bytes: &[u8]| {
        let mut decoder = Decoder::new();
        assert_eq!(
            decoder.decode(&mut &bytes[..], &Limits::DEFAULT).unwrap(),
            None
        );
        format!("{decoder:?}")
    };
    assert_eq!(progress(b""), "Decoder(idle)");
    assert_eq!(
        progress(b"$536870912\r\n12 bytes are"),
        "Decoder(12 of 536870912 bytes of a string came)"
    );
    assert_eq!(progress(b"+abc\r"), "Decoder(3 bytes of a line came)");
    assert_eq!(
        progress(b"*3\r\n:1\r\n*2\r\n:1\r\n"),
        "Decoder(1 of 3 elements came)"
    );
    assert_eq!(
        progress(b"|0\r\n"),
        "Decoder(an attribute came, and no value)"
    );
}

#[test]
fn strings_own_their_bytes() {
    let mut input = b"*2\r\n$3\r\nfoo\r\n+bar\r\n".to_vec();
    let value = decode(&input).unwrap().unwrap();
    input.fill(0);
    assert_eq!(
        value,
        Value::Array(vec![bulk("foo"), Value::Simple("bar".into())])
    );
}

pub(super) fn resp2_samples() -> Vec<(&'static [u8], Value)> {
    vec![
        (b"+OK\r\n", Value::Simple("OK".into())),
        (b"+\r\n", Value::Simple("".into())),
        (
            b"+caf\xe9\r\n",
            Value::Simple(Bytes::from_static(b"caf\xe9")),
        ),
        (b"-ERR no\r\n", Value::Error("ERR no".into())),
        (b"-\xff\r\n", Value::Error(Bytes::from_static(b"\xff"))),
        (b":0\r\n", Value::Int(0)),
        (b":-2\r\n", Value::Int(-2)),
        (b":+7\r\n", Value::Int(7)),
        (b":9223372036854775807\r\n", Value::Int(i64::MAX)),
        (b":-9223372036854775808\r\n", Value::Int(i64::MIN)),
        (
            b":999999999999999999\r\n",
            Value::Int(999_999_999_999_999_999),
        ),
        (b":00000000000000000005\r\n", Value::Int(5)),
        (b":-0\r\n", Value::Int(0)),
        (b"$03\r\nfoo\r\n", bulk("foo")),
        (b"$3\r\nfoo\r\n", bulk("foo")),
        (b"$0\r\n\r\n", bulk("")),
        (b"$4\r\n\r\n\r\n\r\n", bulk("\r\n\r\n")),
        (
            b"$2\r\n\xc3\x28\r\n",
            Value::Bulk(Bytes::from_static(b"\xc3\x28")),
        ),
        (b"$-1\r\n", Value::Null),
        (b"*-1\r\n", Value::Null),
        (b"_\r\n", Value::Null),
        (b"*0\r\n", Value::Array(vec![])),
        (
            b"*2\r\n$4\r\nlist\r\n$1\r\nx\r\n",
            Value::Array(vec![bulk("list"), bulk("x")]),
        ),
        (
            b"*3\r\n*1\r\n*0\r\n-WRONGTYPE x\r\n*-1\r\n",
            Value::Array(vec![
                Value::Array(vec![Value::Array(vec![])]),
                Value::Error("WRONGTYPE x".into()),
                Value::Null,
            ]),
        ),
    ]
}

pub(super) fn resp3_samples() -> Vec<(&'static [u8], Value)> {
    let text = Bytes::from_static(b"some text");
    vec![
        (b",1.5\r\n", Value::Double(1.5)),
        (b",-0\r\n", Value::Double(-0.0)),
        (b",+1.25E-3\r\n", Value::Double(0.00125)),
        (b",10\r\n", Value::Double(10.0)),
        (b",10.0\r\n", Value::Double(10.0)),
        (b",1e5\r\n", Value::Double(1e5)),
        (b",inf\r\n", Value::Double(f64::INFINITY)),
        (b",-inf\r\n", Value::Double(f64::NEG_INFINITY)),
        (b",nan\r\n", Value::Double(f64::NAN)),
        (b",-nan\r\n", Value::Double(f64::NAN)),
        (b"#t\r\n", Value::Bool(true)),
        (b"#f\r\n", Value::Bool(false)),
        (
            b"(-3492890328409238509324\r\n",
            Value::BigNumber("-3492890328409238509324".into()),
        ),
        (b"!8\r\nERR a\r\nb\r\n", Value::Error("ERR a\r\nb".into())),
        (
            b"=13\r\ntxt:some text\r\n",
            Value::Verbatim {
                format: *b"txt",
                text,
            },
        ),
        (
            b"=4\r\nmkd:\r\n",
            Value::Verbatim {
                format: *b"mkd",
                text: "".into(),
            },
        ),
        (
            b"%2\r\n+a\r\n:1\r\n:2\r\n%0\r\n",
            Value::Map(vec![
                (Value::Simple("a".into()), Value::Int(1)),
                (Value::Int(2), Value::Map(vec![])),
            ]),
        ),
        (
            b"~2\r\n:1\r\n#t\r\n",
            Value::Set(vec![Value::Int(1), Value::Bool(true)]),
        ),
        (
            b">2\r\n$10\r\ninvalidate\r\n_\r\n",
            Value::Push(vec![bulk("invalidate"), Value::Null]),
        ),
    ]
}

/// Bytes, and after how many of them they are refused.
pub(super) const REFUSED: &[(&[u8], usize)] = &[
    (b"HTTP/1.1 400 Bad Request\r\n", 1),
    (b"\x16\x03\x01\x02\0", 1),
    (b"\r\n", 1),
    (b"\0", 1),
    (b"\xff", 1),
    (b"*1\r\nx", 5),
    (b"+a\nb", 3),
    (b"+a\rb", 4),
    (b"+a\r\r\n", 4),
    (b"-a\n", 3),
    (b":1\n", 3),
    (b":1\rx", 4),
    (b":1 \r\n", 3),
    (b":x", 2),
    (b":1x", 3),
    (b":\r\n", 3),
    (b":-\r\n", 4),
    (b":--1\r\n", 6),
    (b":+-1\r\n", 6),
    (b":1-\r\n", 5),
    (b":9223372036854775808\r\n", 22),
    (b":-9223372036854775809\r\n", 23),
    (b"$\r\n", 3),
    (b"$?\r\n", 2),
    (b"*?\r\n", 2),
    (b"$+3\r\n", 2),
    (b"$-2\r\n", 5),
    (b"$-9223372036854775808\r\n", 23),
    (b"*-2\r\n", 5),
    (b"%-1\r\n", 5),
    (b"~-1\r\n", 5),
    (b">-1\r\n", 5),
    (b"|-1\r\n", 5),
    (b"!-1\r\n", 5),
    (b"=-1\r\n", 5),
    (b"=-2\r\n", 5),
    (b"$3\r\nfoobar\r\n", 8),
    (b"$3\r\nfoo\rx", 9),
    (b"$3\r\nfoo\n", 8),
    (b"$0\r\nx", 5),
    (b"=3\r\ntxt\r\n", 9),
    (b"=5\r\ntxt.a\r\n", 11),
    (b"$-0\r\n", 5),
    (b"$-00\r\n", 6),
    (b"$-01\r\n", 6),
    (b"*-0\r\n", 5),
    (b"*-01\r\n", 6),
    (b"%-0\r\n", 5),
    (b"~-0\r\n", 5),
    (b">-0\r\n", 5),
    (b"|-0\r\n", 5),
    (b"!-0\r\n", 5),
    (b"=-0\r\n", 5),
    (b"*1\r\n$-0\r\n", 9),
    (b"*1\r\n*-0\r\n", 9),
    (b"*1\r\n>0\r\n", 5),
    (b"*2\r\n:1\r\n>1\r\n", 9),
    (b"%1\r\n+a\r\n>1\r\n", 9),
    (b"~1\r\n>1\r\n", 5),
    (b">1\r\n>1\r\n", 5),
    (b"|1\r\n>1\r\n", 5),
    (b"*1\r\n|0\r\n>1\r\n", 9),
    (b":000000000000000000005\r\n", 22),
    (b"$000000000000000000000\r\n", 22),
    (b"_x\r\n", 2),
    (b"_\n", 2),
    (b"#\r\n", 3),
    (b"#T", 2),
    (b"#tt\r\n", 3),
    (b"(\r\n", 3),
    (b"(-\r\n", 4),
    (b"(1.5", 3),
    (b",\r\n", 3),
    (b",.5\r\n", 5),
    (b",1.\r\n", 5),
    (b",-1.\r\n", 6),
    (b",1.e5\r\n", 7),
    (b",1.-5\r\n", 7),
    (b",.\r\n", 4),
    (b",1e1.5\r\n", 8),
    (b",infi\r\n", 7),
    (b",+inf\r\n", 7),
    (b",infinity", 8),
    (b",1e\r\n", 5),
    (b",1.5.2\r\n", 8),
    (b",0x1", 3),
    (b"*2147483647\r\n", 13),
    (b"*1\r\n*2000000000\r\n", 17),
    (b"*9223372036854775807\r\n", 22),
    (b"%9223372036854775807\r\n", 22),
    (b"*16777217\r\n", 11),
    (b"%8388609\r\n", 10),
    (b"*1\r\n%8388608\r\n", 14),
    (b"$536870913\r\n", 12),
    (b"!536870913\r\n", 12),
    (b"$9223372036854775807\r\n", 22),
];
