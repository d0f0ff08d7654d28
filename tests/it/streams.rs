//! Streams and listeners: tasks that do their own input and output, on one hub and against the
//! other end of a pair.

mod connects;
mod echoes;
mod edges;
mod files;
mod owners;

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Full, PATIENCE, refusing};
use greenroom::{
    Endpoint, ErrorKind, Hub, Listener, Result, Stream, Task, TaskId, Wait, Wake, ms, secs,
};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use tempfile::TempDir;

fn any_port() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

fn path_in(folder: &TempDir) -> Endpoint {
    Endpoint::Unix(socket_in(folder))
}

fn socket_in(folder: &TempDir) -> PathBuf {
    folder.path().join("socket")
}

/// A stream of `hub`, and its other end, which blocks but not for ever.
fn pair(hub: &mut Hub) -> (Stream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    theirs.set_write_timeout(Some(PATIENCE)).unwrap();
    (hub.adopt(ours).unwrap(), theirs)
}

fn tapped() -> (Hub, Tap) {
    let (kernel, tap) = Tapped::new();
    (Hub::with_driver(kernel), tap)
}
