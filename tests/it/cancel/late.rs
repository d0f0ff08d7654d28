//! Elements that come when nobody waits for them any more, and their ways back.

use super::stage::{LATENCY, Stage, stage};
use crate::notes::Notes;
use greenroom::resp::Value;
use greenroom::sim::Strike;
use greenroom::{Command, Config, Error, ErrorKind, Timeout, Wait, Wake, ms, secs};

#[test]
fn whoever_wants_late_elements_gets_them() {
    let mut stage = stage();
    let late = Notes::new();
    let told = late.clone();
    stage
        .redis
        .on_undelivered(&mut stage.hub, move |_hub, late| {
            told.add(late.into_reply().convert::<(String, String)>()?.1);
            Ok(())
        });
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.push_halfway(&["a"]);
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    stage.sleep(ms(1));
    assert_eq!(late.take(), ["a"]);
    assert_eq!(stage.list(), [""; 0]);
    assert_eq!(stage.counts(), [0, 1, 0, 0]);
}

#[test]
fn what_was_moved_stays_where_it_was_moved_to() {
    use greenroom::Side::{Left, Right};
    let mut stage = stage();
    let redis = stage.redis;
    let task = stage.hub.spawn(move |hub, wake| match wake {
        Wake::Start => redis.blmove(hub, ("list", Right), ("work", Left), Timeout::Forever),
        _ => Ok(Wait::done()),
    });
    stage.sleep(ms(10));
    stage.push_halfway(&["a"]);
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    let length = stage.ask(Command::new("LLEN").arg("work"));
    assert_eq!(length, Value::Int(1));
    assert_eq!(stage.counts(), [0, 1, 0, 0]);
}

#[test]
fn an_element_that_the_server_does_not_take_back_is_offered_until_it_does() {
    let mut stage = stage();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.push_halfway(&["a"]);
    let mut refusals = 2;
    stage.server.refuse(move |name| {
        let refused = name == "rpush" && refusals > 0;
        refusals -= u32::from(refused);
        refused.then(|| "OOM command not allowed".into())
    });
    stage.hub.kill(task);
    stage.hub.drain().unwrap();
    assert_eq!(stage.list(), ["a"]);
    assert_eq!(stage.counts(), [0, 1, 1, 0]);
}

/// A pop is killed whose element is on its way.
fn kill_too_late(stage: &mut Stage) {
    let task = stage.pop(None);
    stage.sleep(ms(10));
    stage.push_halfway(&["a"]);
    stage.hub.kill(task);
}

#[test]
fn what_a_hook_does_not_take_goes_back() {
    for panics in [false, true] {
        let mut stage = stage();
        stage.hub.on_error(|_| {});
        stage
            .redis
            .on_undelivered(&mut stage.hub, move |_hub, _late| {
                assert!(!panics, "a hook may panic");
                Err(Error::new(ErrorKind::Task, "a hook may fail"))
            });
        kill_too_late(&mut stage);
        stage.hub.drain().unwrap();
        assert_eq!(stage.list(), ["a"], "{panics}");
        assert_eq!(stage.counts(), [0, 1, 1, 0], "{panics}");
    }
}

#[test]
fn what_a_hook_never_was_told_goes_back() {
    let mut stage = stage();
    let told = Notes::new();
    let (other, notes) = (stage.other, told.clone());
    stage
        .redis
        .on_undelivered(&mut stage.hub, move |_hub, late| {
            notes.add(late);
            Ok(())
        });
    let before = stage.hub.tasks();
    let task = stage.pop(None);
    stage.sleep(ms(10));
    // The push and the pop are answered in the same turn: before the hook's task runs, there is one that kills it.
    let push = stage.hub.spawn(move |hub, wake| {
        if let Wake::Start = wake {
            return other.lpush(hub, "list", ["a"]);
        }
        let tasks = hub.tasks();
        for task in tasks.into_iter().filter(|task| !before.contains(task)) {
            hub.kill(task);
        }
        Ok(Wait::done())
    });
    stage.sleep(LATENCY + LATENCY / 2);
    stage.hub.kill(task);
    stage.hub.wait(Wait::join(push)).unwrap();
    stage.hub.drain().unwrap();
    assert_eq!(told.take().len(), 0);
    assert_eq!(stage.list(), ["a"]);
}

#[test]
fn a_hook_of_a_client_that_is_being_closed_cannot_send_and_the_element_goes_back() {
    let mut stage = stage();
    stage.hub.on_error(|_| {});
    let redis = stage.redis;
    redis.on_undelivered(&mut stage.hub, move |hub, late| {
        let kept = Command::new("LPUSH")
            .arg("kept")
            .arg(late.reply().as_slice().map_or(0, <[_]>::len));
        redis.send(hub, kept).map(|asked| hub.ignore(asked))
    });
    kill_too_late(&mut stage);
    redis.close(&mut stage.hub);
    stage.hub.drain().unwrap();
    assert_eq!(stage.list(), ["a"]);
}

#[test]
fn an_element_waits_for_a_server_that_is_away_or_not_ready() {
    let loading = "LOADING Redis is loading the dataset in memory";
    let away = [
        Strike::ErrorReplies(loading.into(), secs(60)),
        Strike::Refuse(secs(60)),
    ];
    for strike in away {
        let mut stage = stage();
        let told = format!("{strike:?}");
        kill_too_late(&mut stage);
        // The pop is answered, and its connection is of no more use.
        stage.sleep(LATENCY / 2);
        stage.sim.strike(strike.clone());
        if let Strike::Refuse(_) = strike {
            stage.sleep(LATENCY);
            stage.sim.strike(Strike::ResetAll);
        }
        stage.sleep(secs(59));
        assert_eq!(stage.counts()[2..], [0, 0], "{told}");
        stage.sleep(secs(2));
        assert_eq!(stage.counts()[2..], [1, 0], "{told}");
        assert_eq!(stage.list(), ["a"], "{told}");
    }
}

#[test]
fn the_end_of_a_program_does_not_wait_for_ever() {
    let mut stage = stage();
    kill_too_late(&mut stage);
    stage.sleep(LATENCY / 2);
    let loading = "LOADING Redis is loading the dataset in memory".to_owned();
    stage.sim.strike(Strike::ErrorReplies(loading, secs(3600)));
    let began = stage.hub.now();
    stage.hub.drain().unwrap();
    let took = stage.hub.now().since(began);
    let least = Config::default().command_timeout;
    let most = least + Config::default().pool_timeout + secs(1);
    assert!((least..=most).contains(&took), "{took:?}");
    assert_eq!(stage.counts(), [0, 1, 0, 1]);
}
