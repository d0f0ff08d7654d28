//! The embedded server, on a thread and a hub of its own, ended as an operator would end it.

use crate::server::PATIENCE;
use greenroom::driver::Endpoint;
use greenroom::resp::encode;
use greenroom::server::{self, Server};
use greenroom::{Hub, Password};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// How long a server may take to end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Embedded {
    folder: TempDir,
    password: Option<&'static str>,
    /// Says nothing, until the thread has ended.
    ended: Receiver<()>,
}

impl Embedded {
    pub(super) fn start(password: Option<&'static str>) -> Embedded {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("greenroom.sock");
        let (listens, wait) = mpsc::channel();
        let serve = move || {
            let mut hub = Hub::new().unwrap();
            let mut config = server::Config::default();
            config.password = password.map(Password::new);
            let server = Server::new(&mut hub, config);
            server.listen(&mut hub, &Endpoint::Unix(socket)).unwrap();
            listens.send(()).unwrap();
            hub.join(server.task()).unwrap();
        };
        let named = thread::Builder::new().name("embedded".into());
        named.spawn(serve).unwrap();
        wait.recv_timeout(PATIENCE).expect("the server listens");
        Embedded {
            folder,
            password,
            ended: wait,
        }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("greenroom.sock")
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // Where the server hangs, or has panicked, the test has failed already, and is to go on
        // until it has told.
        let _ = shutdown(&self.socket(), self.password);
        let _ = self.ended.recv_timeout(LAST_PATIENCE);
    }
}

/// Asks the server to end, and waits until it has closed the connection.
fn shutdown(socket: &Path, password: Option<&str>) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LAST_PATIENCE))?;
    let mut bytes = Vec::new();
    if let Some(password) = password {
        encode::command(&mut bytes, &["AUTH", password]);
    }
    encode::command(&mut bytes, &["SHUTDOWN", "NOSAVE"]);
    stream.write_all(&bytes)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}
