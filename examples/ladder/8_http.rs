//! The ladder, rung 8: an HTTP server whose requests ask Redis, on the same hub.
//!
//! ```text
//! cargo run --release --example ladder_8_http                # -l 8080, the port; -p 6379, a Redis that runs already
//!
//! curl -i '127.0.0.1:8080/pop?timeout=2'                     # 204 No Content, after two seconds
//! curl -i '127.0.0.1:8080/push?hello' '127.0.0.1:8080/pop'   # and the element, at once
//! curl '127.0.0.1:8080/incr?hits' '127.0.0.1:8080/get?hits' '127.0.0.1:8080/stats'
//! for i in 1 2 3; do curl '127.0.0.1:8080/pop?timeout=3' & done; sleep 1; curl 127.0.0.1:8080/stats; wait
//! ```
//!
//! The programs of the rungs below knew all their pops when they began. A server gets them from outside, at any time, and from
//! clients that may go away in the middle. Whoever tries one that has a pool asks sooner or later: *why is only one connection
//! used?* Because there was only one request at a time. A pop takes a connection for as long as it waits, and the next pop
//! takes the same one; only who comes meanwhile needs another. So expect `created 1` after any number of pops, one after the
//! other, and `created 3` after the three of the last line. Whatever does not block (`/incr`, `/get`, `/push`) shares one
//! connection, which is not counted with these.
//!
//! A client that goes away takes its pop with it: the pop is cancelled, and no element is lost.
//! Ctrl-C cancels all of them, answers the clients that wait, and ends the program.
//!
//! | file | what it has |
//! |---|---|
//! | `http/request.rs` | bytes to requests, by the crate httparse, with limits |
//! | `http/response.rs` | responses to bytes |
//! | `http/route.rs` | what a request asks of Redis, and what its reply means |
//! | `http/connection.rs` | a task for each client |

mod http {
    pub(crate) mod connection;
    pub(crate) mod request;
    pub(crate) mod response;
    pub(crate) mod route;
}
mod support {
    pub(crate) mod flags;
    pub(crate) mod redis;
}

use greenroom::driver::Endpoint;
use greenroom::{Hub, Listener, Result, Shutdown, Task, Wait, Wake, ms, secs};
use http::connection::{Connection, Shared};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use support::{flags, redis};

/// Connections that are accepted in a turn, so that the others get theirs.
const ACCEPTS_MAX: usize = 64;

/// How long a connection is left waiting that cannot be accepted, for want of descriptors most likely.
const ACCEPT_PAUSE: Duration = ms(50);

/// How long clients have to read what they were answered, once the program is to end.
const GRACE: Duration = secs(2);

fn main() -> Result<()> {
    let [port, redis_port] = flags::read([('l', 8080), ('p', 0)]);
    let mut hub = Hub::new()?;
    let shared = Shared {
        redis: redis::open(&mut hub, redis_port)?,
        shutdown: Shutdown::on_signals(&mut hub)?,
        open: Rc::default(),
    };
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = hub.listen(&Endpoint::Tcp(at))?;
    println!("http://{}", hub.local(listener)?);
    let acceptor = hub.spawn_task(Acceptor {
        listener,
        shared: shared.clone(),
    });
    hub.hand_over(listener, acceptor)?;
    shared.shutdown.wait(&mut hub)?;

    hub.kill(acceptor);
    let clients: Vec<_> = shared.open.borrow().iter().copied().collect();
    shared.shutdown.finish(&mut hub, GRACE, &clients)?;
    // The pops are cancelled. Elements that tasks have pushed back went down the shared connection: once this is
    // answered, so are they.
    hub.drain()?;
    let asked = shared.redis.ping(&mut hub)?;
    hub.wait(asked)?.reply()?;
    println!("The end.");
    Ok(())
}

/// Accepts connections.
struct Acceptor {
    listener: Listener,
    shared: Shared,
}

impl Task for Acceptor {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if let Wake::Killed = wake {
            return Ok(Wait::done());
        }
        for _ in 0..ACCEPTS_MAX {
            match hub.accept(self.listener) {
                Ok(Some(stream)) => Connection::spawn(hub, stream, &self.shared)?,
                Ok(None) => break,
                Err(_) => return Ok(Wait::sleep(ACCEPT_PAUSE)),
            }
        }
        Ok(Wait::acceptable(self.listener))
    }
}
