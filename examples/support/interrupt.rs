//! SIGINT: an event like any other.
//!
//! A signal handler may do next to nothing. This one writes a byte into one end of a socket pair, whose other
//! end is a stream that a task of the hub reads.

use greenroom::{Error, ErrorKind, Hub, Result, Wait, Wake};
use signal_hook::consts::SIGINT;
use std::cell::Cell;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// From now on SIGINT kills all tasks and ends main's sleep; a second one ends the process at once. The cell
/// says whether one has come.
pub(crate) fn kills_all(hub: &mut Hub) -> Result<Rc<Cell<bool>>> {
    let error =
        |error: io::Error| Error::new(ErrorKind::Io, format!("cannot watch SIGINT: {error}"));
    let (ours, handlers) = UnixStream::pair().map_err(error)?;
    let second = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&second)).map_err(error)?;
    signal_hook::flag::register(SIGINT, second).map_err(error)?;
    signal_hook::low_level::pipe::register(SIGINT, handlers).map_err(error)?;

    let stream = hub.adopt(ours)?;
    let interrupted = Rc::new(Cell::new(false));
    let seen = Rc::clone(&interrupted);
    let watcher = hub.spawn(move |hub, wake| {
        if let Wake::Start = wake {
            return Ok(Wait::readable(stream));
        }
        if hub.read(stream, &mut [0])?.is_none() {
            return Ok(Wait::readable(stream));
        }
        seen.set(true);
        for task in hub.tasks() {
            hub.kill(task);
        }
        hub.notify(hub.main());
        Ok(Wait::done())
    });
    hub.detach(watcher);
    Ok(interrupted)
}
