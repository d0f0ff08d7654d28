//! What a peer can make us do and hold.

use super::*;
use std::time::{Duration, Instant};

#[test]
fn limits_allow_what_they_say_and_no_more() {
    let mut limits = Limits::default();
    (
        limits.depth,
        limits.elements,
        limits.bulk_bytes,
        limits.line_bytes,
    ) = (3, 6, 5, 4);
    let allowed: &[&[u8]] = &[
        b"*1\r\n*1\r\n*1\r\n:1\r\n",
        b"*1\r\n|1\r\n*1\r\n:1\r\n:2\r\n:3\r\n",
        b"*6\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        b"%3\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
        b"$5\r\n12345\r\n",
        b"+1234\r\n",
        b":1234\r\n",
    ];
    for sample in allowed {
        assert!(
            decode_with(sample, &limits).unwrap().is_some(),
            "{}",
            sample.escape_ascii()
        );
    }
    let refused: &[(&[u8], usize)] = &[
        (b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 16),
        (b"*1\r\n*1\r\n*1\r\n*0\r\n", 16),
        (b"*1\r\n*1\r\n|1\r\n*1\r\n", 16),
        (b"*7\r\n", 4),
        (b"*4\r\n*3\r\n", 8),
        (b"*5\r\n*0\r\n*2\r\n", 12),
        (b"%4\r\n", 4),
        (b"|3\r\n", 4),
        (b"|0\r\n|0\r\n|0\r\n|0\r\n|0\r\n|0\r\n|0\r\n", 28),
        (b"$6\r\n", 4),
        (b"=6\r\n", 4),
        (b"+12345", 6),
        (b":12345\r\n", 6),
    ];
    for (sample, after) in refused {
        let (count, error) = refused_after(sample, &limits);
        assert_eq!(count, *after, "{}: {error}", sample.escape_ascii());
    }
    (limits.depth, limits.line_bytes) = (0, 1);
    assert!(decode_with(b"*1\r\n:1\r\n", &limits).is_err());
    assert!(decode_with(b"+OK\r\n", &limits).is_err());
}

#[test]
fn elements_are_counted_anew_for_every_reply() {
    let limits = Limits {
        elements: 2,
        ..Limits::DEFAULT
    };
    let mut decoder = Decoder::new();
    for _ in 0..3 {
        let mut input = &b"*2\r\n:1\r\n+a\r\n"[..];
        assert!(decoder.decode(&mut input, &limits).unwrap().is_some());
    }
}

#[test]
fn nesting_without_end_is_refused_at_the_limit() {
    for header in [
        &b"*1\r\n"[..],
        b"~1\r\n",
        b"|1\r\n",
        b"%1\r\n",
        b"%1\r\n+a\r\n",
    ] {
        let bomb = header.repeat(100_000);
        let (count, error) = refused_after(&bomb, &Limits::DEFAULT);
        assert_eq!(count, header.len() * Limits::DEPTH + 4, "{error}");
        assert_eq!(
            error.to_string(),
            "a reply of 129 levels is over the limit of 128"
        );
        assert!(decode(&bomb).is_err());
    }
}

#[test]
fn the_deepest_value_fits_a_small_stack() {
    let deep = [&b"%1\r\n:1\r\n".repeat(Limits::DEPTH)[..], b":1\r\n"].concat();
    let work = move || {
        let value = decode(&deep).unwrap().unwrap();
        assert_eq!(value.clone(), value);
        assert!(format!("{value:?}").starts_with("Map([(Int(1), Map("));
        let mut out = Vec::new();
        encode::value(&mut out, &value, Protocol::Resp3);
        assert_eq!(out, deep);
    };
    let small = std::thread::Builder::new().stack_size(512 << 10);
    small.spawn(work).unwrap().join().unwrap();
}

#[test]
fn memory_follows_the_bytes_that_came_and_not_the_announced_ones() {
    let held = |bytes: &[u8]| {
        let mut decoder = Decoder::new();
        assert_eq!(
            decoder.decode(&mut &bytes[..], &Limits::DEFAULT).unwrap(),
            None
        );
        decoder.held_bytes()
    };
    let vast = b"*1\r\n*1\r\n".repeat(60);
    assert_eq!(held(b"$536870912\r\n"), 0);
    assert!(held(b"$536870912\r\nfoo") <= 3);
    assert!(held(b"*16777216\r\n") <= 4 * 40);
    assert!(held(b"%8388608\r\n") <= 8 * 40);
    assert!(held(b"*1\r\n*2000000\r\n*2000000\r\n*2000000\r\n*2000000\r\n") <= 4096);
    assert!(held(&b"*1000000\r\n".repeat(6)) <= 6 * 400);
    assert!(held(&b"*1000000\r\n".repeat(16)) <= 16 * 400);
    assert!(held(&vast) <= 60 * 1024);
    // An outer array takes what the input can hold, which leaves nothing for those inside.
    let nested = [b"*100000\r\n".repeat(100), b":1\r\n".repeat(1000)].concat();
    assert!(held(&nested) <= 40 * nested.len(), "{}", held(&nested));
    let split = [
        &b"*100000\r\n:1\r\n"[..],
        &b"*100000\r\n".repeat(100),
        &b":1\r\n".repeat(1000),
    ];
    assert!(
        held(&split.concat()) <= 150_000,
        "{}",
        held(&split.concat())
    );
}

#[test]
fn what_is_here_in_full_gets_room_once() {
    let array = [&b"*1000\r\n"[..], &b"_\r\n".repeat(1000)].concat();
    let Ok(Some(Value::Array(items))) = decode(&array) else {
        panic!("an array")
    };
    assert_eq!((items.len(), items.capacity()), (1000, 1000));
    let map = [&b"%500\r\n"[..], &b"_\r\n".repeat(1000)].concat();
    let Ok(Some(Value::Map(pairs))) = decode(&map) else {
        panic!("a map")
    };
    assert_eq!((pairs.len(), pairs.capacity()), (500, 500));
}

#[test]
fn an_inner_array_that_is_here_in_full_gets_room_once() {
    let inner = [&b"*1000\r\n"[..], &b"_\r\n".repeat(1000)].concat();
    let Ok(Some(Value::Array(items))) = decode(&[b"*2\r\n", &inner[..], &inner].concat()) else {
        panic!("an array")
    };
    for item in items {
        let Value::Array(inner) = item else {
            panic!("an array")
        };
        assert_eq!((inner.len(), inner.capacity()), (1000, 1000));
    }
}

#[test]
fn a_big_string_grows_by_doubling_and_ends_without_spare_room() {
    const LEN: usize = 1_000_000;
    let mut decoder = Decoder::new();
    decoder
        .decode(&mut &b"$1000000\r\n"[..], &Limits::DEFAULT)
        .unwrap();
    let (mut sizes, mut came) = (vec![0], 0);
    let begun = Instant::now();
    while came < LEN {
        decoder.decode(&mut &b"x"[..], &Limits::DEFAULT).unwrap();
        came += 1;
        let held = decoder.held_bytes();
        assert!(held <= 2 * came, "{held} bytes for {came}");
        if sizes.last() != Some(&held) {
            sizes.push(held);
        }
    }
    assert!(sizes.len() <= 22 && sizes.last() == Some(&LEN), "{sizes:?}");
    let value = decoder.decode(&mut &b"\r\n"[..], &Limits::DEFAULT).unwrap();
    assert_eq!(value, Some(Value::Bulk(vec![b'x'; LEN].into())));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn no_byte_of_a_line_is_looked_at_twice() {
    let scanned_by_bytes = |stream: &[u8]| {
        SCANNED.set(0);
        let mut decoder = Decoder::new();
        let begun = Instant::now();
        let values = stream
            .iter()
            .filter_map(|byte| decoder.decode(&mut &[*byte][..], &Limits::DEFAULT).unwrap());
        assert_eq!(values.count(), 1);
        assert!(begun.elapsed() < Duration::from_secs(10));
        SCANNED.get()
    };
    let line = [&b"+"[..], &vec![b'x'; 60_000], b"\r\n"].concat();
    assert_eq!(scanned_by_bytes(&line), 60_000);
    let array = [&b"*100000\r\n"[..], &b"+abc\r\n".repeat(100_000)].concat();
    assert_eq!(scanned_by_bytes(&array), 6 + 3 * 100_000);
    let mut decoder = Decoder::new();
    SCANNED.set(0);
    for piece in line.chunks(1000) {
        decoder.decode(&mut &*piece, &Limits::DEFAULT).unwrap();
    }
    assert_eq!(SCANNED.get(), 60_000);
}

#[test]
fn line_that_does_not_end_is_refused_at_its_limit() {
    let lines: &[(&[u8], usize)] = &[
        (b"+", Limits::LINE_BYTES),
        (b"-", Limits::LINE_BYTES),
        (b"(", Limits::LINE_BYTES),
        (b",", 5 << 10),
        (b"#t", 1),
        (b":", 20),
        (b"$", 20),
        (b"!", 20),
        (b"=", 20),
        (b"*", 20),
        (b"%", 20),
        (b"~", 20),
        (b">", 20),
        (b"|", 20),
    ];
    for (start, most) in lines {
        let byte = if start[0] == b'#' { b"t" } else { b"1" };
        let line = [&start[..1], &byte.repeat(most + 1)].concat();
        assert!(decode(&line[..line.len() - 1]).unwrap().is_none());
        let (count, error) = refused_after(&line, &Limits::DEFAULT);
        assert_eq!(count, line.len());
        assert_eq!(
            error.to_string(),
            format!("a line has not ended after {most} bytes, the limit")
        );
    }
}

#[test]
fn long_double_is_read() {
    let digits = "1".repeat(300);
    let number = digits.parse().unwrap();
    check(
        format!(",{digits}.5\r\n").as_bytes(),
        &Value::Double(number),
    );
}

/// The limit that a reply of `bytes` and `values` just keeps to.
fn reply_limit(bytes: usize, values: usize) -> Limits {
    Limits {
        reply_bytes: bytes + values * size_of::<Value>(),
        ..Limits::DEFAULT
    }
}

#[test]
fn reply_bytes_count_bytes_on_the_wire_and_values() {
    // Each with the values that it announces, and after how many bytes it is refused for one less.
    let samples: &[(&[u8], usize, usize)] = &[
        (b"$5\r\nhello\r\n", 0, 4),
        (b"!5\r\nERR x\r\n", 0, 4),
        (b"*2\r\n$1\r\nx\r\n:1\r\n", 2, 15),
        (b"*2\r\n:1\r\n$1\r\nx\r\n", 2, 12),
        (b"*1\r\n*2\r\n*0\r\n*0\r\n", 3, 16),
        (b"%1\r\n+a\r\n,1.5\r\n", 2, 14),
        (b"~1\r\n_\r\n", 1, 7),
        (b">1\r\n+a\r\n", 1, 8),
        (b"|1\r\n+a\r\n:1\r\n:2\r\n", 3, 16),
        (b"|0\r\n$1\r\nx\r\n", 1, 8),
    ];
    for (sample, values, after) in samples {
        let mut limits = reply_limit(sample.len(), *values);
        let value = decode(sample).unwrap().unwrap();
        check_with(sample, &value, &limits);
        limits.reply_bytes -= 1;
        let (count, error) = refused_after(sample, &limits);
        assert_eq!(count, *after, "{}: {error}", sample.escape_ascii());
        let message = format!(
            "a reply of {} bytes in memory is over the limit of {}",
            limits.reply_bytes + 1,
            limits.reply_bytes
        );
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn reply_over_its_limit_is_refused_when_announced() {
    let limits = reply_limit(0, 1000);
    assert_eq!(refused_after(b"*1000\r\n", &limits).0, 7);
    assert_eq!(refused_after(b"%500\r\n", &limits).0, 6);
    assert_eq!(refused_after(b"*2\r\n*999\r\n", &limits).0, 10);
    assert_eq!(refused_after(b"*1\r\n$39990\r\n", &limits).0, 12);
    let (count, error) = refused_after(b"*3\r\n$536870912\r\n", &reply_limit(1 << 29, 0));
    assert_eq!(count, 16, "{error}");
}

#[test]
fn reply_bytes_do_not_limit_single_lines() {
    let limits = reply_limit(0, 0);
    for sample in [
        &b"+hello\r\n"[..],
        b"-ERR x\r\n",
        b":12\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"(1\r\n",
    ] {
        check_with(sample, &decode(sample).unwrap().unwrap(), &limits);
    }
    assert_eq!(refused_after(b"$0\r\n\r\n", &limits).0, 4);
}

#[test]
fn reply_bytes_are_counted_anew_for_every_reply() {
    let reply = b"*2\r\n$1\r\nx\r\n:1\r\n";
    let (limits, stream) = (reply_limit(reply.len(), 2), reply.repeat(10));
    for piece in [1, 7, stream.len()] {
        let (mut decoder, mut count) = (Decoder::new(), 0);
        for mut bytes in stream.chunks(piece) {
            while decoder.decode(&mut bytes, &limits).unwrap().is_some() {
                count += 1;
            }
        }
        assert_eq!(count, 10);
    }
}

#[test]
fn default_reply_limit_admits_the_largest_string_and_array() {
    let string = [&b"*2\r\n$536870912\r\n"[..], b"x"].concat();
    assert_eq!(decode(&string).unwrap(), None);
    assert_eq!(decode(b"*16777216\r\n").unwrap(), None);
    assert_eq!(decode(b"*1\r\n%8388607\r\n").unwrap(), None);
}
