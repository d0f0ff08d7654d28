//! The macro of all checks of invariants.

/// Fails with a sentence if something is not as it must be.
macro_rules! must {
    ($truth:expr, $($what:tt)+) => {
        if !$truth {
            return Err(format!($($what)+));
        }
    };
}
pub(crate) use must;
