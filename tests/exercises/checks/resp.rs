//! Chapter 5.

use super::super::bulk::{Bulks, Wrong as NoBulk};
use super::super::lines::{LINE_BYTES_MAX, Lines, Wrong as NoLine};
use super::super::reply_end::reply_end as end;

pub fn lines() {
    let input = b"one\r\n\r\nthree \xff\r\nfo";
    let expected: [&[u8]; 3] = [b"one", b"", b"three \xff"];
    for size in 1..=input.len() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for piece in input.chunks(size) {
            seen.extend(lines.feed(piece).unwrap());
        }
        assert_eq!(seen, expected, "in pieces of {size}");
        assert_eq!(lines.feed(b"ur\r\n").unwrap(), [b"four"]);
    }
    for wrong in [&b"a\nb"[..], b"a\rb", b"a\r\r\n", b"\n"] {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(wrong), Err(NoLine), "{}", wrong.escape_ascii());
        assert_eq!(lines.feed(b"fine\r\n"), Err(NoLine), "it is for good");
    }
    let mut lines = Lines::default();
    let longest = [b'x'; LINE_BYTES_MAX];
    assert_eq!(lines.feed(&longest), Ok(vec![]));
    assert_eq!(lines.feed(b"\r\n"), Ok(vec![longest.to_vec()]));
    assert_eq!(lines.feed(&longest), Ok(vec![]));
    assert_eq!(lines.feed(b"x"), Err(NoLine), "without waiting for an end");
}

pub fn bulk() {
    let input = b"$3\r\nfoo\r\n$-1\r\n$0\r\n\r\n$6\r\na\r\nb\r\n\r\n$1\r\n";
    let some = |text: &[u8]| Some(text.to_vec());
    let expected = [some(b"foo"), None, some(b""), some(b"a\r\nb\r\n")];
    for size in 1..=input.len() {
        let mut bulks = Bulks::default();
        let mut seen = Vec::new();
        for piece in input.chunks(size) {
            seen.extend(bulks.feed(piece).unwrap());
        }
        assert_eq!(seen, expected, "in pieces of {size}");
        assert_eq!(bulks.feed(b"x\r\n").unwrap(), [some(b"x")]);
    }
    for wrong in [
        &b"+OK\r\n"[..],
        b"$\r\n",
        b"$-2\r\n",
        b"$+3\r\nfoo\r\n",
        b"$3\nfoo",
        b"$3\r\nfood\r\n",
        b"$3\r\nfoo\rx",
        b"$999999999\r\n",
        b"$00000000000000000000000000000",
    ] {
        let mut bulks = Bulks::default();
        assert_eq!(bulks.feed(wrong), Err(NoBulk), "{}", wrong.escape_ascii());
        assert_eq!(bulks.feed(b"$1\r\nx\r\n"), Err(NoBulk), "it is for good");
    }
    let mut bulks = Bulks::default();
    assert_eq!(bulks.feed(b"$536870912\r\n"), Ok(vec![]));
    let mut came = 0;
    for _ in 0..1_000 {
        assert!(bulks.held() <= 2 * came + 64, "{} held", bulks.held());
        assert_eq!(bulks.feed(b"0123456789"), Ok(vec![]));
        came += 10;
    }
    assert!(bulks.held() >= came, "what came is kept somewhere else");
}

pub fn reply_end() {
    for reply in [
        &b"+OK\r\n"[..],
        b":-12\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"$0\r\n\r\n",
        b"$5\r\na\r\nbc\r\n",
        b"*0\r\n",
        b"*2\r\n$3\r\nfoo\r\n*3\r\n:1\r\n*0\r\n$1\r\nx\r\n",
        b"*3\r\n*1\r\n*-1\r\n*2\r\n+a\r\n-b\r\n$-1\r\n",
    ] {
        let shown = reply.escape_ascii();
        for cut in 0..reply.len() {
            assert_eq!(end(&reply[..cut]), None, "{cut} bytes of {shown}");
        }
        assert_eq!(end(reply), Some(reply.len()), "{shown}");
        let with_more = [reply, b"+OK\r\n"].concat();
        assert_eq!(end(&with_more), Some(reply.len()), "{shown} and more");
    }
    let mut deep = b"*1\r\n".repeat(200_000);
    assert_eq!(end(&deep), None);
    deep.extend_from_slice(b":1\r\n");
    assert_eq!(end(&deep), Some(deep.len()));
}
