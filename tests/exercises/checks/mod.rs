//! What each exercise must do, a file for each chapter. A function looks at the module of its name, two levels up: yours, or the
//! solution.

mod tools;

pub mod blocking;
pub mod cancelling;
pub mod cron;
pub mod measuring;
pub mod pool;
pub mod readiness;
pub mod resp;
pub mod simulating;
pub mod source;
pub mod tokens;
pub mod turn;
pub mod wheel;
