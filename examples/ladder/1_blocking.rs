//! The ladder, rung 1: one blocking socket, and nothing but the standard library.
//!
//! ```text
//! cargo run --release --example ladder_1_blocking
//! cargo run --release --example ladder_1_blocking -- -p 6379    # a Redis that runs on this machine
//! ```
//!
//! What is a `BRPOP` on the wire? Strings with their lengths before them, in both directions. An element is pushed; a first pop
//! gets it at once; a second one is answered after its second, with the array that is not there: `*-1`. Expect to see the
//! bytes of the three, and that the thread has slept in `read` for that whole second.
//!
//! Without a client library, this is all there is below: a connection, a `write`, a `read`, and a rule that says where an answer
//! ends.

mod support {
    pub(crate) mod flags;
    pub(crate) mod server;
}

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use support::{flags, server};

/// What a string of an answer may have at most, in bytes: who reads believes nobody's lengths.
const STRING_MAX: u64 = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let [port] = flags::read([('p', 0)]);
    let mut redis = BufReader::new(TcpStream::connect(server::at(port)?)?);
    for command in ["LPUSH ladder hello", "BRPOP ladder 1", "BRPOP ladder 1"] {
        println!("{command}");
        let begin = Instant::now();
        let request = request(command);
        println!("  -> {}", request.escape_ascii());
        redis.get_mut().write_all(&request)?;
        let mut reply = Vec::new();
        read_reply(&mut redis, &mut reply)?;
        println!("  <- {}", reply.escape_ascii());
        println!(
            "  {:.3} s in which this thread could do nothing else",
            begin.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// A command is an array of strings: `*` and how many, then `$` and the length before each.
fn request(command: &str) -> Vec<u8> {
    let words = command.split(' ');
    let mut request = format!("*{}\r\n", words.clone().count());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    request.into_bytes()
}

/// Reads one answer, which begins with a line. That is all, unless it announces strings. What `read` returns is cut
/// anywhere: only the rule knows whether more is to come, and who waits for more than comes waits for ever.
fn read_reply(redis: &mut impl BufRead, reply: &mut Vec<u8>) -> io::Result<()> {
    match read_header(redis, reply)? {
        (b'$', length @ 0..) => read_string(redis, reply, length),
        (b'*', count @ 0..) => {
            for _ in 0..count {
                if let (b'$', length @ 0..) = read_header(redis, reply)? {
                    read_string(redis, reply, length)?;
                }
            }
            Ok(())
        }
        // `+OK`, `-ERR ...`, `:1`, and `-1` for what is not there.
        _ => Ok(()),
    }
}

/// A line: its type, and the number in it where there is one.
fn read_header(redis: &mut impl BufRead, reply: &mut Vec<u8>) -> io::Result<(u8, i64)> {
    let begin = reply.len();
    redis.take(STRING_MAX).read_until(b'\n', reply)?;
    let line = &reply[begin..];
    let Some((kind, rest)) = line.strip_suffix(b"\r\n").and_then(<[u8]>::split_first) else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let number = std::str::from_utf8(rest)
        .ok()
        .and_then(|text| text.parse().ok());
    Ok((*kind, number.unwrap_or(-1)))
}

fn read_string(redis: &mut impl BufRead, reply: &mut Vec<u8>, length: i64) -> io::Result<()> {
    let length = length.unsigned_abs() + 2;
    if length > STRING_MAX {
        return Err(io::Error::other("the string is too long"));
    }
    match redis.take(length).read_to_end(reply)? as u64 == length {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
