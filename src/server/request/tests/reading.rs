//! What the bytes mean, and which bytes mean nothing.

use super::*;

#[test]
fn arrays_are_read_however_they_come() {
    let long = [b'x'; 300];
    let samples: &[&[&[u8]]] = &[
        &[b"PING"],
        &[b""],
        &[b"ECHO", b""],
        &[b"LPUSH", b"list", b"value"],
        &[b"SET", b"ten bytes.", &[b'9'; 99]],
        &[b"SET", &[b'h'; 100], &long],
        &[b"SET", b"\r\n$3\r\n", b"\0\n*1\r\n\xff"],
        &[&b"a"[..]; 9],
        &[&b"a"[..]; 10],
        &[&b"a"[..]; 11],
        &[&b"a"[..]; 100],
    ];
    for args in samples {
        check(&array(args), args);
    }
}

#[test]
fn line_ends_of_arrays_are_skipped_unseen() {
    check(b"*1\rx$4\r\0PING..", &[b"PING"]);
    check(b"*2\r\r$1\r$a\r\r$0\r$$$", &[b"a", b""]);
}

#[test]
fn what_asks_for_nothing_is_skipped() {
    for sample in [
        &b"*0\r\n"[..],
        b"*-1\r\n",
        b"*-5\rx",
        b"*-2147483649\r\n",
        b"*-9223372036854775808\r\n",
        b"\n",
        b"\r\n",
        b"   \r\n",
        b" \t\x0b\x0c\r\r\n",
    ] {
        check(sample, &[]);
    }
}

#[test]
fn inline_commands_are_split_into_words() {
    let samples: &[(&[u8], &[&[u8]])] = &[
        (b"PING\r\n", &[b"PING"]),
        (b"PING\n", &[b"PING"]),
        (
            b"  LPUSH\tlist   value \r\n",
            &[b"LPUSH", b"list", b"value"],
        ),
        (b"a\rb\n", &[b"a", b"b"]),
        (b"a\r\r\n", &[b"a"]),
        (b"$4\r\n", &[b"$4"]),
        (b" *1\r\n", &[b"*1"]),
        (b"a\0b \0\n", &[b"a\0b", b"\0"]),
        (b"\0\n", &[b"\0"]),
        (b"\xff\xa0 \x80\n", &[b"\xff\xa0", b"\x80"]),
        // Vertical tabs and form feeds are blanks in front of a word, not in it.
        (b"\x0b\x0ca\x0bb\x0c c\n", &[b"a\x0bb\x0c", b"c"]),
        (b"\"a\"\x0bb\n", &[b"a", b"b"]),
        (b"'a'\x0c\x0bb\n", &[b"a", b"b"]),
        // Quotes.
        (b"\"\"\n", &[b""]),
        (b"''\r\n", &[b""]),
        (b"a '' \"\"\n", &[b"a", b"", b""]),
        (b"ECHO \"a b\"\n", &[b"ECHO", b"a b"]),
        (b"ECHO 'a b'\n", &[b"ECHO", b"a b"]),
        (b"a\"b c\" d'e f'\n", &[b"ab c", b"de f"]),
        (b"\"a'b\" 'a\"b'\n", &[b"a'b", b"a\"b"]),
        (b"\"a\rb\"\r\n", &[b"a\rb"]),
        (b"\"a\"\r\r\n", &[b"a"]),
        // Escapes.
        (b"a\\nb \\\n", &[b"a\\nb", b"\\"]),
        (
            b"\"\\n\\r\\t\\b\\a\\\\\\\"\\'\"\n",
            &[b"\n\r\t\x08\x07\\\"'"],
        ),
        (b"\"\\q\\N\\0\"\n", &[b"qN0"]),
        (
            b"\"\\x41\\xfF\\x00\\xAa9\\x1F\\x4c\"\n",
            &[b"A\xff\0\xaa9\x1fL"],
        ),
        (b"\"\\xg1\\x1g\\x\\X41\"\n", &[b"xg1x1gxX41"]),
        (b"\"\\x4\"\n", &[b"x4"]),
        (b"'\\n\\x41\\\\\\'\\\"'\n", &[b"\\n\\x41\\\\'\\\""]),
    ];
    for (line, expected) in samples {
        check(line, expected);
    }
}

#[test]
fn quotes_that_do_not_end_a_word_are_refused() {
    for line in [
        &b"\"\n"[..],
        b"'\n",
        b"a \"b\r\n",
        b"a 'b\r\n",
        b"a\"\n",
        b"\"a\"b\n",
        b"'a'b\n",
        b"\"a\"'b'\n",
        b"'a''b'\n",
        b"\"a\\\"\n",
        b"'a\\'\n",
        b"\"a\\\n",
        b"'a\\\n",
        b"\"\\x41\n",
        b"\"a\"\0\n",
    ] {
        let expected = "ERR Protocol error: unbalanced quotes in request";
        assert_eq!(refused(line, &OPEN), (line.len(), expected.into()));
    }
}

#[test]
fn a_line_is_judged_when_it_is_complete() {
    let got = |byte: &str| format!("ERR Protocol error: expected '$', got '{byte}'");
    let samples: &[(&[u8], &str)] = &[
        (b"*1\r\nPING\r\n", "P"),
        (b"*1\r\n:4\r\n", ":"),
        (b"*1\r\n4\r\n", "4"),
        (b"*1\r\n*4\r\n", "*"),
        (b"*2\r\n$1\r\na\r\n\xff\r\n", "\\xff"),
        (b"*1\r\n\0\r\n", "\\x00"),
        (b"*1\r\n'\r\n", "'"),
        // A line end in a reply would end it.
        (b"*1\r\n\r\n", " "),
        (b"*1\r\n\n$4\r\n", " "),
        // The second line begins where an argument that was longer than announced goes on.
        (b"*2\r\n$1\r\nabcd\r\n", "d"),
    ];
    for (sample, byte) in samples {
        assert_eq!(refused(sample, &OPEN), (sample.len(), got(byte)));
        let early = Parser::default().parse(&sample[..sample.len() - 1], &OPEN);
        assert_eq!(early, Ok(Parsed::More));
    }
}

#[test]
fn numbers_are_spelt_in_one_way_only() {
    for wrong in [
        "",
        "-",
        "-0",
        "+1",
        "01",
        "00",
        "-01",
        " 1",
        "1 ",
        "1a",
        "a",
        "1\0",
        "1.0",
        "0x1",
        "--1",
        "\n1",
        "1\n",
        "9223372036854775808",
        "18446744073709551617",
        "-9223372036854775809",
        "100000000000000000000",
        "000000000000000000001",
        "\u{661}",
    ] {
        let count = format!("*{wrong}\r\n");
        let (after, text) = refused(count.as_bytes(), &OPEN);
        assert_eq!(text, "ERR Protocol error: invalid multibulk length");
        assert_eq!(after, count.len());
        let length = format!("*1\r\n${wrong}\r\n");
        let (after, text) = refused(length.as_bytes(), &OPEN);
        assert_eq!(text, "ERR Protocol error: invalid bulk length");
        assert_eq!(after, length.len());
    }
}

#[test]
fn arguments_are_found_by_index_and_kept() {
    let bytes = array(&[b"SET", b"", b"value"]);
    let mut parser = Parser::default();
    read(&mut parser, &bytes);
    let args = parser.args(&bytes);
    assert_eq!((args.len(), args.iter().len()), (3, 3));
    assert_eq!(
        (&args[0], &args[1], &args[2]),
        (&b"SET"[..], &b""[..], &b"value"[..])
    );
    assert_eq!((args.get(2), args.get(3)), (Some(&b"value"[..]), None));
    let place = bytes.as_ptr_range();
    assert!(place.contains(&args[0].as_ptr()), "nothing is copied");

    let kept = args.to_owned();
    assert_eq!(kept.bytes(), 8);
    drop(bytes);
    assert_eq!(words(kept.args()), [&b"SET"[..], b"", b"value"]);
    let again = kept.args().to_owned();
    assert_eq!(words(again.args()), words(kept.args()));

    parser.reset();
    let line = b"ECHO \"a\\n\"\n";
    read(&mut parser, line);
    let kept = parser.args(line).to_owned();
    parser.reset();
    assert_eq!(
        (kept.bytes(), words(kept.args())),
        (6, vec![b"ECHO".to_vec(), b"a\n".to_vec()])
    );
}
