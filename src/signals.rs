//! Signals: events like any other. (With the feature `signals`.)
//!
//! A signal interrupts a program between any two instructions, so that a handler may do next to nothing. Those here set a
//! flag that says which signal it was, and then write a byte into one end of a socket pair, whose other end is a stream
//! that a task of the hub reads. What is to be done is done by that task, in its turn and on the one thread.
//!
//! A kernel does not count signals, and neither do these: several of one kind that come before the task's turn are one.
//!
//! The task waits for its stream as a server waits for clients. So it keeps [`Hub::run`] from ending: kill it, or let main wait
//! for something else. Handlers belong to the process, not to the hub. They go when the task ends, but the
//! default effect of their signals does not come back: a signal that was watched once, and is no longer, is ignored.

use crate::error::{Error, ErrorKind, Result};
use crate::hub::{Hub, Stream, Task, TaskId, Wait, Wake};
use crate::shutdown::Shutdown;
use signal_hook::SigId;
use signal_hook::consts::FORBIDDEN;
use signal_hook::{flag, low_level};
use std::ffi::c_int;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

/// Calls `act` each time one of these signals comes, with its number, until it returns an error or is
/// [killed](Hub::kill). Signals that come before the first turn are not lost.
///
/// The task is [detached](Hub::detach). What `act` asks of a server it cannot wait for: see [`Hub::ignore`]. Two
/// descriptors are open meanwhile, and one more for each signal beyond the first.
///
/// ```
/// use greenroom::{Hub, Wait, ms, signals};
/// let mut hub = Hub::new()?;
/// let main = hub.main();
/// let watcher = signals::on(&mut hub, &[signals::SIGUSR1], move |hub, signal| {
///     println!("signal {signal}: reads its configuration again");
///     hub.notify(main);
///     Ok(())
/// })?;
/// hub.wait(Wait::notified().within(ms(5)))?;
/// hub.kill(watcher);
/// # Ok::<(), greenroom::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Config`] for a signal that cannot be watched, such as SIGKILL. [`ErrorKind::Io`] when there is no such
/// signal or no descriptor is left, and on a simulated hub.
#[track_caller]
pub fn on<F>(hub: &mut Hub, signals: &[c_int], act: F) -> Result<TaskId>
where
    F: FnMut(&mut Hub, c_int) -> Result<()> + 'static,
{
    let (stream, watch) = Watch::new(signals)?;
    let stream = hub.adopt(stream)?;
    let task = hub.spawn_task(Watcher { stream, watch, act });
    hub.hand_over(stream, task)?;
    hub.detach(task);
    Ok(task)
}

impl Shutdown {
    /// A shutdown that SIGINT or SIGTERM requests. (With the feature `signals`.)
    ///
    /// A signal that comes while it is under way ends the process at once, as if nobody had watched it: whoever presses Ctrl-C
    /// twice means it. This does not need the hub, which may be held up. (`timeout` of the GNU coreutils sends its signal
    /// twice, and the second may come late enough to be one, unless it is told `--foreground`.)
    ///
    /// As long as it may be requested, [`Hub::run`] does not end; [`finish`](Shutdown::finish) does. A hub that is
    /// dropped before leaves the signals with their default effect. One such shutdown is enough for a program.
    ///
    /// ```no_run
    /// use greenroom::{Hub, Shutdown, Wait, Wake, secs};
    /// let mut hub = Hub::new()?;
    /// let shutdown = Shutdown::on_signals(&mut hub)?;
    /// let worker = hub.spawn(|_hub, wake| match wake {
    ///     Wake::Notified => Ok(Wait::done()),
    ///     _ => Ok(Wait::sleep(secs(3))),
    /// });
    /// shutdown.tell(&mut hub, worker);
    /// shutdown.wait(&mut hub)?;
    /// let report = shutdown.finish(&mut hub, secs(5), &[worker])?;
    /// println!("{} tasks were killed", report.killed);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] when no descriptor is left, and on a simulated hub.
    #[track_caller]
    pub fn on_signals(hub: &mut Hub) -> Result<Shutdown> {
        let signals = [SIGINT, SIGTERM];
        let shutdown = Shutdown::new();
        let at_once = AtOnce::default();
        for signal in signals {
            at_once.watch(signal).map_err(cannot_watch)?;
        }
        let requested = shutdown.clone();
        let watcher = on(hub, &signals, move |hub, signal| {
            requested.begin(hub, Some(signal));
            at_once.set();
            Ok(())
        })?;
        shutdown.on_request(hub, move |hub| hub.kill(watcher));
        Ok(shutdown)
    }
}

/// What reads the stream.
struct Watcher<F> {
    stream: Stream,
    watch: Watch,
    act: F,
}

impl<F: FnMut(&mut Hub, c_int) -> Result<()>> Task for Watcher<F> {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> Result<Wait> {
        if let Wake::Killed = wake {
            return Ok(Wait::done());
        }
        // What does not fit makes the next wait end at once.
        if hub.read(self.stream, &mut [0; 64])? == Some(0) {
            return Ok(Wait::done());
        }
        for (signal, has_come) in &self.watch.signals {
            if has_come.swap(false, Ordering::SeqCst) {
                (self.act)(hub, *signal)?;
            }
        }
        Ok(Wait::readable(self.stream))
    }
}

/// Handlers, as long as they are wanted.
struct Watch {
    signals: Vec<(c_int, Arc<AtomicBool>)>,
    handlers: Vec<SigId>,
}

impl Watch {
    /// Also returns the end to read from.
    fn new(signals: &[c_int]) -> Result<(UnixStream, Watch)> {
        let mut watch = Watch {
            signals: Vec::new(),
            handlers: Vec::new(),
        };
        let (ours, theirs) = UnixStream::pair().map_err(cannot_watch)?;
        for &signal in signals {
            watch.add(signal, &theirs)?;
        }
        Ok((ours, watch))
    }

    fn add(&mut self, signal: c_int, stream: &UnixStream) -> Result<()> {
        if FORBIDDEN.contains(&signal) {
            let message = format!("signal {signal} cannot be watched");
            return Err(Error::new(ErrorKind::Config, message));
        }
        if self.signals.iter().any(|&(other, _)| other == signal) {
            return Ok(());
        }
        let has_come = Arc::new(AtomicBool::new(false));
        // In this order: whoever reads the byte finds the flag set.
        let flag = flag::register(signal, Arc::clone(&has_come));
        self.handlers.push(flag.map_err(cannot_watch)?);
        let stream = stream.try_clone().map_err(cannot_watch)?;
        let pipe = low_level::pipe::register(signal, stream);
        self.handlers.push(pipe.map_err(cannot_watch)?);
        self.signals.push((signal, has_come));
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            low_level::unregister(handler);
        }
    }
}

/// What gives signals their default effect back: the first signal itself, and the end of who would have handled it.
#[derive(Default)]
struct AtOnce(Arc<AtomicBool>);

impl AtOnce {
    fn watch(&self, signal: c_int) -> io::Result<()> {
        // In this order: the first signal sets what the second one finds. Both stay for as long as the process.
        flag::register_conditional_default(signal, Arc::clone(&self.0))?;
        flag::register(signal, Arc::clone(&self.0))?;
        Ok(())
    }

    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.set();
    }
}

fn cannot_watch(error: io::Error) -> Error {
    Error::io(ErrorKind::Io, "cannot watch signals", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::secs;
    use std::io::Read;

    #[test]
    fn a_handler_sets_its_flag_and_writes_and_nothing_is_left_of_it() {
        let (mut stream, watch) = Watch::new(&[SIGUSR1, SIGUSR2]).unwrap();
        stream.set_read_timeout(Some(secs(10))).unwrap();
        low_level::raise(SIGUSR2).unwrap();
        assert_eq!(stream.read(&mut [0; 64]).unwrap(), 1);
        let come = watch
            .signals
            .iter()
            .map(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        assert_eq!(come.collect::<Vec<_>>(), [false, true]);
        drop(watch);
        low_level::raise(SIGUSR2).unwrap();
        // The end, for nobody has the other one any more.
        assert_eq!(stream.read(&mut [0; 64]).unwrap(), 0);
    }
}
