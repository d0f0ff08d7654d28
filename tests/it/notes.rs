//! What tasks write down for the test that watches them: a task owns what it captures, a test reads
//! it afterwards.

use std::cell::RefCell;
use std::rc::Rc;

/// A list that several tasks write to.
pub struct Notes<T>(Rc<RefCell<Vec<T>>>);

impl<T> Notes<T> {
    pub fn new() -> Notes<T> {
        Notes(Rc::default())
    }

    pub fn add(&self, note: T) {
        self.0.borrow_mut().push(note);
    }

    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Everything so far.
    pub fn take(&self) -> Vec<T> {
        self.0.take()
    }
}

impl<T> Clone for Notes<T> {
    fn clone(&self) -> Notes<T> {
        Notes(Rc::clone(&self.0))
    }
}
