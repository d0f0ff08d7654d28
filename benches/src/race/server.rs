//! A private Redis server.
//!
//! **Many addresses.** A connection that a client has closed leaves its local port in `TIME_WAIT`
//! for a minute: ten thousand connections take a third of all ports with them. The next program
//! would find each port only after looking at many, and pay for what the one before it has done.
//! But a connection is four things, and one of them is the address of the server: this one listens
//! on sixteen (that is as many as Redis takes), and each run gets the next. When all have been used
//! up, a new server listens on another port.
//!
//! **`hz 500`.** Redis looks at the timeouts of blocked clients `hz` times a second, in its default
//! configuration every 100 ms. That is as much as the whole time in which a program opens and
//! closes five hundred connections, and would hide it behind chance. All programs race against the
//! same finer raster of 2 ms. `exact`, which is not about time, has the default.

use super::Result;
use super::process::Process;
use super::raw::Raw;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a healthy machine does at once is given this long on a busy one.
const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was free may be taken when the server binds it: another one is tried.
const PORTS_TRIED_MAX: usize = 5;

/// 127.0.0.1 and those after it.
const ADDRESSES: u8 = 16;

/// As many connections may be made to one address: with more, looking for a free port becomes work.
/// Linux has some 28,000 in its default configuration.
const CONNECTIONS_MAX: usize = 12_000;

/// How often a second the server looks at its timeouts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raster {
    Fine,
    Default,
}

/// A running server, which ends with its handle.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    program: PathBuf,
    raster: Raster,
    port: u16,
    address: u8,
    /// Connections that were made to each address.
    used: [usize; ADDRESSES as usize],
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(program: &Path, raster: Raster) -> Result<Server> {
        let mut tried = 0;
        loop {
            tried += 1;
            let mut server = Server::launch(program, raster)?;
            if server.answers()? {
                return Ok(server);
            }
            let log = std::fs::read_to_string(server.folder.path().join("log"));
            let log = log.unwrap_or_default();
            if !log.contains("Address already in use") || tried == PORTS_TRIED_MAX {
                return Err(format!("{} did not start:\n{log}", program.display()).into());
            }
        }
    }

    fn launch(program: &Path, raster: Raster) -> Result<Server> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .args(["--port", &port.to_string(), "--bind"])
            .args((1..=ADDRESSES).map(|last| format!("127.0.0.{last}")))
            .args(["--unixsocket", "redis.sock", "--logfile", "log"])
            .args(["--save", "", "--maxclients", "15000"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if matches!(raster, Raster::Fine) {
            command.args(["--hz", "500"]);
        }
        let process = Process::start(&mut command).map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!(
                "{} is not installed (apt-get install redis-server), or name another with --server",
                program.display()
            ),
            _ => format!("{}: {error}", program.display()),
        })?;
        Ok(Server {
            process,
            program: program.into(),
            raster,
            port,
            address: 0,
            used: [0; ADDRESSES as usize],
            folder,
        })
    }

    /// False when it has ended instead.
    fn answers(&mut self) -> Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(mut side) = self.side() {
                return Ok(side.ask(&["PING"])? == "PONG");
            }
            if self.process.0.try_wait()?.is_some() {
                return Ok(false);
            }
            sleep(Duration::from_millis(2));
        }
        Ok(false)
    }

    /// Where the next run is to find the server, as the programs take it. The server may be another
    /// one than before.
    pub(crate) fn next(&mut self, connections: usize) -> Result<SocketAddrV4> {
        self.address = (self.address + 1) % ADDRESSES;
        let mut used = self.used[usize::from(self.address)] + connections;
        if used > CONNECTIONS_MAX {
            *self = Server::start(&self.program, self.raster)?;
            used = connections;
        }
        self.used[usize::from(self.address)] = used;
        let address = Ipv4Addr::new(127, 0, 0, self.address + 1);
        Ok(SocketAddrV4::new(address, self.port))
    }

    /// Waits until the server has noticed that the clients of the last run are gone.
    pub(crate) fn settle(&self) -> Result<()> {
        let mut side = self.side()?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let clients = side.ask(&["INFO", "clients"])?;
            if clients.lines().any(|line| line == "connected_clients:1") {
                return Ok(());
            }
            sleep(Duration::from_millis(5));
        }
        Err("the server keeps connections of programs that have ended".into())
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn side(&self) -> Result<Raw> {
        Raw::connect(&self.socket())
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}
