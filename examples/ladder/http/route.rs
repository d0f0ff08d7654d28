//! What a request asks of Redis, and what the reply means to its client.

use super::request::Request;
use super::response::Response;
use greenroom::{Command, Hub, Redis, Reply, Result, Timeout, Wait, secs};
use std::time::Duration;

/// The list of the elements.
pub(crate) const LIST: &str = "ladder";

/// How long a pop may wait at most, in seconds.
const POP_SECONDS_MAX: f64 = 60.0;

/// A question to Redis.
#[derive(Debug)]
pub(crate) enum Route {
    Pop(Timeout),
    Push(String),
    Get(String),
    Incr(String),
}

impl Route {
    /// `Err` is what can be answered without Redis.
    pub(crate) fn of(
        request: &Request,
        hub: &Hub,
        redis: Redis,
    ) -> std::result::Result<Route, Response> {
        let query = request.query.as_str();
        // The server may have others to serve, who have keys of their own.
        let key = || format!("{LIST}:{query}");
        match request.path.as_str() {
            "/pop" => timeout(query).map(|after| Route::Pop(Timeout::After(after))),
            "/push" => Ok(Route::Push(query.to_owned())),
            "/get" => Ok(Route::Get(key())),
            "/incr" => Ok(Route::Incr(key())),
            "/stats" => Err(stats(hub, redis)),
            _ => Err(Response::line(
                404,
                "there are /pop?timeout=SECONDS, /push?ELEMENT, /get?KEY, /incr?KEY and /stats",
            )),
        }
    }

    /// Only the first blocks, and gets a connection of its own for as long as it does.
    pub(crate) fn ask(&self, hub: &mut Hub, redis: Redis) -> Result<Wait> {
        match self {
            Route::Pop(timeout) => redis.brpop(hub, LIST, *timeout),
            Route::Push(element) => redis.lpush(hub, LIST, element),
            Route::Get(key) => redis.get(hub, key),
            Route::Incr(key) => redis.send(hub, Command::new("INCR").arg(key)),
        }
    }

    pub(crate) fn answer(&self, reply: Result<Reply>) -> Response {
        // What Redis says of itself is not what a client should be told, but here it is to be seen.
        self.read(reply)
            .unwrap_or_else(|error| Response::line(503, error))
    }

    fn read(&self, reply: Result<Reply>) -> Result<Response> {
        let reply = reply?;
        Ok(match self {
            Route::Pop(_) => match reply.to::<Option<(String, Vec<u8>)>>()? {
                Some((_list, element)) => Response::element(element),
                None => Response {
                    status: 204,
                    body: Vec::new(),
                    element: None,
                },
            },
            Route::Push(_) | Route::Incr(_) => Response::line(200, reply.to::<i64>()?),
            Route::Get(_) => match reply.to::<Option<String>>()? {
                Some(value) => Response::line(200, value),
                None => Response::line(404, "there is no such key"),
            },
        })
    }
}

/// `timeout=SECONDS`, or nothing, which is one second.
fn timeout(query: &str) -> std::result::Result<Duration, Response> {
    let seconds = match query.strip_prefix("timeout=") {
        Some(text) => text.parse().ok(),
        None if query.is_empty() => return Ok(secs(1)),
        None => None,
    };
    let seconds = seconds.filter(|seconds| (0.001..=POP_SECONDS_MAX).contains(seconds));
    let refusal = || {
        Response::line(
            400,
            format_args!("timeout=SECONDS, up to {POP_SECONDS_MAX}"),
        )
    };
    seconds.map(Duration::from_secs_f64).ok_or_else(refusal)
}

/// The connections of the own lane; the shared one is not among them, save among those that were made (`connects`).
fn stats(hub: &Hub, redis: Redis) -> Response {
    let pool = redis.stats(hub);
    let (created, in_use, available) = (pool.created, pool.in_use, pool.available);
    let (connects, cancelled, requeued) = (pool.connects, pool.cancelled, pool.requeued);
    let text = format!(
        "created {created}\nin_use {in_use}\navailable {available}\nconnects {connects}\ncancelled {cancelled}\nrequeued {requeued}"
    );
    Response::line(200, text)
}
