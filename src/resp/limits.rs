//! What a peer may make us hold.
//!
//! A header announces how much follows, and costs the peer a dozen bytes. Memory is never reserved
//! on the strength of it; these limits say at which announcement reading on is pointless.

/// What one reply may demand. Over any of these, decoding fails for good.
///
/// ```
/// use greenroom::resp::Limits;
/// let mut limits = Limits::default();
/// limits.bulk_bytes = 1024 * 1024;
/// assert_eq!(limits.depth, Limits::DEPTH);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many aggregates may be open inside one another, attributes included; a reply that is a
    /// flat array has depth 1.
    ///
    /// Decoding does not recurse, but dropping, cloning, comparing, printing and encoding a
    /// [`Value`](super::Value) do: raise it only as far as the stack of the thread allows.
    pub depth: usize,
    /// How many values all aggregates of one reply may announce together, over all levels. A pair
    /// of a map is two, and an attribute is itself one more.
    pub elements: usize,
    /// The length of one bulk string, in bytes.
    pub bulk_bytes: usize,
    /// The length of one line, in bytes, without its type byte and its CR LF: of a simple string,
    /// an error, a number. Integers and lengths are besides limited to 20 bytes, doubles to 5 KiB.
    pub line_bytes: usize,
    /// The size of one whole reply, in bytes: its bytes on the wire, and the size of a
    /// [`Value`](super::Value) (40 bytes on a 64-bit machine) for each value that `elements` counts.
    ///
    /// This bounds the memory and the time that one reply takes. Values count as soon as the header
    /// of their aggregate has come, and strings as soon as theirs has. Attributes count although
    /// they are dropped. Spare room of vectors and the allocator's overhead do not count: an array
    /// of very short strings can occupy three times its count. `line_bytes` alone limits a reply
    /// that is a single line.
    pub reply_bytes: usize,
    /// True if the elements of pushes are skipped: validated and counted as always, and not stored.
    /// A skipped push is decoded as an empty [`Value::Push`](super::Value::Push). Default: false.
    pub(crate) skip_pushes: bool,
}

impl Limits {
    /// 128 levels. The deepest replies of Redis itself (`COMMAND`, `XINFO STREAM FULL`) stay below
    /// ten; a script may nest on purpose, and dropping 128 levels takes a few KiB of stack.
    pub const DEPTH: usize = 128;
    /// 16 777 216 values, which is 640 MiB of [`Value`](super::Value)s before the first string.
    pub const ELEMENTS: usize = 1 << 24;
    /// 512 MiB: the largest string that Redis keeps (its default `proto-max-bulk-len`).
    pub const BULK_BYTES: usize = 512 << 20;
    /// 64 KiB: what Redis allows an inline command. Its own simple strings and errors are one
    /// short sentence.
    pub const LINE_BYTES: usize = 64 << 10;

    /// 1 GiB: one of the largest strings and as much again around it, or
    /// [`ELEMENTS`](Limits::ELEMENTS) values with 24 bytes each on the wire. Redis sets no limit.
    pub const REPLY_BYTES: usize = 1 << 30;

    /// The limits that [`Default`] gives, as a constant to borrow.
    pub const DEFAULT: Limits = Limits {
        depth: Limits::DEPTH,
        elements: Limits::ELEMENTS,
        bulk_bytes: Limits::BULK_BYTES,
        line_bytes: Limits::LINE_BYTES,
        reply_bytes: Limits::REPLY_BYTES,
        skip_pushes: false,
    };
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}
