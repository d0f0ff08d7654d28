//! The ladder, rung 2: a thread for each pop.
//!
//! ```text
//! cargo run --release --example ladder_2_threads
//! cargo run --release --example ladder_2_threads -- -c 2000     # so many
//! ```
//!
//! The socket of rung 1 kept its thread from doing anything else, so each pop gets a thread of its own, and they all wait at the
//! same time. It works, and reads from top to bottom. Expect 500 pops in little more than a second; and what they cost: an
//! OS thread each, with 2 MiB of addresses for its stack and more for the allocator, of which two or three pages become memory.
//! (The kernel's own stack of each thread, 16 KiB on Linux, is in no figure here.) And a thread that waits in `read` cannot
//! be called back: it can only be waited for.

mod support {
    pub(crate) mod flags;
    pub(crate) mod kernel;
    pub(crate) mod server;
}

use greenroom::resp::{Decoder, Limits, Value, encode};
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;
use support::{flags, kernel, server};

fn main() -> Result<(), Box<dyn Error>> {
    let [clients, port] = flags::read([('c', 500), ('p', 0)]);
    let server = server::at(port)?;
    let begin = Instant::now();
    let before = ["Threads", "VmRSS", "VmSize"].map(kernel::status);

    let all_have_asked = Arc::new(Barrier::new(usize::from(clients) + 1));
    let mut threads = Vec::new();
    for _ in 0..clients {
        let (stream, gate) = (connect(server)?, Arc::clone(&all_have_asked));
        // Not `thread::spawn`, which panics when the system has no thread left.
        threads.push(thread::Builder::new().spawn(move || pop(stream, &gate))?);
    }
    all_have_asked.wait();

    let now = ["Threads", "VmRSS", "VmSize"].map(kernel::status);
    let each = |field: usize| now[field].saturating_sub(before[field]) / u64::from(clients.max(1));
    println!(
        "{clients} pops wait in {} OS threads, {} of which were there before.",
        now[0], before[0]
    );
    println!(
        "Each has taken {} KiB of memory, and {} KiB of addresses.",
        each(1),
        each(2)
    );

    let mut nil = 0;
    for thread in threads {
        let value = thread.join().map_err(|_| "a thread has panicked")??;
        nil += usize::from(value.is_null());
    }
    println!(
        "{nil} of {clients} pops: nil. Done in {:.3} s.",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

/// A connection that the server has accepted, since it answers. A backlog is short (the embedded server's holds 128), and
/// who connects beyond it waits for a second.
fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    ask(&mut stream, &["PING"])?;
    reply(&mut stream)?;
    Ok(stream)
}

/// What each thread does: it asks, and sleeps in `read` until it is answered.
fn pop(mut stream: TcpStream, all_have_asked: &Barrier) -> io::Result<Value> {
    let asked = ask(&mut stream, &["BRPOP", "ladder", "1"]);
    all_have_asked.wait();
    asked?;
    reply(&mut stream)
}

fn ask(stream: &mut TcpStream, command: &[&str]) -> io::Result<()> {
    let mut request = Vec::new();
    encode::command(&mut request, command);
    stream.write_all(&request)
}

/// Rung 1 has shown where a reply ends; from here on the library's decoder knows.
fn reply(stream: &mut TcpStream) -> io::Result<Value> {
    let (mut decoder, mut chunk) = (Decoder::new(), [0; 512]);
    loop {
        let count = stream.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let decoded = decoder.decode(&mut &chunk[..count], &Limits::DEFAULT);
        if let Some(value) = decoded.map_err(io::Error::other)? {
            return Ok(value);
        }
    }
}
