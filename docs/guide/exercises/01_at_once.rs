//! Chapter 1, exercise 3, difficulty 2: a thread for each.
//!
//! Every call blocks for a while. Run them all at the same time, and return what they return, in the order of `calls`. A thread that
//! panics must not be lost in silence: panic as well.

/// Something that blocks, and then has a value.
pub type Call<T> = Box<dyn FnOnce() -> T + Send>;

/// What each of the calls returns.
pub fn at_once<T: Send + 'static>(calls: Vec<Call<T>>) -> Vec<T> {
    calls.into_iter().map(|call| call()).collect()
}
