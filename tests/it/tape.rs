//! What the library logs, kept for the test that asks for it.
//!
//! A process has one logger, and tests run beside each other: each keeps the lines of its own
//! thread.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Recording {
    target: &'static str,
    lines: Vec<String>,
}

/// A recording of the warnings and errors that this thread logs.
#[derive(Debug)]
pub(crate) struct Tape;

struct Recorder;

impl Tape {
    /// Keeps the lines of this thread that have a target that begins with `target`.
    pub(crate) fn start(target: &'static str) -> Tape {
        static RECORDER: Once = Once::new();
        RECORDER.call_once(|| {
            log::set_logger(&Recorder).unwrap();
            log::set_max_level(log::LevelFilter::Warn);
        });
        let lines = Vec::new();
        RECORDING.set(Some(Recording { target, lines }));
        Tape
    }

    /// Ends the recording and returns its lines, each with its level in front.
    pub(crate) fn take(self) -> Vec<String> {
        RECORDING.take().map(|it| it.lines).unwrap_or_default()
    }
}

impl log::Log for Recorder {
    fn enabled(&self, of: &log::Metadata) -> bool {
        let wanted = |it: &Recording| of.target().starts_with(it.target);
        RECORDING.with_borrow(|it| it.as_ref().is_some_and(wanted))
    }

    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            let line = format!("{} {}", record.level(), record.args());
            RECORDING
                .with_borrow_mut(|it| it.iter_mut().for_each(|it| it.lines.push(line.clone())));
        }
    }

    fn flush(&self) {}
}
