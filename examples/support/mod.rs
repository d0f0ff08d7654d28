//! What makes a program of `concurrent_brpop`. Some of it is shared with the other examples.

pub(crate) mod arguments;
pub(crate) mod explain;
pub(crate) mod files;
pub(crate) mod kernel;
pub(crate) mod logging;
pub(crate) mod options;
pub(crate) mod progress;
pub(crate) mod reach;
pub(crate) mod seconds;
pub(crate) mod simulation;
pub(crate) mod summary;
pub(crate) mod watching;
pub(crate) mod which;
