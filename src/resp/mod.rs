//! RESP, the language of Redis: bytes to values and back, without a socket and without a clock.
//!
//! A value begins with one byte that names its type and continues to the end of a line, CR LF.
//! That line is the value itself, or the length of what follows: a *bulk* string of so many bytes
//! and one more CR LF, or an *aggregate* of so many values. RESP3 (which a client asks for with
//! `HELLO 3`) adds types to RESP2 and changes none, so one decoder reads both.
//!
//! | byte | name | example, `.` for CR LF | since | [`Value`] |
//! |---|---|---|---|---|
//! | `+` | simple string | `+OK.` | 2 | [`Simple`](Value::Simple) |
//! | `-` | error | `-ERR unknown command.` | 2 | [`Error`](Value::Error) |
//! | `:` | integer | `:-2.` | 2 | [`Int`](Value::Int) |
//! | `$` | bulk string | `$3.foo.` | 2 | [`Bulk`](Value::Bulk); `$-1.` is a null |
//! | `*` | array | `*2.:1.:2.` | 2 | [`Array`](Value::Array); `*-1.` is a null |
//! | `_` | null | `_.` | 3 | [`Null`](Value::Null) |
//! | `#` | boolean | `#t.` | 3 | [`Bool`](Value::Bool) |
//! | `,` | double | `,1.5.` | 3 | [`Double`](Value::Double); also `inf`, `-inf`, `nan` |
//! | `(` | big number | `(-34928903284092349850.` | 3 | [`BigNumber`](Value::BigNumber), as text |
//! | `!` | bulk error | `!5.ERR x.` | 3 | [`Error`](Value::Error) |
//! | `=` | verbatim string | `=7.txt:foo.` | 3 | [`Verbatim`](Value::Verbatim) |
//! | `%` | map | `%1.+key.:1.` | 3 | [`Map`](Value::Map) |
//! | `~` | set | `~1.:1.` | 3 | [`Set`](Value::Set) |
//! | `>` | push | `>2.+invalidate._.` | 3 | [`Push`](Value::Push) |
//! | `\|` | attribute | `\|1.+ttl.:9.` | 3 | none: dropped, and the value follows |
//!
//! The source is the [protocol specification]. Its *streamed* types (`$?`, `*?`), which no server
//! sends, are refused, and so are lone CRs and LFs, lengths below -1 or of `-0`, a push inside an
//! aggregate, and all else that bends the rules: a peer that bends them is not the server we think
//! it is, or has lost its place in the stream.
//!
//! **"Not yet" is a value.** Bytes come in pieces, cut anywhere. [`Decoder::decode`] answers
//! `Ok(None)` when it has taken in all there is, and goes on from that very byte the next time.
//! What has been looked at is not looked at again, however small the pieces. An `Err` is for good:
//! nothing after it can be trusted to begin where a value begins.
//!
//! **Where memory goes.** A decoder is one pointer, null except inside a half-read value. Strings
//! are copied out of the input, each into an allocation of its own: a slice that shared the read
//! buffer would keep all 128 KiB of it alive for one byte that somebody stores. Space is reserved
//! for bytes that have come, never for lengths that were announced. What may be announced at all,
//! and what one whole reply may take, is bounded by [`Limits`]. What is dropped in the end
//! (attributes) is never stored: its elements are validated, counted and skipped.
//!
//! **A server's error is a value**, not an `Err`: it answers one command and the next reply is as
//! good as ever. [`Value::into_result`] and [`Value::convert`] turn it into one.
//!
//! Inside: `decode.rs` keeps what is half-read; `nest.rs` the aggregates that are open; `line.rs`
//! judges one line; `quick.rs` is the short way for short replies. `encode.rs` is the way back,
//! `convert.rs` the way on, to the types of a program.
//!
//! [protocol specification]: https://redis.io/docs/latest/develop/reference/protocol-spec/

mod convert;
mod decode;
pub mod encode;
mod limits;
mod line;
mod nest;
mod progress;
mod quick;
#[cfg(test)]
mod tests;
mod value;

pub use convert::FromValue;
pub use decode::Decoder;
pub use encode::Protocol;
pub use limits::Limits;
pub use progress::Progress;
pub use value::Value;
