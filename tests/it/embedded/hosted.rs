//! The server on a thread and a hub of its own, for whoever wants to talk to it.
//!
//! Its end is part of a test: [`Hosted::await_end`] sees to it that it comes, that no task has failed
//! on the way, and that nothing is left of the server on the hub.

use crate::notes::Notes;
use crate::server::{PATIENCE, eventually};
use greenroom::server::{Config, Server, ServerStats};
use greenroom::{Endpoint, Hub, Remote, TaskId, Wait, Wake};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long whoever does not look at the end waits for it.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// A server that listens at a UNIX socket and at a TCP port, until this is dropped.
#[derive(Debug)]
pub(crate) struct Hosted {
    folder: TempDir,
    place: Place,
    thread: Option<JoinHandle<Aftermath>>,
}

/// Where it listens, and whom to notify for its end.
#[derive(Debug)]
struct Place {
    tcp: SocketAddr,
    remote: Remote,
    stopper: TaskId,
}

/// What a server has left behind.
#[derive(Debug)]
pub(crate) struct Aftermath {
    /// Tasks that have failed while it ran, whoever's they were.
    failures: Vec<String>,
    pub(crate) stats: ServerStats,
    /// How many tasks were left on the hub the moment that its own had ended.
    tasks: usize,
}

impl Hosted {
    pub(crate) fn start(config: Config) -> Hosted {
        let folder = tempfile::tempdir().unwrap();
        let path = socket_in(folder.path());
        let (tell, told) = mpsc::channel();
        let named = thread::Builder::new().name("embedded".into());
        let thread = named.spawn(move || serve(config, path, &tell)).unwrap();
        Hosted {
            folder,
            place: told.recv_timeout(PATIENCE).expect("it listens"),
            thread: Some(thread),
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        socket_in(self.folder.path())
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        self.place.tcp
    }

    /// Has `Server::shutdown` called, in the server's thread. Nothing happens when it has ended.
    pub(crate) fn call_shutdown(&self) {
        let _ = self.place.remote.notify(self.place.stopper);
    }

    /// Whether somebody has seen its end.
    pub(crate) fn is_awaited(&self) -> bool {
        self.thread.is_none()
    }

    /// Waits until the server, which was told to, has ended well.
    pub(crate) fn await_end(&mut self) -> Aftermath {
        let thread = self.thread.take().expect("it is waited for once");
        eventually("the server has ended", || thread.is_finished());
        let aftermath = thread.join().unwrap();
        let Aftermath {
            failures,
            stats,
            tasks,
        } = &aftermath;
        assert!(failures.is_empty(), "{failures:?}");
        assert_eq!((stats.clients, stats.blocked, *tasks), (0, 0, 0));
        aftermath
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        // Where the server hangs, or has panicked, the test has failed already, and is to go on
        // until it has told.
        self.call_shutdown();
        let deadline = Instant::now() + LAST_PATIENCE;
        let runs = |thread: &JoinHandle<_>| !thread.is_finished();
        while self.thread.as_ref().is_some_and(runs) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    folder.join("greenroom.sock")
}

fn serve(config: Config, path: PathBuf, tell: &mpsc::Sender<Place>) -> Aftermath {
    let mut hub = Hub::new().unwrap();
    let failures = watch(&mut hub);
    let server = Server::new(&mut hub, config);
    server.listen(&mut hub, &Endpoint::Unix(path)).unwrap();
    let port = server.listen(&mut hub, &any_port()).unwrap();
    let Endpoint::Tcp(tcp) = port else {
        panic!("{port} is no port");
    };
    let stops = server.clone();
    let stopper = hub.spawn(move |hub, wake| {
        if let Wake::Notified = wake {
            stops.shutdown(hub);
        }
        Ok(Wait::notified())
    });
    let remote = hub.remote().unwrap();
    let place = Place {
        tcp,
        remote,
        stopper,
    };
    tell.send(place).unwrap();
    hub.join(server.task()).unwrap();
    Aftermath {
        failures: failures.take(),
        stats: server.stats(),
        tasks: hub.tasks().len() - 1,
    }
}

pub(super) fn any_port() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Notes all tasks that fail from now on.
pub(super) fn watch(hub: &mut Hub) -> Notes<String> {
    let failures = Notes::new();
    let notes = failures.clone();
    hub.on_error(move |failure| notes.add(format!("{failure:?}")));
    failures
}
