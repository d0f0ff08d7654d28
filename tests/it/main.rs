//! The integration tests: one binary.

mod address;
mod wheel;
