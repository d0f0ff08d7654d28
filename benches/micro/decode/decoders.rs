//! The decoders in Rust, each driven as a connection drives it.
//!
//! Every piece is copied once to where `read(2)` would have put it; the kernel's part is the same
//! for all and left out. What differs is where that is, what becomes of the bytes, and what a piece
//! that is not all of a reply leads to.
//!
//! - `greenroom`, [`resp::Decoder`]: one buffer of 128 KiB, for all connections. Strings are copied
//!   out. It goes on from the very byte.
//! - `redis-rs codec`, [`redis::ValueCodec`], that of its async connections: a buffer of the
//!   connection. Strings are copied out. It goes on from the token that was cut.
//! - `redis-rs parser`, [`redis::Parser`], that of its blocking connections: the same, with the
//!   buffer inside.
//! - `redis-protocol`, [`decode_bytes_mut`], as in its codec: a buffer of the connection. Strings
//!   are slices of it, each of which keeps all of it alive. It begins again from the first byte.
//! - `redis-protocol owned`, [`decode`]: the same, but strings are copied out.

use crate::inputs::{Input, Reply};
use bytes::{Buf, BytesMut};
use greenroom::resp::{self, Limits};
use redis_protocol::resp2::decode::{decode, decode_bytes_mut};
use redis_protocol::resp2::types::{BytesFrame, OwnedFrame};
use std::io::{self, Read};
use std::slice::Chunks;
use tokio_util::codec::Decoder;

pub(crate) trait Decode: Default {
    const NAME: &str;
    type Value;

    /// Decodes all of the input, and hands over each value.
    fn decode(&mut self, input: &Input, each: impl FnMut(Self::Value));

    fn is(value: &Self::Value, reply: &Reply) -> bool;
}

#[derive(Default)]
pub(crate) struct Greenroom {
    decoder: resp::Decoder,
    buffer: Vec<u8>,
}

/// What the hub reads at most at once.
const READ_BYTES: usize = 128 << 10;

impl Decode for Greenroom {
    const NAME: &str = "greenroom";
    type Value = resp::Value;

    fn decode(&mut self, input: &Input, mut each: impl FnMut(resp::Value)) {
        for read in input.pieces().flat_map(|piece| piece.chunks(READ_BYTES)) {
            self.buffer.clear();
            self.buffer.extend_from_slice(read);
            let mut bytes = &self.buffer[..];
            let mut next = || self.decoder.decode(&mut bytes, &Limits::DEFAULT);
            while let Some(value) = next().expect("RESP") {
                each(value);
            }
        }
    }

    fn is(value: &resp::Value, reply: &Reply) -> bool {
        match reply {
            Reply::Nil => value.is_null(),
            Reply::Bulk(text) => value.as_bytes() == Some(text),
            Reply::Array(items) => value.as_slice().is_some_and(|values| {
                let values = values.iter().map(|value| value.as_bytes());
                values.eq(items.iter().map(|item| Some(&item[..])))
            }),
        }
    }
}

#[derive(Default)]
pub(crate) struct RedisCodec {
    codec: redis::ValueCodec,
    buffer: BytesMut,
}

impl Decode for RedisCodec {
    const NAME: &str = "redis-rs codec";
    type Value = redis::Value;

    fn decode(&mut self, input: &Input, mut each: impl FnMut(redis::Value)) {
        for piece in input.pieces() {
            self.buffer.extend_from_slice(piece);
            while let Some(value) = self.codec.decode(&mut self.buffer).expect("RESP") {
                each(value);
            }
        }
    }

    fn is(value: &redis::Value, reply: &Reply) -> bool {
        let bulk = |text: &Vec<u8>| redis::Value::BulkString(text.clone());
        *value
            == match reply {
                Reply::Nil => redis::Value::Nil,
                Reply::Bulk(text) => bulk(text),
                Reply::Array(items) => redis::Value::Array(items.iter().map(bulk).collect()),
            }
    }
}

#[derive(Default)]
pub(crate) struct RedisParser(redis::Parser);

impl Decode for RedisParser {
    const NAME: &str = "redis-rs parser";
    type Value = redis::Value;

    fn decode(&mut self, input: &Input, mut each: impl FnMut(redis::Value)) {
        let mut socket = Socket {
            pieces: input.pieces(),
            rest: &[],
        };
        for _ in 0..input.replies {
            each(self.0.parse_value(&mut socket).expect("RESP"));
        }
    }

    fn is(value: &redis::Value, reply: &Reply) -> bool {
        RedisCodec::is(value, reply)
    }
}

/// A socket from which each piece is read by itself.
struct Socket<'a> {
    pieces: Chunks<'a, u8>,
    rest: &'a [u8],
}

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.pieces.next().unwrap_or_default();
        }
        self.rest.read(buffer)
    }
}

#[derive(Default)]
pub(crate) struct RedisProtocol(BytesMut);

impl Decode for RedisProtocol {
    const NAME: &str = "redis-protocol";
    type Value = BytesFrame;

    fn decode(&mut self, input: &Input, mut each: impl FnMut(BytesFrame)) {
        for piece in input.pieces() {
            self.0.extend_from_slice(piece);
            while let Some((frame, _, _)) = decode_bytes_mut(&mut self.0).expect("RESP") {
                each(frame);
            }
        }
    }

    fn is(value: &BytesFrame, reply: &Reply) -> bool {
        let bulk = |text: &Vec<u8>| BytesFrame::BulkString(text.clone().into());
        *value
            == match reply {
                Reply::Nil => BytesFrame::Null,
                Reply::Bulk(text) => bulk(text),
                Reply::Array(items) => BytesFrame::Array(items.iter().map(bulk).collect()),
            }
    }
}

#[derive(Default)]
pub(crate) struct RedisProtocolOwned(BytesMut);

impl Decode for RedisProtocolOwned {
    const NAME: &str = "redis-protocol owned";
    type Value = OwnedFrame;

    fn decode(&mut self, input: &Input, mut each: impl FnMut(OwnedFrame)) {
        for piece in input.pieces() {
            self.0.extend_from_slice(piece);
            while let Some((frame, length)) = decode(&self.0).expect("RESP") {
                self.0.advance(length);
                each(frame);
            }
        }
    }

    fn is(value: &OwnedFrame, reply: &Reply) -> bool {
        let bulk = |text: &Vec<u8>| OwnedFrame::BulkString(text.clone());
        *value
            == match reply {
                Reply::Nil => OwnedFrame::Null,
                Reply::Bulk(text) => bulk(text),
                Reply::Array(items) => OwnedFrame::Array(items.iter().map(bulk).collect()),
            }
    }
}
