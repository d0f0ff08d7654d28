//! A stream that does what a test wants.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

/// What the next read or write does.
pub enum Step {
    /// A read brings these bytes, or as many as there is room for, and the rest the next time.
    Bytes(&'static [u8]),
    /// A write takes so many bytes at most.
    Room(usize),
    Fails(ErrorKind),
}

/// A stream that follows its steps. Behind them nothing comes: a read says 0 bytes, and a write fails the test.
#[derive(Default)]
pub struct Scripted {
    steps: VecDeque<Step>,
    pub written: Vec<u8>,
    /// Reads and writes so far.
    pub calls: usize,
}

impl Scripted {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Scripted {
        Scripted {
            steps: steps.into_iter().collect(),
            ..Scripted::default()
        }
    }

    /// Steps that were not asked for.
    pub fn left(&self) -> usize {
        self.steps.len()
    }
}

impl Read for Scripted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        assert!(!into.is_empty(), "a read into no room says nothing");
        match self.steps.pop_front() {
            None => Ok(0),
            Some(Step::Fails(kind)) => Err(kind.into()),
            Some(Step::Bytes(bytes)) => {
                let count = bytes.len().min(into.len());
                into[..count].copy_from_slice(&bytes[..count]);
                if count < bytes.len() {
                    self.steps.push_front(Step::Bytes(&bytes[count..]));
                }
                Ok(count)
            }
            Some(Step::Room(_)) => panic!("a read, and the script expects a write"),
        }
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.calls += 1;
        assert!(!bytes.is_empty(), "a write of nothing says nothing");
        match self.steps.pop_front() {
            None => panic!("a write that the script does not expect"),
            Some(Step::Fails(kind)) => Err(kind.into()),
            Some(Step::Room(room)) => {
                let count = room.min(bytes.len());
                self.written.extend_from_slice(&bytes[..count]);
                Ok(count)
            }
            Some(Step::Bytes(_)) => panic!("a write, and the script expects a read"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
