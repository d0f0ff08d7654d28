//! The program on a simulated kernel: the same at each run, in no time.

use super::*;

fn simulated<const N: usize>(args: [&str; N]) -> (Option<i32>, JsonValue) {
    let ended = run(["--json", "-q", "--simulate"].into_iter().chain(args));
    (ended.code, ended.summary())
}

#[test]
fn equal_seeds_print_equal_hashes() {
    let (code, one) = simulated(["42"]);
    let (_, again) = simulated(["42"]);
    assert_eq!(code, Some(0), "{one}");
    assert_eq!(one["server"].as_str(), Some("simulated"));
    assert_eq!(one["seed"].as_u64(), Some(42));
    assert_eq!(one["timed_out"].as_u64(), Some(500));
    let hash = one["trace_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 16, "{one}");
    assert_eq!(again["trace_hash"].as_str(), Some(hash));
    let (_, other) = simulated(["43", "--faults", "latency"]);
    assert_ne!(other["trace_hash"].as_str(), Some(hash));
}

#[test]
fn a_second_is_a_second_of_the_simulation() {
    let (_, summary) = simulated(["1"]);
    let seconds = summary["virtual_s"].as_f64().unwrap();
    assert!((1.0..1.001).contains(&seconds), "{summary}");
    assert_eq!(summary["duration_s"].as_f64(), Some(1.0), "{summary}");
    let late = &summary["reply_late_ms"];
    assert!(late["max"].as_f64() < Some(1.0), "{summary}");
}

#[test]
fn what_goes_wrong_there_is_told_as_it_would_be_elsewhere() {
    let (code, summary) = simulated(["7", "--faults", "all"]);
    assert_eq!(code, Some(1), "{summary}");
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert!(count("failed") > 0 && count("popped") == 0, "{summary}");
    assert_eq!(count("timed_out") + count("failed"), 500);
}

#[test]
fn the_log_tells_the_time_of_the_simulation() {
    let ended = run(["--simulate", "42", "-c", "3"]);
    assert!(
        ended.err.contains("00:00:00,200.0 (cron) Hello"),
        "{}",
        ended.err
    );
    assert!(
        ended.err.contains("00:00:01,000.0 (main) Done in 1.000 s."),
        "{}",
        ended.err
    );
}
