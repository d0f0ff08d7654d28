//! Attributes, and pushes that are not wanted: validated, counted, and not stored.

use super::*;
use crate::random::Random;

const SKIPPING: Limits = Limits {
    skip_pushes: true,
    ..Limits::DEFAULT
};

fn skipped() -> Value {
    Value::Push(vec![])
}

#[test]
fn skipped_push_is_an_empty_push() {
    check_with(b">0\r\n", &skipped(), &SKIPPING);
    check_with(b"|1\r\n+a\r\n:1\r\n>1\r\n:1\r\n", &skipped(), &SKIPPING);
    for (sample, _) in reading::resp2_samples()
        .iter()
        .chain(&reading::resp3_samples())
    {
        if sample[0] == b'>' {
            check_with(sample, &skipped(), &SKIPPING);
            continue;
        }
        check_with(&[b">1\r\n", *sample].concat(), &skipped(), &SKIPPING);
        let nested = [b">2\r\n%1\r\n", *sample, *sample, *sample].concat();
        check_with(&nested, &skipped(), &SKIPPING);
    }
}

#[test]
fn skipping_pushes_leaves_other_values_alone() {
    for (sample, expected) in reading::resp2_samples()
        .iter()
        .chain(&reading::resp3_samples())
    {
        if sample[0] != b'>' {
            check_with(sample, expected, &SKIPPING);
        }
    }
}

#[test]
fn skipped_elements_are_refused_where_stored_ones_are() {
    for (sample, _) in reading::REFUSED {
        let inner = [&b">9\r\n|1\r\n:1\r\n"[..], sample].concat();
        let stored = refused_after(&inner, &Limits::DEFAULT);
        let skipped = refused_after(&inner, &SKIPPING);
        assert_eq!(skipped.0, stored.0, "{}", inner.escape_ascii());
        assert_eq!(skipped.1.to_string(), stored.1.to_string());
    }
}

#[test]
fn skipped_elements_count_against_every_limit() {
    let limited = |set: fn(&mut Limits)| {
        let mut limits = SKIPPING;
        set(&mut limits);
        limits
    };
    let depth = limited(|limits| limits.depth = 2);
    assert_eq!(refused_after(b">1\r\n*1\r\n*1\r\n", &depth).0, 12);
    let elements = limited(|limits| limits.elements = 3);
    assert_eq!(refused_after(b">1\r\n*3\r\n", &elements).0, 8);
    let bulk = limited(|limits| limits.bulk_bytes = 5);
    assert_eq!(refused_after(b">1\r\n$6\r\n", &bulk).0, 8);
    let line = limited(|limits| limits.line_bytes = 3);
    assert_eq!(refused_after(b">1\r\n+four\r\n", &line).0, 9);
    let reply = limited(|limits| limits.reply_bytes = size_of::<Value>() + 20);
    assert_eq!(refused_after(b">1\r\n$11\r\n", &reply).0, 9);
    let reply = limited(|limits| limits.reply_bytes = 3 * size_of::<Value>());
    assert_eq!(refused_after(b">1\r\n*2\r\n", &reply).0, 8);
}

#[test]
fn skipped_bytes_are_not_held() {
    const LEN: usize = 1_000_000;
    let body = vec![b'x'; LEN];
    for (kind, prefix) in [("$", ""), ("!", ""), ("=", "txt:")] {
        let header = format!("{kind}{}\r\n{prefix}", prefix.len() + LEN);
        for (begin, end) in [
            (">2\r\n+a\r\n", "\r\n"),
            (">1\r\n*2\r\n:1\r\n", "\r\n"),
            ("|1\r\n+a\r\n", "\r\n>0\r\n"),
        ] {
            let mut decoder = Decoder::new();
            let mut feed = |bytes: &[u8]| {
                let value = decoder.decode(&mut &bytes[..], &SKIPPING).unwrap();
                (value, decoder.held_bytes())
            };
            feed(begin.as_bytes());
            feed(header.as_bytes());
            for piece in body.chunks(1000) {
                let (value, held) = feed(piece);
                assert!(value.is_none() && held <= 1024, "{held} bytes");
            }
            assert_eq!(feed(end.as_bytes()).0, Some(skipped()));
        }
    }
    let many = [&b">1000000\r\n"[..], &b"$1\r\nx\r\n".repeat(100_000)].concat();
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&mut &many[..], &SKIPPING).unwrap(), None);
    assert_eq!(decoder.held_bytes(), 0);
}

#[test]
fn attributes_are_not_held_without_skipping_pushes() {
    let mut decoder = Decoder::new();
    let begin = [&b"*2\r\n|1\r\n+a\r\n$1000000\r\n"[..], &[b'x'; 100_000]].concat();
    let mut held = |bytes: &[u8]| {
        decoder.decode(&mut &bytes[..], &Limits::DEFAULT).unwrap();
        decoder.held_bytes()
    };
    let before = held(&begin);
    assert!(before <= 1024, "{before} bytes");
    assert_eq!(held(&[b'x'; 100_000]), before);
}

#[test]
fn progress_counts_skipped_bytes() {
    let mut decoder = Decoder::new();
    let mut input = &b">2\r\n+a\r\n$512\r\nfoo"[..];
    assert_eq!(decoder.decode(&mut input, &SKIPPING).unwrap(), None);
    let progress = decoder.progress().unwrap();
    assert_eq!(
        progress.to_string(),
        "1 of 2 elements came, and 3 of 512 bytes of a string"
    );
    assert_eq!(progress.read_bytes(), 17);
    assert!(!decoder.is_partial_reply());
}

/// The values of a stream that comes in pieces, pushes emptied, and whether it is refused.
fn emptied(stream: &[u8], piece: usize, limits: &Limits) -> (Vec<String>, bool) {
    let (mut decoder, mut values) = (Decoder::new(), vec![]);
    for mut bytes in stream.chunks(piece) {
        loop {
            match decoder.decode(&mut bytes, limits) {
                Ok(Some(Value::Push(_))) => values.push(format!("{:?}", skipped())),
                Ok(Some(value)) => values.push(format!("{value:?}")),
                Ok(None) => break,
                Err(_) => return (values, true),
            }
        }
    }
    (values, false)
}

#[test]
fn skipping_changes_nothing_but_what_pushes_hold() {
    const PIECES: [&[u8]; 24] = [
        b">1\r\n",
        b">2\r\n",
        b">3\r\n",
        b">0\r\n",
        b"|1\r\n",
        b"|0\r\n",
        b"*2\r\n",
        b"*0\r\n",
        b"%1\r\n",
        b"~1\r\n",
        b":1\r\n",
        b"+a\r\n",
        b"-e\r\n",
        b"$1\r\nx\r\n",
        b"$5\r\n\r\nx\r\n\r\n",
        b"$-1\r\n",
        b"=5\r\ntxt:a\r\n",
        b"!1\r\nx\r\n",
        b"_\r\n",
        b",1.5\r\n",
        b"#t\r\n",
        b"(12\r\n",
        b"=4\r\ntxt.\r\n",
        b"$1\r\nxx\r\n",
    ];
    let mut random = Random::new(1);
    let (mut refused, mut pushes) = (0, 0);
    for _ in 0..20_000 {
        let count = 1 + random.index(12);
        // The two that are wrong are rare.
        let piece = |random: &mut Random| match random.index(60) {
            58 => PIECES[22],
            59 => PIECES[23],
            any => PIECES[any % 22],
        };
        let stream: Vec<u8> = (0..count)
            .flat_map(|_| piece(&mut random))
            .copied()
            .collect();
        let mut limits = Limits {
            depth: 1 + random.index(4),
            elements: 2 + random.index(12),
            reply_bytes: random.index(600),
            ..Limits::DEFAULT
        };
        let stored = emptied(&stream, stream.len(), &limits);
        limits.skip_pushes = true;
        for piece in [stream.len(), 1, 5] {
            let skipped = emptied(&stream, piece, &limits);
            assert_eq!(skipped, stored, "{}", stream.escape_ascii());
        }
        refused += usize::from(stored.1);
        pushes += usize::from(stored.0.contains(&"Push([])".into()));
    }
    assert!(refused > 2_000 && pushes > 2_000, "{refused}, {pushes}");
}
