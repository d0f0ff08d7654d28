//! The ladder, rung 3: sockets that never block, and nobody who says when to look at them.
//!
//! ```text
//! cargo run --release --example ladder_3_spin
//! ```
//!
//! Five hundred threads waited on rung 2. Here one thread has two pops in flight: `set_nonblocking` makes `read` return at
//! once, with the error `WouldBlock` where there is nothing, and the thread can look at the next. But when? Expect two runs.
//! The first looks all the time: a million reads that bring nothing, and a core that is busy for as long as nothing happens. The
//! second sleeps for 10 ms after each look: the core has peace, but each answer lies about for up to 10 ms, and each look is
//! still a system call for every socket, which with ten thousand of them is a million a second again. What is missing is
//! somebody who knows which socket has something, and wakes the thread.

mod support {
    pub(crate) mod flags;
    pub(crate) mod processor;
    pub(crate) mod server;
}

use greenroom::resp::{Decoder, Limits, Value, encode};
use std::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};
use support::{flags, processor, server};

fn main() -> Result<(), Box<dyn Error>> {
    let [port] = flags::read([('p', 0)]);
    let server = server::at(port)?;
    println!("pause   reads that said WouldBlock   processor time   of");
    for pause in [Duration::ZERO, Duration::from_millis(10)] {
        let (begin, used) = (Instant::now(), processor::time());
        let would_block = two_pops(server, pause)?;
        let (took, used) = (begin.elapsed(), processor::time() - used);
        println!(
            "{:2} ms   {would_block:27}   {:12.3} s   {:.3} s",
            pause.as_millis(),
            used.as_secs_f64(),
            took.as_secs_f64()
        );
    }
    Ok(())
}

/// Has two pops answered with nil, and counts the reads that came too early.
fn two_pops(server: SocketAddr, pause: Duration) -> Result<u64, Box<dyn Error>> {
    let mut pops = [Pop::ask(server)?, Pop::ask(server)?];
    let mut would_block = 0;
    while pops.iter().any(|pop| pop.value.is_none()) {
        for pop in pops.iter_mut().filter(|pop| pop.value.is_none()) {
            would_block += u64::from(!pop.look()?);
        }
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
    match pops.iter().all(|pop| pop.value == Some(Value::Null)) {
        true => Ok(would_block),
        false => Err("nothing was to come, and something came".into()),
    }
}

struct Pop {
    stream: TcpStream,
    decoder: Decoder,
    value: Option<Value>,
}

impl Pop {
    fn ask(server: SocketAddr) -> io::Result<Pop> {
        let mut stream = TcpStream::connect(server)?;
        let mut request = Vec::new();
        encode::command(&mut request, &["BRPOP", "ladder", "1"]);
        // So few bytes fit; that a write can be short as well, rung 4 has to care about.
        stream.write_all(&request)?;
        stream.set_nonblocking(true)?;
        Ok(Pop {
            stream,
            decoder: Decoder::new(),
            value: None,
        })
    }

    /// Takes what has come; false when there was nothing.
    fn look(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 512];
        match self.stream.read(&mut chunk) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let decoded = self.decoder.decode(&mut &chunk[..count], &Limits::DEFAULT);
                self.value = decoded.map_err(io::Error::other)?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }
}
