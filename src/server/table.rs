//! All commands, each with what it takes, what it is and who executes it. Anything else is unknown.

use super::call::{Command, Flags, Handler, Keys};
use super::commands::{about, client, connection, keys, lists, pops, replication, transactions};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const NONE: Keys = (0, 0, 0);
const FIRST: Keys = (1, 1, 1);
const FIRST_TWO: Keys = (1, 2, 1);
const ALL: Keys = (1, -1, 1);
const ALL_BUT_LAST: Keys = (1, -2, 1);

const ALWAYS: Flags = Flags::LOADING.and(Flags::STALE);
const GREETING: Flags = ALWAYS
    .and(Flags::NOSCRIPT)
    .and(Flags::FAST)
    .and(Flags::NO_AUTH);
const ADMIN: Flags = ALWAYS.and(Flags::ADMIN).and(Flags::NOSCRIPT);
const CLIENT: Flags = ALWAYS.and(Flags::NOSCRIPT);
// What Redis says of them, as `COMMAND INFO` of a real one tells: `FAST` is constant or logarithmic time.
const READ: Flags = Flags::READONLY.and(Flags::FAST);
const WRITE: Flags = Flags::WRITE.and(Flags::FAST);
const GROW: Flags = WRITE.and(Flags::DENYOOM);
const BLOCK: Flags = Flags::WRITE.and(Flags::NOSCRIPT).and(Flags::BLOCKING);
const REPLICATE: Flags = Flags::STALE.and(Flags::ADMIN).and(Flags::NOSCRIPT);
const QUEUE: Flags = CLIENT.and(Flags::UNQUEUED);

#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    command("ping", -1, Flags::FAST, "connection", NONE, connection::ping, "Answers PONG, or what it is given"),
    command("echo", 2, ALWAYS.and(Flags::FAST), "connection", NONE, connection::echo, "Answers what it is given"),
    command("quit", -1, GREETING.and(Flags::UNQUEUED), "connection", NONE, connection::quit, "Ends the connection"),
    command("hello", -1, GREETING, "connection", NONE, connection::hello, "Chooses the protocol, and signs in"),
    command("auth", -2, GREETING, "connection", NONE, connection::auth, "Signs in"),
    command("select", 2, ALWAYS.and(Flags::FAST), "connection", NONE, connection::select, "Chooses the database"),

    command("client", -2, Flags::CONTAINER, "connection", NONE, about::container, "What has to do with connections"),
    command("client|id", 2, CLIENT, "connection", NONE, client::id, "The caller's number"),
    command("client|setname", 3, CLIENT, "connection", NONE, client::set_name, "Names the caller"),
    command("client|getname", 2, CLIENT, "connection", NONE, client::name, "The caller's name"),
    command("client|setinfo", 4, CLIENT, "connection", NONE, client::set_info, "Tells the caller's library"),
    command("client|list", -2, ADMIN, "connection", NONE, client::list, "One line for each client"),
    command("client|kill", -3, ADMIN, "connection", NONE, client::kill, "Closes connections"),
    command("client|unblock", -3, ADMIN, "connection", NONE, client::unblock, "Ends the wait of another client"),
    command("client|pause", -3, ADMIN, "connection", NONE, client::pause, "Postpones commands for some time"),
    command("client|unpause", 2, ADMIN, "connection", NONE, client::unpause, "Ends a pause"),

    command("command", -1, ALWAYS.and(Flags::CONTAINER), "server", NONE, about::command, "All commands"),
    command("command|count", 2, ALWAYS, "server", NONE, about::command_count, "How many commands there are"),
    command("command|docs", -2, ALWAYS, "server", NONE, about::command_docs, "What commands do"),
    command("command|info", -2, ALWAYS, "server", NONE, about::command_info, "What commands are"),
    command("command|list", -2, ALWAYS, "server", NONE, about::command_list, "The names of all commands"),
    command("config", -2, Flags::CONTAINER, "server", NONE, about::container, "What has to do with the configuration"),
    command("config|get", -3, ADMIN, "server", NONE, about::config_get, "Parameters whose names match a pattern"),
    command("info", -1, ALWAYS, "server", NONE, about::info, "Figures about the server"),
    command("flushall", -1, Flags::WRITE, "server", NONE, keys::flush_all, "Removes all keys"),
    command("replicaof", 3, REPLICATE, "server", NONE, replication::replicaof, "Makes the server a replica, or a master"),
    command("slaveof", 3, REPLICATE, "server", NONE, replication::replicaof, "Makes the server a replica, or a master"),
    command("role", 1, CLIENT.and(Flags::FAST), "server", NONE, replication::role, "Returns whether the server is a master or a replica"),
    command("shutdown", -1, ADMIN.and(Flags::NO_MULTI), "server", NONE, about::shutdown, "Ends the server"),

    command("exists", -2, READ, "generic", ALL, keys::exists, "How many of the keys there are"),
    command("del", -2, Flags::WRITE, "generic", ALL, keys::del, "Removes keys"),
    command("type", 2, READ, "generic", FIRST, keys::type_of, "What is at a key"),
    command("get", 2, READ, "string", FIRST, keys::get, "The string at a key"),
    command("set", -3, Flags::WRITE.and(Flags::DENYOOM), "string", FIRST, keys::set, "Puts a string at a key"),
    command("incr", 2, GROW, "string", FIRST, keys::incr, "Adds one to the number at a key"),

    command("lpush", -3, GROW, "list", FIRST, lists::lpush, "Adds elements to the left end"),
    command("rpush", -3, GROW, "list", FIRST, lists::rpush, "Adds elements to the right end"),
    command("lpop", -2, WRITE, "list", FIRST, lists::lpop, "Takes elements from the left end"),
    command("rpop", -2, WRITE, "list", FIRST, lists::rpop, "Takes elements from the right end"),
    command("llen", 2, READ, "list", FIRST, lists::llen, "How long a list is"),
    command("lrange", 4, Flags::READONLY, "list", FIRST, lists::lrange, "Elements of a list"),
    command("lrem", 4, Flags::WRITE, "list", FIRST, lists::lrem, "Removes elements that are equal to one"),
    command("lmove", 5, Flags::WRITE.and(Flags::DENYOOM), "list", FIRST_TWO, pops::lmove, "Moves an element to another list"),
    command("rpoplpush", 3, Flags::WRITE.and(Flags::DENYOOM), "list", FIRST_TWO, pops::rpoplpush, "Moves an element from right to left"),
    command("lmpop", -4, Flags::WRITE.and(Flags::MOVABLEKEYS), "list", NONE, pops::lmpop, "Takes elements from the first list there is"),

    command("blpop", -3, BLOCK, "list", ALL_BUT_LAST, pops::blpop, "Waits for an element at the left end"),
    command("brpop", -3, BLOCK, "list", ALL_BUT_LAST, pops::brpop, "Waits for an element at the right end"),
    command("blmove", 6, BLOCK.and(Flags::DENYOOM), "list", FIRST_TWO, pops::blmove, "Waits for an element to move"),
    command("brpoplpush", 4, BLOCK.and(Flags::DENYOOM), "list", FIRST_TWO, pops::brpoplpush, "Waits for an element to move from right to left"),
    command("blmpop", -5, Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLEKEYS), "list", NONE, pops::blmpop, "Waits for elements"),

    command("pfcount", -2, Flags::READONLY.and(Flags::MAY_REPLICATE), "hyperloglog", ALL, keys::pfcount, "Returns 0, since no key holds a HyperLogLog"),

    command("multi", 1, QUEUE.and(Flags::FAST), "transactions", NONE, transactions::multi, "Begins to queue commands"),
    command("exec", 1, QUEUE, "transactions", NONE, transactions::exec, "Executes what was queued, with nothing in between"),
    command("discard", 1, QUEUE.and(Flags::FAST), "transactions", NONE, transactions::discard, "Forgets what was queued"),
];

const fn command(
    name: &'static str,
    arity: i32,
    flags: Flags,
    group: &'static str,
    keys: Keys,
    handler: Handler,
    summary: &'static str,
) -> Command {
    Command {
        name,
        arity,
        flags,
        group,
        keys,
        handler,
        summary,
    }
}

static BY_NAME: LazyLock<BTreeMap<&'static [u8], &'static Command>> = LazyLock::new(|| {
    let rows = COMMANDS.iter();
    rows.map(|command| (command.name.as_bytes(), command))
        .collect()
});

/// No name is longer, that of a subcommand with its container included.
const NAME_BYTES_MAX: usize = 16;

/// The command of this name, in any case. Not a subcommand: no name that is typed contains a `|`.
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let mut lower = [0; NAME_BYTES_MAX];
    let lower = lower.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    let found = BY_NAME.get(&*lower)?;
    (!name.contains(&b'|')).then_some(*found)
}

/// The subcommand of this name.
pub(super) fn find_sub(container: &Command, sub: &[u8]) -> Option<&'static Command> {
    let full = [container.name.as_bytes(), b"|", sub].concat();
    BY_NAME.get(&*full.to_ascii_lowercase()).copied()
}

/// All commands that are not subcommands.
pub(super) fn roots() -> impl Iterator<Item = &'static Command> {
    COMMANDS
        .iter()
        .filter(|command| !command.name.contains('|'))
}

/// The subcommands of a container.
pub(super) fn subs(container: &'static Command) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(|command| {
        let name = command.name.split_once('|');
        name.is_some_and(|(root, _)| root == container.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_command() {
        let document = include_str!("mod.rs");
        for command in COMMANDS {
            let name = command.name.to_ascii_uppercase();
            // A subcommand stands behind its container, which may have its only one beside it.
            let alone = match name.split_once('|') {
                None => format!("`{name}`"),
                Some((_, sub)) => format!("`{sub}`"),
            };
            let together = format!("`{}`", name.replace('|', " "));
            let is_there = [alone, together].iter().any(|it| document.contains(it));
            let is_container = subs(command).next().is_some();
            assert!(is_there || is_container, "src/server/mod.rs lacks {name}");
        }
    }

    #[test]
    fn every_row_is_found_by_its_name_in_any_case() {
        for command in COMMANDS {
            assert!(command.name.len() <= NAME_BYTES_MAX, "{}", command.name);
            let upper = command.name.to_ascii_uppercase();
            let found = match upper.split_once('|') {
                None => find(upper.as_bytes()),
                Some((root, sub)) => {
                    assert!(find(upper.as_bytes()).is_none(), "{upper} is no command");
                    find_sub(
                        find(root.as_bytes()).expect("its container"),
                        sub.as_bytes(),
                    )
                }
            };
            assert_eq!(found.map(|found| found.name), Some(command.name));
        }
        assert_eq!(BY_NAME.len(), COMMANDS.len(), "a name stands twice");
    }
}
