//! The worker of a job queue: what it promises when all goes well, when jobs fail, and when it is killed.
//!
//! Each job has an id, which the log tells when it is done. So the jobs that were done can be counted over several runs, those that
//! ended by SIGKILL included. What is left stands in lists, which are looked at from the side.

mod ends;
mod paused;

use super::*;

/// A queue of its own on a server, and what stands around it.
struct Queue {
    server: Arc<Server>,
    side: Side,
    key: String,
}

impl Queue {
    fn new(key: &str) -> Option<Queue> {
        Server::shared().map(|server| Queue::on(server, key))
    }

    fn on(server: Arc<Server>, key: &str) -> Queue {
        let side = server.side();
        let key = format!("program:worker:{key}");
        Queue { server, side, key }
    }

    fn processing(&self) -> String {
        format!("{}:processing:worker", self.key)
    }

    fn dead(&self) -> String {
        format!("{}:dead", self.key)
    }

    fn length(&mut self, key: &str) -> i64 {
        self.side.number(["LLEN", key])
    }

    /// How many jobs wait, are being processed, and are dead.
    fn lengths(&mut self) -> [i64; 3] {
        let keys = [self.key.clone(), self.processing(), self.dead()];
        keys.map(|key| self.length(&key))
    }

    fn push(&mut self, job: &str) {
        self.side.number(["LPUSH", &self.key, job]);
    }

    /// Jobs with the ids from 1 to `count`.
    fn push_all(&mut self, count: usize, body: &str) {
        (1..=count).for_each(|id| self.push(&envelope(id, body)));
    }

    /// A worker of this queue, which tells what it has done.
    fn work(&self, args: &str) -> Running {
        let socket = path(&self.server);
        let common = ["-s", &socket, "--queue", &self.key, "--json"];
        let mut command = worker(common.into_iter().chain(args.split_whitespace()));
        command.env("RUST_LOG", "worker=info,job=debug");
        start(command)
    }
}

fn worker<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(binary(WORKER));
    command.args(args);
    command
}

fn envelope(id: usize, body: &str) -> String {
    jzon::object! { "id": id, "body": body }.dump()
}

/// The ids of the jobs that are done, in order of the log.
fn done(said: &str) -> Vec<usize> {
    // The last line of one that was killed may be cut off.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().filter_map(log_line);
    let ids = lines.filter_map(|(function, message)| {
        let id = message.strip_suffix(" is done.")?;
        assert_eq!(function, "job");
        Some(id.parse().unwrap())
    });
    ids.collect()
}

fn sorted(runs: [&str; 2]) -> Vec<usize> {
    let mut ids: Vec<_> = runs.into_iter().flat_map(done).collect();
    ids.sort_unstable();
    ids
}

fn distinct(runs: [&str; 2]) -> Vec<usize> {
    let mut ids = sorted(runs);
    ids.dedup();
    ids
}

#[track_caller]
fn counts<const N: usize>(ended: &Ended, names: [&str; N]) -> [u64; N] {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let summary = ended.summary();
    names.map(|name| summary[name].as_u64().expect(name))
}

const COUNTS: [&str; 4] = ["done", "failed", "retried", "dead"];

#[test]
fn jobs_that_it_has_produced_itself_are_all_done() {
    let args = "--embedded --produce 200 --body job --stats 0.02 --json";
    let ended = start(worker(args.split(' '))).finish();
    assert_eq!(counts(&ended, COUNTS), [200, 0, 0, 0], "{ended:?}");
    let left = counts(&ended, ["recovered", "returned", "killed"]);
    assert_eq!(left, [0, 0, 0], "{ended:?}");
    // 25 rounds of 5 ms: eight at a time, and not one after the other.
    let duration = ended.summary()["duration_s"].as_f64().unwrap();
    assert!((0.125..0.9).contains(&duration), "{duration}");
    let lines = ended.err.lines().filter_map(log_line);
    let stats: Vec<_> = lines.filter(|(function, _)| *function == "stats").collect();
    // A line may be written at the moment when one round has ended and the next has not begun.
    let is_busy = |line: &str| !line.contains(" 0 in progress; ");
    assert!(stats.iter().any(|(_, line)| is_busy(line)), "{stats:?}");
    assert!(
        stats.iter().all(|(_, line)| line.ends_with("/s")),
        "{stats:?}"
    );
}

#[test]
fn a_job_that_fails_is_tried_again_and_is_dead_at_last() {
    let Some(mut queue) = Queue::new("failing") else {
        return;
    };
    queue.push("fail 2");
    queue.push(r#"{"id":"never","body":"fail","of":"somebody"}"#);
    queue.side.number([b"LPUSH", queue.key.as_bytes(), b"\xff"]);
    let ended = queue
        .work("--until-empty --max-retries 2 --backoff 0.1")
        .finish();
    assert_eq!(counts(&ended, COUNTS), [1, 5, 4, 2], "{ended:?}");
    assert_eq!(queue.lengths(), [0, 0, 2]);
    // 0.1 and 0.2 s.
    assert!(ended.took >= Duration::from_millis(300), "{ended:?}");

    let dead: Vec<Vec<u8>> = queue
        .side
        .ask(["LRANGE", &queue.dead(), "0", "-1"])
        .convert()
        .unwrap();
    assert_eq!(dead[1], b"\xff", "it cannot be tried");
    let dead = jzon::parse(std::str::from_utf8(&dead[0]).unwrap()).unwrap();
    assert_eq!(dead["attempts"].as_u32(), Some(3), "{dead}");
    assert_eq!(dead["body"].as_str(), Some("fail"), "{dead}");
    assert_eq!(dead["of"].as_str(), Some("somebody"), "{dead}");
    assert!(dead["error"].is_string(), "{dead}");
}

#[test]
fn jobs_that_fail_together_do_not_all_come_back_together() {
    let args = "--embedded --produce 8 --body fail --max-retries 1 --backoff 0.2";
    let ended = start(worker(args.split(' '))).finish();
    let pause = |(function, message): (&str, &str)| {
        let (_, rest) = message.split_once("the next is in ")?;
        let (millis, _) = rest.split_once("ms: ")?;
        assert_eq!(function, "job");
        Some(millis.parse::<f64>().unwrap())
    };
    let lines = ended.err.lines().filter_map(log_line);
    let mut pauses: Vec<_> = lines.filter_map(pause).collect();
    pauses.sort_by(f64::total_cmp);
    assert_eq!(pauses.len(), 8, "{ended:?}");
    assert!(pauses[0] >= 200.0 && pauses[7] <= 250.0, "{pauses:?}");
    // Eight in the same millisecond of fifty, by chance: once in 10^12 runs.
    assert!(pauses[7] - pauses[0] > 1.0, "{pauses:?}");
}

#[test]
fn a_job_that_waits_for_its_retry_holds_up_nobody() {
    let Some(mut queue) = Queue::new("waiting") else {
        return;
    };
    queue.push(&envelope(1, "fail 1"));
    (2..=6).for_each(|id| queue.push(&envelope(id, "sleep 1")));
    let running = queue.work("--jobs 1 --backoff 60");
    eventually("the others are done", || done(&running.said()).len() == 5);
    running.signal("TERM");
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(queue.lengths(), [1, 0, 0]);
    queue.side.number(["DEL", &queue.key]);
}

/// A worker whose only job has failed, and waits for a minute in the processing list.
fn with_a_retry(queue: &mut Queue) -> Running {
    queue.push(&envelope(1, "fail 1"));
    let running = queue.work("--backoff 60");
    eventually("it has failed", || {
        running.said().contains("the next is in ")
    });
    assert_eq!(queue.lengths(), [0, 1, 0]);
    running
}

#[test]
fn a_retry_survives_a_worker_that_is_killed() {
    let Some(mut queue) = Queue::new("retry-killed") else {
        return;
    };
    with_a_retry(&mut queue).kill();
    assert_eq!(queue.lengths(), [0, 1, 0]);
    let ended = queue.work("--until-empty --backoff 0").finish();
    assert_eq!(counts(&ended, ["recovered", "done"]), [1, 1], "{ended:?}");
    // And not some seconds later, as if it were nobody's.
    assert!(ended.err.contains("left from the last time"), "{ended:?}");
    assert_eq!(queue.lengths(), [0; 3]);
}

#[test]
fn a_retry_goes_back_at_once_with_its_count_when_the_worker_is_stopped() {
    let Some(mut queue) = Queue::new("retry-stopped") else {
        return;
    };
    let running = with_a_retry(&mut queue);
    running.signal("TERM");
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(queue.lengths(), [1, 0, 0]);
    let job = queue.side.text(["RPOP", &queue.key]);
    assert!(job.contains(r#""attempts":1"#), "{job}");
}

#[test]
fn sigusr1_asks_what_everybody_waits_for() {
    let running = start(worker(["--embedded", "--json"]));
    eventually("it runs", || running.said().contains("(stats)"));
    running.signal("USR1");
    eventually("it has told", || running.said().contains("hub: "));
    running.signal("TERM");
    let ended = running.finish();
    assert_eq!(counts(&ended, ["done"]), [0], "{ended:?}");
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
}

#[test]
fn what_is_wrong_is_told_on_one_line() {
    let cases: [(&[&str], &str); 11] = [
        (&["--jobs", "0"], "--jobs"),
        (&["--jobs", "many"], "--jobs"),
        (&["--jobs", "1000000000"], "ulimit -n "),
        (&["--max-retries", "-1"], "--max-retries"),
        (&["--grace", "soon"], "--grace"),
        (&["--stats", "0"], "--stats"),
        (&["--name", ""], "--name"),
        (&["--queue"], "--queue"),
        (&["--embedded", "-p", "1"], "--embedded"),
        (&["--until-done"], "--until-done"),
        (&["redis://:s3cr3t@x"], "--url"),
    ];
    for (args, named) in cases {
        let ended = start(worker(args.iter().copied())).finish();
        ended.has_failed(2, named);
        assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
        assert!(!ended.err.contains("s3cr3t"), "{ended:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told_at_the_start() {
    let port = free_port().to_string();
    start(worker(["-p", &port]))
        .finish()
        .has_failed(1, "refused");
}

#[test]
fn a_key_that_is_no_list_is_named_at_the_start() {
    let Some(mut queue) = Queue::new("no-list") else {
        return;
    };
    let dead = queue.dead();
    queue.side.ask(["SET", &dead, "x"]);
    queue.work("--until-empty").finish().has_failed(1, &dead);
}
