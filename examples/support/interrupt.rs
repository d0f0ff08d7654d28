//! Signals: events like any other.
//!
//! A signal handler may do next to nothing. This one writes a byte into one end of a socket pair, whose other
//! end is a stream that a task of the hub reads.

use greenroom::{Error, ErrorKind, Hub, Result, Wait, Wake};
use std::ffi::c_int;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Calls `act`, from a task, when one of these signals comes. A second one ends the process at once.
pub(crate) fn on_signal(
    hub: &mut Hub,
    signals: &[c_int],
    mut act: impl FnMut(&mut Hub) + 'static,
) -> Result<()> {
    let stream = watch(signals).map_err(|error| {
        let message = format!("cannot watch signals: {error}");
        Error::new(ErrorKind::Io, message)
    })?;
    let stream = hub.adopt(stream)?;
    let watcher = hub.spawn(move |hub, wake| {
        if let Wake::Start = wake {
            return Ok(Wait::readable(stream));
        }
        if hub.read(stream, &mut [0])?.is_none() {
            return Ok(Wait::readable(stream));
        }
        act(hub);
        Ok(Wait::done())
    });
    hub.detach(watcher);
    Ok(())
}

/// The end to read from.
fn watch(signals: &[c_int]) -> io::Result<UnixStream> {
    let (ours, handlers) = UnixStream::pair()?;
    let second = Arc::new(AtomicBool::new(false));
    for &signal in signals {
        // In this order: the first signal sets what the second one finds.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&second))?;
        signal_hook::flag::register(signal, Arc::clone(&second))?;
        signal_hook::low_level::pipe::register(signal, handlers.try_clone()?)?;
    }
    Ok(ours)
}
