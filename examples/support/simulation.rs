//! The simulation that the program runs in, where it runs in one.

use super::options::Options;
use greenroom::sim::Sim;
use greenroom::{Hub, Result, Time};
use std::cell::OnceCell;

thread_local! {
    /// The log wants to know the time wherever it is called from.
    static SIMULATION: OnceCell<Sim> = const { OnceCell::new() };
}

/// The hub that was asked for: on a simulated kernel, or on the real one.
pub(crate) fn hub(options: &Options) -> Result<(Hub, Option<Sim>)> {
    let Some(seed) = options.simulate else {
        return Ok((Hub::new()?, None));
    };
    let sim = Sim::new(seed);
    // There is one; it cannot be set already.
    let _ = SIMULATION.with(|it| it.set(sim.clone()));
    Ok((Hub::simulated(&sim), Some(sim)))
}

/// The simulation, if there is one.
pub(crate) fn get() -> Option<Sim> {
    SIMULATION.with(|it| it.get().cloned())
}

/// Its time.
pub(crate) fn now() -> Option<Time> {
    get().map(|sim| sim.now())
}
