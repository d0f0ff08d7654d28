//! Scripts by chance.
//!
//! A command is a template with blanks, and numbers that say what goes into the blanks. So a script
//! is shrunk by leaving out steps, and by making the numbers smaller: what stands first in a list
//! is the simplest.
//!
//! Chance alone would soon have every connection wait, and every key hold a string. So the first
//! connection hardly ever waits and the last ones mostly do, and few keys become strings.

use super::blanks::filled;
use super::pair::KEYS;
use super::script::{Command, Script, Step, What};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

const PUSHES: &[&str] = &[
    "RPUSH <key> <value>",
    "LPUSH <key> <value>",
    "RPUSH <key> <value>",
    "LPUSH <key> <value>",
    "RPUSH <key> <value> <value> <value>",
    "LPUSH <key> <value> <value>",
    "LMOVE <key> <key> <side> <side>",
    "RPOPLPUSH <key> <key>",
];

/// Much of this takes away all there is: a list that is empty is worth waiting for.
const LISTS: &[&str] = &[
    "DEL <key> <key>",
    "LPOP <key> 100",
    "FLUSHALL",
    "LPOP <key>",
    "RPOP <key>",
    "LPOP <key> <count>",
    "RPOP <key> <count>",
    "LLEN <key>",
    "LRANGE <key> <index> <index>",
    "LREM <key> <index> <value>",
    "LMOVE <key> <key> <side> <side>",
    "RPOPLPUSH <key> <key>",
    "LMPOP <numkeys> <key> <side>",
    "LMPOP <numkeys> <key> <key> <side> COUNT <count>",
];

const STRINGS: &[&str] = &[
    "GET <string>",
    "SET <string> <value>",
    "SET <string> <value> <option>",
    "SET <string> <value> <option> <option>",
    "SET <string> <value> <option> <option> <option>",
    "INCR <string>",
    "DEL <key>",
    "DEL <key> <key>",
    "EXISTS <key> <key>",
    "TYPE <key>",
    "FLUSHALL",
    "PFCOUNT <key>",
    "PFCOUNT <key> <key>",
];

const WAITS: &[&str] = &[
    "BLPOP <key> <long>",
    "BRPOP <key> <long>",
    "BLPOP <key> <key> <long>",
    "BRPOP <key> <key> <key> <long>",
    "BLMOVE <key> <key> <side> <side> <long>",
    "BRPOPLPUSH <key> <key> <long>",
    "BLMPOP <long> <numkeys> <key> <side>",
    "BLMPOP <long> <numkeys> <key> <key> <side> COUNT <count>",
];

const SHORT_WAITS: &[&str] = &[
    "BLPOP <key> <short>",
    "BRPOP <key> <key> <short>",
    "BLMOVE <key> <key> <side> <side> <short>",
    "BRPOPLPUSH <key> <key> <short>",
    "BLMPOP <short> 1 <key> <side>",
];

const CONNECTION: &[&str] = &[
    "PING",
    "PING <value>",
    "ECHO <value>",
    "SELECT <db>",
    "HELLO 3",
    "HELLO 2",
    "HELLO",
    "HELLO <count>",
    "HELLO 3 SETNAME <name>",
    "HELLO 2 AUTH default <value> SETNAME <name>",
    "HELLO 3 AUTH <name> <value>",
    "AUTH <value>",
    "AUTH <name> <value>",
    "CLIENT ID",
    "CLIENT GETNAME",
    "CLIENT SETNAME <name>",
    "CLIENT LIST",
    "CONFIG GET <config>",
    "QUIT",
];

const OTHERS: &[&str] = &[
    "CLIENT UNBLOCK <id>",
    "CLIENT UNBLOCK <id> TIMEOUT",
    "CLIENT UNBLOCK <id> ERROR",
    "CLIENT UNBLOCK <id> <value>",
    "CLIENT UNBLOCK <nobody>",
    "CLIENT KILL ID <id>",
    "CLIENT KILL ID <id> SKIPME no",
    "CLIENT KILL TYPE normal",
    "CLIENT KILL ID <nobody>",
    "CLIENT KILL <value>",
];

const NONSENSE: &[&str] = &[
    "<value>",
    "<value> <value> <value>",
    "CLIENT <value>",
    "CLIENT",
    "CONFIG <value>",
    "GET",
    "SET <key>",
    "LPUSH <key>",
    "LPOP <key> 1 1",
    "LMOVE <key> <key> <side>",
    "LMOVE <key> <key> <value> <side>",
    "LMPOP 1 <key> <side> COUNT",
    "LMPOP 1 <key> <side> COUNT 1 COUNT 1",
    "LMPOP <index> <key> <value>",
    "BLPOP <key>",
    "BLPOP <key> <bad>",
    "BRPOP <key> <key> <bad>",
    "BLMOVE <key> <key> <side> <side> <bad>",
    "BLMOVE <key> <key> <value> <side> <bad>",
    "BRPOPLPUSH <key> <key> <bad>",
    "BLMPOP <bad> <index> <key> <side>",
    "BLMPOP <long> <index> <key> <value>",
    "BLMPOP <long> 1 <key> <side> COUNT <index>",
    "EXEC <value>",
    "FLUSHALL <value>",
    "FLUSHALL ASYNC",
    "PING <value> <value>",
];

const TRANSACTIONS: &[&str] = &["MULTI", "EXEC", "MULTI", "DISCARD", "EXEC"];

/// Bytes that are no array of strings, and how often they are answered.
const RAW: &[(&str, usize)] = &[
    ("PING\r\n", 1),
    ("\r\n", 0),
    ("*0\r\n", 0),
    ("*-1\r\n", 0),
    ("PING\n\nGET a\r\n", 2),
    ("RPUSH a \"x y\" 'z' \"\\x00\\n\"\r\n", 1),
    ("BLPOP a 0\r\nPING\r\n", 2),
    ("GET \"a\r\n", 1),
    ("*x\r\n", 1),
    ("*1\r\nPING\r\n", 1),
    ("*1\r\n$-4\r\nPING\r\n", 1),
];

fn command(templates: &'static [&'static str]) -> impl Strategy<Value = Command> {
    (select(templates), prop::array::uniform7(0..240_usize)).prop_map(|(template, numbers)| {
        let template = match numbers[6] {
            // Names of commands, and of their options, may be in any case.
            230.. => template.to_lowercase(),
            _ => template.to_owned(),
        };
        let mut numbers = numbers.into_iter();
        let words = template
            .split(' ')
            .flat_map(|blank| match blank.starts_with('<') {
                true => filled(blank, numbers.next().expect("no template has more")),
                false => vec![blank.into()],
            });
        words.collect()
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        5 => command(PUSHES),
        3 => command(LISTS),
        2 => command(STRINGS),
        4 => command(WAITS),
        2 => command(CONNECTION),
        1 => command(OTHERS),
        1 => command(NONSENSE),
        1 => command(TRANSACTIONS),
    ]
}

/// A transaction, in one write.
fn transaction() -> impl Strategy<Value = Vec<Command>> {
    const ENDS: [&str; 6] = ["EXEC", "EXEC", "EXEC", "EXEC", "DISCARD", "PING"];
    let inside = prop_oneof![
        6 => command(PUSHES),
        4 => command(LISTS),
        2 => command(STRINGS),
        1 => any_command(),
    ];
    (vec(inside, 1..5), select(&ENDS[..])).prop_map(|(mut commands, end)| {
        commands.insert(0, vec!["MULTI".into()]);
        commands.push(vec![end.into()]);
        commands
    })
}

fn asks(
    who: &'static [usize],
    command: impl Strategy<Value = Command>,
) -> impl Strategy<Value = Step> {
    (select(who), command).prop_map(|(who, command)| Step {
        who,
        what: What::Asks(vec![command]),
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    const SERVES: &[usize] = &[0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 4];
    const WAITS_MOSTLY: &[usize] = &[4, 4, 4, 3, 3, 3, 2, 2, 2, 1];
    const ANY: &[usize] = &[1, 2, 3, 4, 0];
    const NOT_FIRST: &[usize] = &[1, 2, 3, 4];
    let step = |who, what| Step { who, what };
    prop_oneof![
        220 => asks(SERVES, command(PUSHES)),
        150 => asks(SERVES, command(LISTS)),
        80 => asks(SERVES, command(STRINGS)),
        260 => asks(WAITS_MOSTLY, command(WAITS)),
        3 => asks(WAITS_MOSTLY, command(SHORT_WAITS)),
        80 => asks(ANY, command(CONNECTION)),
        50 => asks(SERVES, command(OTHERS)),
        60 => asks(ANY, command(NONSENSE)),
        30 => asks(NOT_FIRST, command(TRANSACTIONS)),
        60 => (select(SERVES), transaction()).prop_map(move |(who, commands)| {
            step(who, What::Asks(commands))
        }),
        60 => (select(NOT_FIRST), vec(any_command(), 2..6)).prop_map(move |(who, commands)| {
            step(who, What::Asks(commands))
        }),
        30 => select(WAITS_MOSTLY).prop_map(move |who| step(who, What::Drops)),
        15 => (select(NOT_FIRST), select(RAW)).prop_map(move |(who, (text, replies))| {
            step(who, What::Raw { replies, bytes: text.into() })
        }),
    ]
}

pub(super) fn any_script() -> impl Strategy<Value = Script> {
    let hello = || {
        select(vec![1, 2, 3, 4, 0]).prop_map(|who| Step {
            who,
            what: What::Asks(vec![vec!["HELLO".into(), "3".into()]]),
        })
    };
    let some = || vec(any_step(), 1..30);
    let paused = weighted(0.15, (vec(any_step(), 1..15), vec(any_step(), 1..10)));
    (vec(hello(), 0..3), some(), paused).prop_map(|(first, then, paused)| {
        let mut steps = [first, then].concat();
        if let Some((during, after)) = paused {
            let pauses = |pauses| Step {
                who: 0,
                what: What::Pauses(pauses),
            };
            steps.push(pauses(true));
            steps.extend(during);
            steps.push(pauses(false));
            steps.extend(after);
        }
        Script(steps)
    })
}

const _: () = assert!(KEYS.len() == 4, "<key> has them all");
