//! Errors that the server answers.

use super::*;

#[test]
fn an_error_reply_leaves_the_shared_connection_as_it_was() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["SET", "wrong:shared", "text"]);
    let error = live.error(|redis, hub| redis.lpush(hub, "wrong:shared", "x"));
    assert_eq!(
        (error.code(), error.maybe_executed()),
        (Some("WRONGTYPE"), false)
    );
    assert_eq!(
        live.get::<String>(|redis, hub| redis.get(hub, "wrong:shared")),
        "text"
    );
    assert_eq!(live.redis.stats(&live.hub).connects, 1);
}

#[test]
fn an_error_reply_leaves_the_connection_of_a_pop_as_it_was() {
    let Some(mut live) = live() else { return };
    live.server.side().ask(["SET", "wrong:own", "text"]);
    let error = live.error(|redis, hub| redis.brpop(hub, "wrong:own", SOON));
    assert_eq!(error.code(), Some("WRONGTYPE"));
    live.get::<()>(|redis, hub| redis.brpop(hub, "wrong:none", SOON));
    let stats = live.redis.stats(&live.hub);
    assert_eq!((stats.connects, stats.available), (1, 1));
}
