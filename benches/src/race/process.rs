//! Processes that end with their handle, and the wish to end them all.

use super::Result;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A process that is killed when its handle is dropped: at the end, after an error, in a panic.
#[derive(Debug)]
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// In a process group of its own: Ctrl-C in a terminal goes to whole groups, and a server that
    /// ends before the programs that use it makes them fail in every way they know.
    pub(crate) fn start(command: &mut Command) -> io::Result<Process> {
        command.process_group(0).spawn().map(Process)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, and nothing is left to do then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether Ctrl-C was pressed. The flag is asked where something is waited for, so that the way out
/// is that of every error, and all handles are dropped on it.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

/// The error of [`Interrupt::check`].
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

impl Interrupt {
    pub(crate) fn install() -> Result<Interrupt> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))?;
        }
        Ok(Interrupt(flag))
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            true => Err(Interrupted.into()),
            false => Ok(()),
        }
    }
}
