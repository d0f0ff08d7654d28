//! How long each figure is measured: all of `cargo bench` is to take some minutes.

use criterion::Criterion;
use std::time::Duration;

/// For all three benches. `cargo bench -- --measurement-time 5` and the like override it.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}
