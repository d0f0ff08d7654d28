//! What a peer can make us do and hold.

use super::*;

/// Checks that `allowed` is the beginning of a command, and `over` is refused with its last byte.
fn threshold(limits: &Limits, allowed: &str, over: &str, expected: &str) {
    let parsed = Parser::default().parse(allowed.as_bytes(), limits);
    assert_eq!(parsed, Ok(Parsed::More), "{allowed:?}");
    let text = format!("ERR Protocol error: {expected}");
    assert_eq!(refused(over.as_bytes(), limits), (over.len(), text));
}

#[test]
fn limits_allow_what_they_say_and_no_more() {
    let count = "invalid multibulk length";
    threshold(&OPEN, "*2147483647\r\n", "*2147483648\r\n", count);
    let count = "unauthenticated multibulk length";
    threshold(&STRANGER, "*10\r\n", "*11\r\n", count);
    let length = "invalid bulk length";
    threshold(&OPEN, "*1\r\n$0\r\n", "*1\r\n$-1\r\n", length);
    threshold(
        &OPEN,
        "*1\r\n$536870912\r\n",
        "*1\r\n$536870913\r\n",
        length,
    );
    let small = Limits {
        bulk_bytes: 5,
        ..OPEN
    };
    threshold(&small, "*1\r\n$5\r\n", "*1\r\n$6\r\n", length);
    let length = "unauthenticated bulk length";
    threshold(&STRANGER, "*1\r\n$16384\r\n", "*1\r\n$16385\r\n", length);

    // A number that nobody may send is worse than one that a stranger may not.
    let count = "invalid multibulk length";
    threshold(&STRANGER, "*", "*2147483648\r\n", count);
    let length = "invalid bulk length";
    threshold(&STRANGER, "*1\r\n", "*1\r\n$536870913\r\n", length);
    // Inline commands are not limited: a line is short.
    let line = "a ".repeat(11) + &"b".repeat(16385) + "\n";
    let parsed = Parser::default().parse(line.as_bytes(), &STRANGER);
    assert_eq!(parsed, Ok(Parsed::Command));
}

#[test]
fn the_largest_limit_overflows_nothing() {
    let vast = Limits {
        bulk_bytes: usize::MAX,
        ..OPEN
    };
    let mut parser = Parser::default();
    let sample = b"*1\r\n$9223372036854775807\r\nabc\r\n";
    assert_eq!(parser.parse(sample, &vast), Ok(Parsed::More));
}

#[test]
fn a_line_without_an_end_is_given_up_after_64_kib() {
    const KIB_64: usize = 65536;
    for (before, line, end, text) in [
        ("", "*", "\r\n", "too big mbulk count string"),
        ("*1\r\n", "$", "\r\n", "too big bulk count string"),
        (
            "*2\r\n$3\r\nfoo\r\n",
            "x",
            "\r\n",
            "too big bulk count string",
        ),
        ("", "x", "\n", "too big inline request"),
        ("", "\"", "\n", "too big inline request"),
    ] {
        let endless = before.to_string() + line + &"1".repeat(KIB_64);
        let allowed = &endless[..endless.len() - 1];
        threshold(&OPEN, allowed, &endless, text);
        // It is the end that is missed. A line that came with one is judged by what it says.
        let ended = endless + end;
        let text = match Parser::default().parse(ended.as_bytes(), &OPEN) {
            Ok(parsed) => format!("{parsed:?}"),
            Err(refusal) => refusal.text().escape_ascii().to_string(),
        };
        assert!(!text.contains("too big"), "{text}");
    }
    // The CR is the end of a line, although it is not read before one more byte has come.
    let mut parser = Parser::default();
    let line = "*".to_string() + &"1".repeat(KIB_64) + "\r";
    assert_eq!(parser.parse(line.as_bytes(), &OPEN), Ok(Parsed::More));
}

#[test]
fn no_byte_of_a_line_is_looked_at_twice_and_no_argument_at_all() {
    let scanned = |stream: &[u8], step: usize| {
        SCANNED.set(0);
        let mut parser = Parser::default();
        let ends = (0..stream.len()).step_by(step).chain([stream.len()]);
        let parsed: Vec<_> = ends
            .map(|end| parser.parse(&stream[..end], &OPEN).unwrap())
            .collect();
        let (last, early) = parsed.split_last().unwrap();
        assert_eq!(*last, Parsed::Command);
        assert!(early.iter().all(|parsed| *parsed == Parsed::More));
        SCANNED.get()
    };
    let line = [&b"x"[..].repeat(60_000), &b"\r\n"[..]].concat();
    assert_eq!(scanned(&line, 1), 60_001);
    assert_eq!(scanned(&line, 1000), 60_001);
    let large = array(&[b"SET", b"key", &[b'x'; 100_000]]);
    assert_eq!(scanned(&large, 1), 2 + 2 + 2 + 7);
    // Whole, all four lines are tried the quick way, and one is too long for it.
    assert_eq!(scanned(&large, large.len()), 4 * 4 + 7);
    let many = array(&[&b"abc"[..]; 10_000]);
    assert_eq!(scanned(&many, 1), 6 + 2 * 10_000);
}

#[test]
fn memory_follows_what_came_and_is_kept_while_it_is_little() {
    let room = |parser: &Parser| (parser.spans.capacity(), parser.text.capacity());
    let mut parser = Parser::default();
    assert_eq!(room(&parser), (0, 0));
    let announced = b"*2147483647\r\n$536870912\r\n";
    assert_eq!(parser.parse(announced, &OPEN), Ok(Parsed::More));
    assert_eq!(room(&parser), (0, 0));

    for (sample, kept) in [
        (array(&[&b"a"[..]; 60]), true),
        (b"a ".repeat(60), true),
        (array(&[&b"a"[..]; 1000]), false),
        (b"a ".repeat(1000), false),
        (b"a".repeat(10_000), false),
    ] {
        let sample = [&sample[..], b"\n"].concat();
        let mut parser = Parser::default();
        read(&mut parser, &sample);
        let (spans, text) = room(&parser);
        assert!(spans <= 2 * parser.args(&sample).len().max(4));
        assert!(text <= 2 * sample.len());
        parser.reset();
        if kept {
            assert_eq!(room(&parser), (spans, text));
        } else {
            assert!(room(&parser) < (spans, text), "{:?}", room(&parser));
            assert!(room(&parser).0 <= KEPT_SPANS && room(&parser).1 <= KEPT_TEXT_BYTES);
        }
    }
}

struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// Reads all commands of `stream` in pieces of random sizes: the arguments, and how it ended.
fn read_all(stream: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<Vec<Vec<u8>>>, String) {
    let (mut commands, mut begin, mut end) = (Vec::new(), 0, 0);
    let mut parser = Parser::default();
    loop {
        let bytes = &stream[begin..end];
        match parser.parse(bytes, &STRANGER) {
            Ok(Parsed::More) if end == stream.len() => return (commands, "more".into()),
            Ok(Parsed::More) => end = stream.len().min(end + piece()),
            Ok(_) => {
                assert!((1..=bytes.len()).contains(&parser.consumed()));
                commands.push(words(parser.args(bytes)));
                begin += parser.consumed();
                parser.reset();
            }
            Err(refusal) => return (commands, refusal.text().escape_ascii().to_string()),
        }
    }
}

#[test]
fn random_bytes_are_read_alike_in_any_pieces() {
    const PIECES: [&[u8]; 24] = [
        b"*1\r\n",
        b"*2\r\n",
        b"*",
        b"$",
        b"$0\r\n\r\n",
        b"$1\r\na\r\n",
        b"$3\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"\"",
        b"'",
        b"\\",
        b"\\x4",
        b"x",
        b"1",
        b"0",
        b"-",
        b" ",
        b"\0",
        b"\xff",
        b"*-1\r\n",
        b"$16385\r\n",
        b"*11\r\n",
    ];
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    for round in 0..100_000 {
        let mut stream = Vec::new();
        for _ in 0..random.below(24) {
            match round % 4 {
                0 => stream.push(u8::try_from(random.below(256)).unwrap()),
                _ => stream.extend(PIECES[random.below(PIECES.len())]),
            }
        }
        let whole = read_all(&stream, || stream.len());
        let single = read_all(&stream, || 1);
        let pieces = read_all(&stream, || 1 + random.below(9));
        assert_eq!(whole, single, "{}", stream.escape_ascii());
        assert_eq!(whole, pieces, "{}", stream.escape_ascii());
    }
}
