//! What the server tells about itself, and its end.

use crate::server::call::{Call, Command, Flags};
use crate::server::clients::End;
use crate::server::config::REDIS_VERSION;
use crate::server::keyspace::DATABASES;
use crate::server::mode::Role;
use crate::server::refusal::Refusal;
use crate::server::{glob, table};
use std::fmt::Write as _;

type Done = Result<(), Refusal>;

/// Only its subcommands do anything; the arity sees to it that there is one.
pub(in crate::server) fn container(call: &mut Call<'_>) -> Done {
    let name = String::from_utf8_lossy(call.arg(0)).to_ascii_lowercase();
    Err(Refusal::arity(&name))
}

pub(in crate::server) fn command(call: &mut Call<'_>) -> Done {
    call.reply.array(table::roots().count());
    for command in table::roots() {
        describe(call, command);
    }
    Ok(())
}

pub(in crate::server) fn command_count(call: &mut Call<'_>) -> Done {
    call.reply.count(table::roots().count());
    Ok(())
}

/// `COMMAND INFO [name ...]`
pub(in crate::server) fn command_info(call: &mut Call<'_>) -> Done {
    let names = call.args.iter().skip(2);
    if names.len() == 0 {
        return command(call);
    }
    call.reply.array(names.len());
    for name in names {
        match by_full_name(name) {
            Some(command) => describe(call, command),
            None => call.reply.null(),
        }
    }
    Ok(())
}

/// `COMMAND LIST`, without its filters.
pub(in crate::server) fn command_list(call: &mut Call<'_>) -> Done {
    if call.args.len() > 2 {
        return Err(Refusal::SYNTAX);
    }
    call.reply.array(table::roots().count());
    table::roots().for_each(|command| call.reply.bulk(command.name));
    Ok(())
}

/// `COMMAND DOCS [name ...]`
pub(in crate::server) fn command_docs(call: &mut Call<'_>) -> Done {
    let names = call.args.iter().skip(2);
    let commands: Vec<&Command> = match names.len() {
        0 => table::roots().collect(),
        _ => names.filter_map(by_full_name).collect(),
    };
    call.reply.map(commands.len());
    for command in commands {
        call.reply.bulk(command.name);
        call.reply.map(2);
        call.reply.bulk("summary");
        call.reply.bulk(command.summary);
        call.reply.bulk("group");
        call.reply.bulk(command.group);
    }
    Ok(())
}

/// The command of a name such as `get` or `client|kill`.
fn by_full_name(name: &[u8]) -> Option<&'static Command> {
    match name.iter().position(|&byte| byte == b'|') {
        None => table::find(name),
        Some(bar) => table::find_sub(table::find(&name[..bar])?, &name[bar + 1..]),
    }
}

/// The ten things that clients are told about a command. Of the keys, only first, last and step; there
/// are no tips.
fn describe(call: &mut Call<'_>, command: &'static Command) {
    let reply = &mut *call.reply;
    reply.array(10);
    reply.bulk(command.name);
    reply.int(command.arity.into());
    let names = Flags::NAMES
        .iter()
        .filter(|(flag, _)| command.flags.has(*flag));
    reply.set(names.clone().count());
    names.for_each(|(_, name)| reply.simple(name));
    let (first, last, step) = command.keys;
    for number in [first, last, step] {
        reply.int(number.into());
    }
    let speed = match command.flags.has(Flags::FAST) {
        true => "@fast",
        false => "@slow",
    };
    reply.set(2);
    reply.simple(&format!("@{}", command.group));
    reply.simple(speed);
    reply.set(0);
    reply.set(0);
    reply.array(table::subs(command).count());
    table::subs(command).for_each(|sub| describe(call, sub));
}

/// `CONFIG GET pattern [pattern ...]`: what there is to know, under Redis' names. Nothing can be set.
pub(in crate::server) fn config_get(call: &mut Call<'_>) -> Done {
    let config = &call.state.config;
    let password = config
        .password
        .as_ref()
        .map_or("", |password| password.expose());
    let parameters = [
        ("appendonly", "no".to_owned()),
        (
            "client-query-buffer-limit",
            config.query_bytes_max.to_string(),
        ),
        ("databases", DATABASES.to_string()),
        ("maxclients", config.max_clients.to_string()),
        ("maxmemory", "0".to_owned()),
        ("port", call.state.port().to_string()),
        ("proto-max-bulk-len", config.bulk_bytes_max.to_string()),
        ("requirepass", password.to_owned()),
        ("save", String::new()),
        ("timeout", "0".to_owned()),
    ];
    let patterns = call.args.iter().skip(2);
    // A parameter that is named goes by the name that was given.
    let given = |name: &str| {
        let is_it = |pattern: &&[u8]| pattern.eq_ignore_ascii_case(name.as_bytes());
        patterns
            .clone()
            .find(is_it)
            .unwrap_or(name.as_bytes())
            .to_vec()
    };
    let is_asked = |name: &str| {
        patterns
            .clone()
            .any(|pattern| glob::matches(pattern, name.as_bytes()))
    };
    let asked: Vec<_> = parameters
        .iter()
        .filter(|(name, _)| is_asked(name))
        .collect();
    call.reply.map(asked.len());
    for (name, value) in asked {
        call.reply.bulk(given(name));
        call.reply.bulk(value);
    }
    Ok(())
}

/// `INFO [section ...]`
pub(in crate::server) fn info(call: &mut Call<'_>) -> Done {
    let asked: Vec<_> = call
        .args
        .iter()
        .skip(1)
        .map(<[u8]>::to_ascii_lowercase)
        .collect();
    let is_asked = |section: &str| {
        let is_this = |asked: &Vec<u8>| {
            let all: [&[u8]; 4] = [section.as_bytes(), b"default", b"all", b"everything"];
            all.contains(&asked.as_slice())
        };
        asked.is_empty() || asked.iter().any(is_this)
    };
    let mut text = String::new();
    for (section, fields) in sections(call) {
        if is_asked(&section.to_ascii_lowercase()) {
            let gap = if text.is_empty() { "" } else { "\r\n" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{gap}# {section}\r\n{fields}");
        }
    }
    call.reply.verbatim(&text);
    Ok(())
}

fn sections(call: &Call<'_>) -> [(&'static str, String); 5] {
    let state = &*call.state;
    let figures = state.stats();
    let uptime = state.now().since(state.started).as_secs();
    let server = fields(&[
        ("redis_version", REDIS_VERSION.into()),
        ("greenroom_version", env!("CARGO_PKG_VERSION").into()),
        ("redis_mode", "standalone".into()),
        ("os", std::env::consts::OS.into()),
        ("arch_bits", usize::BITS.to_string()),
        ("process_id", std::process::id().to_string()),
        ("tcp_port", state.port().to_string()),
        ("uptime_in_seconds", uptime.to_string()),
        ("uptime_in_days", (uptime / 86_400).to_string()),
    ]);
    let clients = fields(&[
        ("connected_clients", figures.clients.to_string()),
        ("maxclients", state.config.max_clients.to_string()),
        ("blocked_clients", figures.blocked.to_string()),
    ]);
    let stats = fields(&[
        (
            "total_connections_received",
            figures.connections.to_string(),
        ),
        ("total_commands_processed", figures.commands.to_string()),
        ("rejected_connections", figures.rejected.to_string()),
    ]);
    let mut replication = match &state.role {
        Role::Master => fields(&[("role", "master".into())]),
        Role::Replica { host, port } => fields(&[
            ("role", "slave".into()),
            ("master_host", host.clone()),
            ("master_port", port.to_string()),
            ("master_link_status", "down".into()),
            ("slave_read_only", "1".into()),
        ]),
    };
    replication += &fields(&[("connected_slaves", "0".into())]);
    let mut keyspace = String::new();
    for (db, keys) in state
        .keyspace
        .sizes()
        .enumerate()
        .filter(|(_, keys)| *keys > 0)
    {
        let _ = write!(keyspace, "db{db}:keys={keys},expires=0,avg_ttl=0\r\n");
    }
    [
        ("Server", server),
        ("Clients", clients),
        ("Stats", stats),
        ("Replication", replication),
        ("Keyspace", keyspace),
    ]
}

fn fields(fields: &[(&str, String)]) -> String {
    let lines = fields
        .iter()
        .map(|(name, value)| format!("{name}:{value}\r\n"));
    lines.collect()
}

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE]`. There is nothing to save, and so nothing to wait for.
pub(in crate::server) fn shutdown(call: &mut Call<'_>) -> Done {
    let words = call.args.iter().skip(1).map(<[u8]>::to_ascii_lowercase);
    let words: Vec<_> = words.collect();
    let has = |word: &[u8]| words.iter().any(|other| other == word);
    let known: [&[u8]; 5] = [b"nosave", b"save", b"now", b"force", b"abort"];
    let is_known = words.iter().all(|word| known.contains(&word.as_slice()));
    let aborts_alone = !has(b"abort") || words.iter().all(|word| word == b"abort");
    if !is_known || !aborts_alone || (has(b"save") && has(b"nosave")) {
        return Err(Refusal::SYNTAX);
    }
    if has(b"abort") {
        return Err(Refusal::err("No shutdown in progress."));
    }
    call.state.is_stopping = true;
    let keeper = call.state.keeper;
    call.state.woken.extend(keeper);
    call.state.end(call.client, End::Now);
    Ok(())
}
