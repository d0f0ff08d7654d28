//! The embedded server in a process of its own, for a program that is to be measured without it: the program starts itself
//! a second time.

use greenroom::driver::Endpoint;
use greenroom::server::{Config, Server};
use greenroom::{Hub, Result, Wait};
use std::error::Error;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The argument that makes a server of the program.
const SERVE: &str = "serve";

/// A server that ends with its handle.
#[derive(Debug)]
pub(crate) struct Apart {
    child: Child,
    pub(crate) at: SocketAddr,
}

impl Apart {
    /// Starts it.
    pub(crate) fn start() -> std::result::Result<Apart, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut at = String::new();
        if let Some(says) = child.stdout.take() {
            BufReader::new(says).read_line(&mut at)?;
        }
        let at = at.trim_end().parse();
        let at = at.map_err(|_| "the server did not start")?;
        Ok(Apart { child, at })
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // The end of its standard input, which it waits for.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Whether this is the second process.
pub(crate) fn is_server() -> bool {
    std::env::args().nth(1).is_some_and(|first| first == SERVE)
}

/// Serves until standard input ends, as it does when the first process has ended, however that was.
pub(crate) fn serve() -> Result<()> {
    let mut hub = Hub::new()?;
    let mut config = Config::default();
    // Whoever looks in besides.
    config.max_clients = usize::from(u16::MAX) + 16;
    let server = Server::new(&mut hub, config);
    let any_port = Endpoint::Tcp((Ipv4Addr::LOCALHOST, 0).into());
    println!("{}", server.listen(&mut hub, &any_port)?);
    let (remote, main) = (hub.remote()?, hub.main());
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        remote.notify(main)
    });
    hub.wait(Wait::notified()).map(drop)
}
