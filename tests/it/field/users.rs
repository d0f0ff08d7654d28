//! ACL users without a right that a cancel needs, and users that the server rejects.

use super::*;
use crate::tape::Tape;
use greenroom::ErrorKind;
use greenroom::Pipeline;

const KEY: &str = "jobs";

/// A client of a user with these rights and without a password.
fn user(rights: &[&str], config: Config) -> Option<Field> {
    let server = Server::start_tcp(&[])?;
    let base = ["ACL", "SETUSER", "alice", "reset", "on", "nopass"];
    let words: Vec<&str> = base.iter().chain(rights).copied().collect();
    assert_eq!(server.side().text(words), "OK");
    let address = server.tcp().with_user("alice").with_password("any");
    Some(Field::on(server, address, config))
}

/// Pops are cancelled by a kill and by a deadline, once in peace and once during a write pause.
/// Where the right to do it is missing, their connections are closed.
#[track_caller]
fn cancels(rights: &[&str]) {
    let tape = Tape::start("greenroom");
    let Some(mut field) = user(rights, Config::default()) else {
        return;
    };
    for pause in [None, Some(ms(1000))] {
        let begin = Instant::now();
        if let Some(pause) = pause {
            let millis = pause.as_millis().to_string();
            field.side.ask(["CLIENT", "PAUSE", &millis, "WRITE"]);
        }
        let killed = field.pops(3, KEY, Timeout::Forever);
        field.pops_within(3, KEY, ms(800));
        match pause {
            None => field.await_blocked(6),
            Some(_) => field.hub.sleep(ms(150)).unwrap(),
        }
        killed.iter().for_each(|&task| field.hub.kill(task));
        let ends = field.await_ends(6);
        field.hub.drain().unwrap();
        check_all(&ends, 6, |end| {
            matches!(end, End::Cancelled | End::Indeterminate(_))
        });
        let rest = pause.unwrap_or_default().saturating_sub(begin.elapsed());
        field.hub.sleep(rest).unwrap();
        field.until("no pop is left in the server", |field| {
            field.side.blocked() == 0
        });
        field.side.ask(["RPUSH", KEY, "1"]);
        field.hub.sleep(ms(20)).unwrap();
        assert_eq!(field.side.number(["LLEN", KEY]), 1);
        field.pops(1, KEY, Timeout::After(secs(5)));
        assert_eq!(field.await_ends(1), ["1"]);
    }
    let warnings = tape.take();
    assert!(warnings.len() <= 1, "{warnings:#?}");
}

#[test]
fn user_with_all_rights_cancels() {
    cancels(&["~*", "+@all"]);
}

#[test]
fn user_without_client_cancels_or_closes() {
    cancels(&["~*", "+@all", "-client"]);
}

#[test]
fn user_without_client_list_cancels_or_closes() {
    cancels(&["~*", "+@all", "-client|list"]);
}

#[test]
fn user_without_client_id_cancels_or_closes() {
    cancels(&["~*", "+@all", "-client|id"]);
}

#[test]
fn user_without_client_unblock_cancels_or_closes() {
    cancels(&["~*", "+@all", "-client|unblock"]);
}

#[test]
fn user_without_multi_cancels_or_closes() {
    cancels(&["~*", "+@all", "-multi"]);
}

#[test]
fn user_without_exec_cancels_or_closes() {
    cancels(&["~*", "+@all", "-exec"]);
}

#[test]
fn user_without_pfcount_cancels_or_closes() {
    cancels(&["~*", "+@all", "-pfcount"]);
}

#[test]
fn user_of_one_key_pattern_cancels_or_closes() {
    cancels(&["~jobs*", "+@all"]);
}

#[test]
fn user_with_nothing_but_pops_cancels_or_closes() {
    cancels(&["~jobs", "+brpop", "+rpush"]);
}

#[test]
fn user_without_client_list_cancels_without_loss() {
    let rights = ["~*", "+@all", "-client|list"];
    let Some(mut field) = user(&rights, Config::default()) else {
        return;
    };
    field.pops_within(5, KEY, ms(300));
    let ends = field.await_ends(5);
    check_all(&ends, 5, |end| matches!(end, End::Cancelled));
    assert_eq!(field.counts().indeterminate, 0);
}

#[test]
fn cancels_of_one_key_pattern_succeed() {
    let Some(mut field) = user(&["~jobs*", "+@all"], Config::default()) else {
        return;
    };
    field.pops_within(5, KEY, ms(300));
    let ends = field.await_ends(5);
    check_all(&ends, 5, |end| matches!(end, End::Cancelled));
}

#[test]
fn pipeline_whose_multi_is_refused_blocks_nothing() {
    let mut config = Config::default();
    config.command_timeout = secs(2);
    let Some(mut field) = user(&["~*", "+@all", "-multi"], config) else {
        return;
    };
    let pipeline = Pipeline::new()
        .command(Command::new("MULTI"))
        .command(Command::new("BRPOP").arg(KEY).arg(0))
        .command(Command::new("EXEC"));
    // Where MULTI is refused, the pop would block the shared connection: it is never sent.
    let refused = field.redis.send_all(&mut field.hub, pipeline).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Misuse, "{refused}");
    assert!(refused.to_string().contains("RPOP"), "{refused}");
    field.reply::<()>(|redis, hub| redis.ping(hub)).unwrap();
    assert_eq!(field.side.blocked(), 0);
}

#[test]
fn user_without_password_is_signed_in() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let port = server.port();
    let user = ["ACL", "SETUSER", "alice", "on", "nopass", "~*", "+@all"];
    server.side().ask(user);
    let address = format!("redis://alice@127.0.0.1:{port}").parse().unwrap();
    let mut field = Field::on(server, address, Config::default());
    let name: String = field.send(&["ACL", "WHOAMI"]).unwrap();
    assert_eq!(name, "alice");
}

/// Asserts that a pop and a command fail with the server's own refusal, after a few connects.
#[track_caller]
fn is_refused(server: Server, user: &str) {
    let url = format!("redis://{user}@127.0.0.1:{}", server.port());
    let mut field = Field::on(server, url.parse().unwrap(), Config::default());
    let begin = Instant::now();
    let error = field.reply::<()>(|redis, hub| redis.ping(hub)).unwrap_err();
    field.pops(1, KEY, Timeout::Forever);
    let ends = field.await_ends(1);
    assert!(begin.elapsed() < secs(3), "{:?}", begin.elapsed());
    // The server was reached and has refused: that is neither a lost connection nor worth a retry.
    assert_eq!(error.code(), Some("WRONGPASS"), "{error:?}");
    assert!(
        !error.is_disconnect() && !error.maybe_executed(),
        "{error:?}"
    );
    assert!(!error.to_string().contains("s3cr3t"), "{error:?}");
    check_all(
        &ends,
        1,
        |end| matches!(end, End::Failed(error) if error.code() == Some("WRONGPASS")),
    );
    let connects = field.redis.stats(&field.hub).connects;
    assert!(connects <= 3, "{connects} connects");
}

#[test]
fn user_that_does_not_exist_is_refused() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    is_refused(server, "bob");
}

#[test]
fn wrong_password_is_refused_and_not_retried() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    server
        .side()
        .ask(["ACL", "SETUSER", "alice", "on", ">right", "~*", "+@all"]);
    is_refused(server, "alice:s3cr3t");
}
