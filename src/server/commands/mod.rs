//! The handlers of all commands, by what they have to do with.

pub(super) mod about;
pub(super) mod client;
pub(super) mod connection;
pub(super) mod keys;
pub(super) mod lists;
pub(super) mod pops;
pub(super) mod replication;
pub(super) mod transactions;
