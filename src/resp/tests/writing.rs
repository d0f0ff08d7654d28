//! To bytes, and to print.

use super::*;

#[test]
fn a_value_prints_readably() {
    let text = Value::Bulk(Bytes::from_static("a\r\n\"é".as_bytes()));
    assert_eq!(format!("{text:?}"), "Bulk(\"a\\r\\n\\\"é\")");
    assert_eq!(
        format!("{:?}", Value::Bulk(Bytes::from_static(b"\xffa"))),
        "Bulk(b\"\\xffa\")"
    );
    let long = format!("{:?}", Value::Bulk(vec![b'x'; 5000].into()));
    assert!(
        long.len() < 240 && long.ends_with("… (5000 bytes))"),
        "{long}"
    );
    let cut = format!("{:?}", Value::Bulk(format!("x{}", "é".repeat(150)).into()));
    assert!(cut.starts_with("Bulk(\"xé"), "{cut}");
}

#[test]
fn a_command_cannot_smuggle_another() {
    let mut out = Vec::new();
    encode::command(
        &mut out,
        &[&b"SET"[..], b"\r\n*1\r\n$8\r\nFLUSHALL\r\n", b""],
    );
    let sent = decode(&out).unwrap().unwrap();
    let expected = [bulk("SET"), bulk("\r\n*1\r\n$8\r\nFLUSHALL\r\n"), bulk("")];
    assert_eq!(sent, Value::Array(expected.into()));
    out.clear();
    encode::value(
        &mut out,
        &Value::Error("ERR a\r\n+OK".into()),
        Protocol::Resp3,
    );
    encode::value(&mut out, &Value::Simple("a\nb".into()), Protocol::Resp2);
    assert_eq!(out, b"-ERR a  +OK\r\n+a b\r\n");
}

#[test]
#[should_panic(expected = "a command has a name")]
fn the_empty_command_is_refused() {
    encode::command::<&str>(&mut Vec::new(), &[]);
}

#[test]
fn integers_are_written_in_decimal() {
    for number in [0, 7, 10, 99, 100, -1, 1_234_567_890, i64::MAX, i64::MIN] {
        let mut out = Vec::new();
        encode::int(&mut out, number);
        assert_eq!(out, format!(":{number}\r\n").as_bytes());
    }
}

#[test]
fn a_string_says_its_length_whatever_number_of_digits_that_has() {
    for len in 0..=1_001 {
        let text = "x".repeat(len);
        let mut out = Vec::new();
        encode::bulk(&mut out, text.as_bytes());
        assert_eq!(out, format!("${len}\r\n{text}\r\n").as_bytes());
    }
}

#[test]
fn resp2_gets_what_it_knows() {
    let verbatim = Value::Verbatim {
        format: *b"txt",
        text: "hi".into(),
    };
    let pairs = vec![(bulk("k"), Value::Bool(true))];
    let samples: Vec<(Value, &[u8], &[u8])> = vec![
        (Value::Null, b"$-1\r\n", b"_\r\n"),
        (Value::Bool(false), b":0\r\n", b"#f\r\n"),
        (Value::Double(1.5), b"$3\r\n1.5\r\n", b",1.5\r\n"),
        (
            Value::Double(f64::NEG_INFINITY),
            b"$4\r\n-inf\r\n",
            b",-inf\r\n",
        ),
        (Value::Double(f64::NAN), b"$3\r\nnan\r\n", b",nan\r\n"),
        (Value::Double(1e300), b"$5\r\n1e300\r\n", b",1e300\r\n"),
        (Value::BigNumber("12".into()), b"$2\r\n12\r\n", b"(12\r\n"),
        (verbatim, b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"),
        (
            Value::Map(pairs),
            b"*2\r\n$1\r\nk\r\n:1\r\n",
            b"%1\r\n$1\r\nk\r\n#t\r\n",
        ),
        (
            Value::Set(vec![Value::Null]),
            b"*1\r\n$-1\r\n",
            b"~1\r\n_\r\n",
        ),
        (
            Value::Push(vec![Value::Int(1)]),
            b"*1\r\n:1\r\n",
            b">1\r\n:1\r\n",
        ),
        (Value::Array(vec![]), b"*0\r\n", b"*0\r\n"),
    ];
    for (value, resp2, resp3) in samples {
        for (protocol, expected) in [(Protocol::Resp2, resp2), (Protocol::Resp3, resp3)] {
            let mut out = Vec::new();
            encode::value(&mut out, &value, protocol);
            assert_eq!(
                out.escape_ascii().to_string(),
                expected.escape_ascii().to_string()
            );
        }
    }
    let mut out = Vec::new();
    encode::null_array(&mut out);
    assert_eq!(out, b"*-1\r\n");
}
