//! Chapter 11.

use super::super::omission::omission as waits;
use super::super::percentile::percentile as of;
use super::super::slope::slope as line;

pub fn percentile() {
    let values: Vec<u64> = (1..=200).rev().collect();
    for (percent, expected) in [(50, 100), (99, 198), (100, 200), (0, 1), (1, 2)] {
        assert_eq!(of(&values, percent), Some(expected), "{percent} %");
    }
    assert_eq!(of(&[], 50), None);
    for percent in [0, 1, 50, 99, 100] {
        assert_eq!(of(&[7], percent), Some(7));
    }
    assert_eq!(of(&[3, 1, 2], 50), Some(2));
    assert_eq!(
        of(&[3, 1, 2, 1_000_000], 75),
        Some(3),
        "no mean of anything"
    );
}

pub fn slope() {
    let runs = [
        (100, 710),
        (600, 3_900),
        (300, 1_810),
        (600, 3_610),
        (100, 610),
    ];
    let (each, start) = line(&runs);
    assert!((each - 6.0).abs() < 1e-9, "{each} each");
    assert!((start - 10.0).abs() < 1e-9, "{start} at the start");
    let (each, start) = line(&[(2, 100), (1, 100)]);
    assert!(each.abs() < 1e-9 && (start - 100.0).abs() < 1e-9);
}

pub fn omission() {
    assert_eq!(waits(10, &[2, 3, 2]), [2, 3, 2], "nobody is in the way");
    let stalled = [2, 100, 2, 2, 2];
    assert_eq!(waits(10, &stalled), [2, 100, 92, 84, 76]);
    assert_eq!(waits(10, &[12, 12, 12]), [12, 14, 16], "too much to do");
    assert_eq!(waits(10, &[25, 1, 1, 1]), [25, 16, 7, 1], "it recovers");
    assert_eq!(waits(10, &[]), [0; 0]);
}
