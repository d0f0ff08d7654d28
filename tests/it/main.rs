//! The integration tests: one binary, so that the library is linked once.
//!
//! `kernel`, `notes`, `peer`, `server` and `tape` are tools; every other module tests one part.

mod address;
mod browser;
mod bytes;
mod cancel;
mod differential;
mod documents;
mod embedded;
mod field;
mod hub;
mod kernel;
mod kill_storm;
mod live;
mod notes;
mod observe;
mod peer;
mod pool;
mod program;
mod reconnect;
mod resp;
mod rounds;
mod server;
mod shutdown;
mod signals;
mod sim;
mod soak;
mod streams;
mod swarm;
mod tape;
mod timeline;
mod wheel;
