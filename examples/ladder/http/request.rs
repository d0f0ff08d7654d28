//! Requests: bytes in, cut anywhere; what is asked out, or how it is refused.
//!
//! Only `GET` without a body is understood. Whoever sends anything else is answered and then closed, because where the next
//! request would begin depends on what was not understood.

use super::response::Response;
use httparse::{EMPTY_HEADER, Error, Header, Status};

/// What a request may have at most, in bytes: the request line and the headers. Browsers and proxies stay below it; as long as it is
/// not complete, each new piece has it parsed from its beginning.
pub(crate) const HEAD_BYTES_MAX: usize = 8 << 10;

const HEADERS_MAX: usize = 64;

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    /// What stands behind the question mark, as it came.
    pub(crate) query: String,
    /// The client wants nothing more on this connection.
    pub(crate) is_last: bool,
}

/// The first request in `bytes`, and how many of them it takes; `None` when it is not complete.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Response> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let too_large = || Response::line(431, "more headers than a question needs");
    let length = match head.parse(bytes) {
        Ok(Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(Status::Partial) if bytes.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(_) | Err(Error::TooManyHeaders) => return Err(too_large()),
        Err(error) => return Err(Response::line(400, error)),
    };
    let (Some(method), Some(target), Some(version)) = (head.method, head.path, head.version) else {
        return Err(Response::line(400, "no request line"));
    };
    if method != "GET" {
        return Err(Response::line(405, "only GET is understood"));
    }
    let has = |name: &str| values(head.headers, name).next().is_some();
    if values(head.headers, "Content-Length").any(|length| length != b"0")
        || has("Transfer-Encoding")
    {
        return Err(Response::line(400, "a question has no body"));
    }
    if version == 1 && !has("Host") {
        return Err(Response::line(400, "no Host"));
    }
    let mut options =
        values(head.headers, "Connection").flat_map(|value| value.split(|b| *b == b','));
    let closes = options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        path: path.to_owned(),
        query: query.to_owned(),
        is_last: closes || version == 0,
    };
    Ok(Some((request, length)))
}

fn values<'a>(headers: &'a [Header<'a>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let named = headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value)
}
