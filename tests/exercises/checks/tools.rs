//! A stream that does what a test wants.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};

/// What the next read does.
pub enum Step {
    /// A read brings these bytes, or as many as there is room for, and the rest the next time.
    Bytes(&'static [u8]),
    Fails(ErrorKind),
}

/// A stream that follows its steps. Behind them nothing comes: a read says 0 bytes.
#[derive(Default)]
pub struct Scripted {
    steps: VecDeque<Step>,
}

impl Scripted {
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Scripted {
        Scripted {
            steps: steps.into_iter().collect(),
        }
    }
}

impl Read for Scripted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
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
        }
    }
}
