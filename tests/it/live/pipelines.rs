//! Pipelines and transactions.

use super::*;

#[test]
fn a_pipeline_is_answered_in_order_with_errors_in_their_places() {
    let Some(mut live) = live() else { return };
    let pipeline = Pipeline::new()
        .command(Command::new("SET").arg("pipe").arg("text"))
        .command(Command::new("LPUSH").arg("pipe").arg("x"))
        .command(Command::new("GET").arg("pipe"));
    let values: Vec<Value> = live.get(|redis, hub| redis.send_all(hub, pipeline));
    let [set, push, get] = values.as_slice() else {
        panic!("{values:?}");
    };
    assert_eq!((set.as_str(), get.as_str()), (Some("OK"), Some("text")));
    assert!(push.is_error() && push.as_str().unwrap().starts_with("WRONGTYPE"));
}

#[test]
fn a_transaction_runs_as_one() {
    let Some(mut live) = live() else { return };
    let pipeline = Pipeline::new()
        .command(Command::new("MULTI"))
        .command(Command::new("INCR").arg("multi"))
        .command(Command::new("RPOP").arg("multi:none"))
        .command(Command::new("INCR").arg("multi"))
        .command(Command::new("EXEC"));
    let values: Vec<Value> = live.get(|redis, hub| redis.send_all(hub, pipeline));
    let done = Value::Array(vec![Value::Int(1), Value::Null, Value::Int(2)]);
    assert_eq!(values.last(), Some(&done));
    assert_eq!(live.get::<i64>(|redis, hub| redis.get(hub, "multi")), 2);
}

#[test]
fn commands_of_many_tasks_each_get_the_reply_of_their_own() {
    let Some(mut live) = live() else { return };
    let redis = live.redis;
    let tasks: Vec<_> = (0..300_i64)
        .map(|number| {
            live.hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.send(hub, Command::new("ECHO").arg(number)),
                wake => {
                    assert_eq!(wake.reply()?.to::<i64>()?, number);
                    Ok(Wait::done())
                }
            })
        })
        .collect();
    live.hub.join_all(&tasks).unwrap();
    assert_eq!(redis.stats(&live.hub).connects, 1);
}

#[test]
fn a_pipeline_of_many_megabytes_is_answered_while_it_is_sent() {
    on_both(|live, kind| {
        let value = "x".repeat(256 * 1024);
        let keys: Vec<_> = (0..40)
            .map(|number| format!("{kind}:long:{number}"))
            .collect();
        let pipeline = keys.iter().fold(Pipeline::new(), |pipeline, key| {
            pipeline.command(Command::new("SET").arg(key).arg(&value))
        });
        let replies: Vec<String> = live.get(|redis, hub| redis.send_all(hub, pipeline));
        assert_eq!(replies, vec!["OK"; 40]);
    });
}
