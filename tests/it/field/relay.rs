//! A TCP relay, on threads: what a tunnel, a port that is forwarded, or a slow link is to a client.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Bytes that are read at once, and between two pauses of a slow link.
const CHUNK_BYTES: usize = 64 << 10;

/// A relay of any number of connections to one server. It ends when it is dropped.
pub(super) struct Relay {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Forwards connections to a port of 127.0.0.1. A `rate` limits the bytes of replies in a
    /// second, on each connection.
    pub(super) fn to(port: u16, rate: Option<usize>) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            for client in listener.incoming() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                // A server that refuses ends the client's connection too.
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                if let (Ok(client), Ok(server)) = (client, server) {
                    forward(client, server, rate);
                }
            }
        });
        Relay {
            address,
            is_over,
            thread: Some(thread),
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Ends the accept.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Copies both ways, each on a thread that ends with the connection.
fn forward(client: TcpStream, server: TcpStream, rate: Option<usize>) {
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || copy(from, to, None));
    thread::spawn(move || copy(server, client, rate));
}

fn copy(mut from: TcpStream, mut to: TcpStream, rate: Option<usize>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    let begin = Instant::now();
    let mut due = Duration::ZERO;
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
        if let Some(rate) = rate {
            // What was not used of the time that has passed is not made up for.
            let pause = Duration::from_secs_f64(count as f64 / rate as f64);
            due = due.max(begin.elapsed()) + pause;
            thread::sleep(due.saturating_sub(begin.elapsed()));
        }
    }
    for stream in [&from, &to] {
        // It may have been closed by its other end.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
