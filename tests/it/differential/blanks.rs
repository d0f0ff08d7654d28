//! What goes into the blanks of a command: first the simplest.

use super::script::{CONNECTIONS, Word};

const VALUES: &[&str] = &[
    "x",
    "y",
    "1",
    "",
    "\r\n\0",
    "9223372036854775807",
    "-9223372036854775808",
    "10",
    "-1",
    " 1",
    "1.0",
    "+1",
    "LEFT",
    "COUNT",
    "x y",
    "1\0",
];

const INDICES: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "-2",
    "-100",
    "100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "x",
    "",
    "1.0",
    "+1",
    "-0",
    "01",
];

const COUNTS: &[&str] = &[
    "1",
    "2",
    "3",
    "2",
    "1",
    "2",
    "0",
    "100",
    "-1",
    "x",
    "9223372036854775808",
];

const OPTIONS: &[&str] = &[
    "NX",
    "XX",
    "GET",
    "KEEPTTL",
    "EX 1000",
    "PX 1000000",
    "EX 0",
    "PX -1",
    "EX x",
    "EX",
    "EX 1e3",
    "PX 9223372036854775807",
    "EX 9223372036854775807",
    "PERSIST",
    "nx",
];

const LONG: &[&str] = &["0", "60", "1000.5", "6e1", "-0", "+60"];

const SHORT: &[&str] = &["0.01", "0.02", "0.0001", "1e-2"];

const BAD: &[&str] = &[
    "-1",
    "x",
    "nan",
    "inf",
    "-inf",
    "1e300",
    "",
    "-0.0001",
    "60 ",
    " 60",
    "60s",
    "9223372036854775807",
    "1\0",
    "1e500",
];

const CONFIGS: &[&str] = &[
    "appendonly",
    "save",
    "databases",
    "nothing",
    "SAVE",
    "timeout",
];

/// What goes into a blank.
pub(super) fn filled(blank: &str, number: usize) -> Vec<Word> {
    let list = match blank {
        "<id>" => return vec![Word::Id(number % CONNECTIONS)],
        "<key>" => &["a", "b", "a", "b", "a", "c", "a", "b", "a", "d"],
        "<string>" => &["d", "d", "c", "d", "d", "a", "d", "b", "d", "d"],
        "<value>" => VALUES,
        "<index>" => INDICES,
        "<count>" => COUNTS,
        "<numkeys>" => &["1", "2", "1", "2", "1", "2", "3", "0", "-1", "x"],
        // Ids that no connection has; a small number may be that of one.
        "<nobody>" => &["9223372036854775807", "0", "-1", "x", "1.0", ""],
        "<side>" => &["LEFT", "RIGHT", "LEFT", "RIGHT", "left", "Right"],
        "<db>" => &["0", "0", "1", "0", "0", "15", "0", "16", "-1", "x"],
        "<name>" => &["default", "me", "", "x y", "a\nb", "~"],
        "<long>" => LONG,
        "<short>" => SHORT,
        "<bad>" => BAD,
        "<config>" => CONFIGS,
        "<option>" => OPTIONS,
        word => return vec![word.into()],
    };
    let filler = list[number % list.len()];
    match blank {
        "<option>" => filler.split(' ').map(Word::from).collect(),
        _ => vec![filler.into()],
    }
}
