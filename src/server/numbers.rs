//! Numbers as Redis reads them, which is stricter than Rust does.

use super::refusal::Refusal;
use crate::time::Time;
use std::time::Duration;

/// Redis counts from 1970, in 64 bits, and refuses what does not fit. It is 2^41 ms or less since
/// then until 2039.
pub(super) const MILLIS_MAX: u64 = i64::MAX as u64 - (1 << 41);

/// A 64-bit integer: no plus sign, no leading zero, no minus zero.
pub(super) fn int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_canonical = match digits {
        [b'0'] => text.len() == 1,
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    let text = std::str::from_utf8(text).ok().filter(|_| is_canonical)?;
    text.parse().ok()
}

/// An integer argument.
pub(super) fn int_argument(text: &[u8]) -> Result<i64, Refusal> {
    int(text).ok_or(Refusal::NOT_AN_INTEGER)
}

/// An integer argument in a range; whatever else it is gets the same answer.
pub(super) fn int_from(minimum: i64, text: &[u8], refusal: &'static str) -> Result<usize, Refusal> {
    int(text)
        .filter(|&number| number >= minimum)
        .and_then(|number| usize::try_from(number).ok())
        .ok_or(Refusal::err(refusal))
}

/// Until when a blocking command waits, given its timeout in seconds; 0 is for ever. Rounded up to
/// milliseconds.
///
/// Redis also reads hexadecimal digits, and reckons with more of them: it differs for timeouts of
/// centuries, and for those that no `f64` can hold.
pub(super) fn timeout(text: &[u8], now: Time) -> Result<Option<Time>, Refusal> {
    const NOT_A_NUMBER: Refusal = Refusal::err("timeout is not a float or out of range");
    let seconds = std::str::from_utf8(text).ok();
    let seconds = seconds.and_then(|text| text.parse::<f64>().ok());
    let seconds = seconds
        .filter(|seconds| !seconds.is_nan())
        .ok_or(NOT_A_NUMBER)?;
    let millis = (seconds * 1000.0).ceil();
    // What does not fit 64 bits wraps in Redis, and so is negative.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a bound, and itself a power of two"
    )]
    if millis < 0.0 || millis >= i64::MAX as f64 {
        return Err(Refusal::err("timeout is negative"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 2^63"
    )]
    match millis as u64 {
        0 => Ok(None),
        millis => Ok(Some(now + Duration::from_millis(millis))),
    }
}

/// Returns when a pause of so many milliseconds ends: now, if Redis' 64 bits cannot hold the end.
pub(super) fn pause_end(text: &[u8], now: Time) -> Result<Time, Refusal> {
    let millis = int(text).ok_or(Refusal::err("timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Refusal::err("timeout is negative"))?;
    match millis <= MILLIS_MAX {
        true => Ok(now + Duration::from_millis(millis)),
        false => Ok(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_in_one_way_only() {
        for (text, number) in [
            ("0", 0),
            ("-1", -1),
            ("10", 10),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(int(text.as_bytes()), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "00",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "9223372036854775808",
        ] {
            assert_eq!(int(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_timeout_is_rounded_up_and_zero_is_for_ever() {
        let now = Time::from_nanos(5);
        let after = |millis| Ok(Some(now + Duration::from_millis(millis)));
        for (text, until) in [
            ("0", Ok(None)),
            ("-0", Ok(None)),
            ("1", after(1000)),
            ("0.0001", after(1)),
            ("1.0001", after(1001)),
            ("1e1", after(10_000)),
        ] {
            assert_eq!(timeout(text.as_bytes(), now), until, "{text}");
        }
        for (text, what) in [
            ("-1", "timeout is negative"),
            ("1e300", "timeout is negative"),
            ("inf", "timeout is negative"),
            ("nan", "timeout is not a float or out of range"),
            ("", "timeout is not a float or out of range"),
            ("1s", "timeout is not a float or out of range"),
        ] {
            let refused = timeout(text.as_bytes(), now).expect_err(text);
            assert_eq!(refused, Refusal::err(what), "{text}");
        }
    }
}
