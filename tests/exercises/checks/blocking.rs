//! Chapter 1.

use super::super::at_once::{Call, at_once as run};
use super::super::read_fully::read_fully as read;
use super::super::request::request as encode;
use super::tools::{Scripted, Step};
use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub fn request() {
    let ping = encode(&[b"PING"]);
    assert_eq!(ping.escape_ascii().to_string(), r"*1\r\n$4\r\nPING\r\n");
    let words: [&[u8]; 3] = [b"SET", b"a key", b"a\r\nvalue"];
    let expected = b"*3\r\n$3\r\nSET\r\n$5\r\na key\r\n$8\r\na\r\nvalue\r\n";
    assert_eq!(encode(&words), expected, "words with a space or a line end");
    let long = [b'x'; 1234];
    let expected = [b"*2\r\n$0\r\n\r\n$1234\r\n", &long[..], b"\r\n"].concat();
    assert_eq!(encode(&[b"", &long]), expected, "an empty word, a long one");
    let bytes: &[u8] = "é\u{0}".as_bytes();
    assert!(
        encode(&[bytes]).starts_with(b"*1\r\n$3\r\n"),
        "bytes, not letters"
    );
}

pub fn read_fully() {
    let mut whole = [0; 5];
    read(&mut Scripted::new([Step::Bytes(b"hello")]), &mut whole).unwrap();
    assert_eq!(&whole, b"hello");

    let interrupted = Step::Fails(ErrorKind::Interrupted);
    let pieces = [Step::Bytes(b"h"), interrupted, Step::Bytes(b"ello, you")];
    let (mut stream, mut into) = (Scripted::new(pieces), [0; 5]);
    read(&mut stream, &mut into).unwrap();
    assert_eq!(&into, b"hello", "in pieces, with a signal between them");
    read(&mut stream, &mut into[..4]).unwrap();
    assert_eq!(&into[..4], b", yo", "what lies behind is not lost");
    read(&mut stream, &mut []).unwrap();

    let error = read(&mut Scripted::new([Step::Bytes(b"hel")]), &mut into).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "the end came first");
    let reset = Step::Fails(ErrorKind::ConnectionReset);
    let error = read(&mut Scripted::new([reset]), &mut into).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

pub fn at_once() {
    let begin = Instant::now();
    let call = |number: u64| -> Call<u64> {
        Box::new(move || {
            // The first sleeps longest: who is finished first is not first.
            sleep(Duration::from_millis(100 - number));
            number
        })
    };
    let numbers = run((0..40).map(call).collect());
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    let took = begin.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "one after the other: {took:?}"
    );
    assert!(run::<u8>(Vec::new()).is_empty());
    let panics: Vec<Call<u8>> = vec![Box::new(|| panic!("on purpose"))];
    let lost = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(panics)));
    assert!(lost.is_err(), "a panic was lost");
}
