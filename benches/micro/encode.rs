//! What encoding a command costs: greenroom, redis-rs, redis-protocol.
//!
//! Two workloads. `append`: the command is there, in whatever form the library encodes; its bytes
//! are appended to a buffer that has room, as when a pipeline is written. This is encoding alone.
//!
//! - greenroom: [`encode::command`] of a slice of arguments.
//! - redis-rs: [`Cmd::write_packed_command`].
//! - redis-protocol: [`extend_encode_borrowed`] of an array of borrowed strings.
//!
//! `command`: there are the arguments as a program has them; of them a command is made and of that
//! a buffer of its own, and both are dropped. This is what a call costs its program before anything
//! is sent.
//!
//! - greenroom: [`Command`], which encodes each argument when it is added. Its first line, a few
//!   bytes, is written when it is sent, and is not in the figure.
//! - redis-rs: [`redis::cmd`], which collects the arguments, and [`Cmd::get_packed_command`].
//! - redis-protocol: a vector of borrowed strings, and the same function into a new buffer.
//!
//! Inputs are `BRPOP list 1`, `GET user:00001234`, `LPUSH list` with 100 strings of 16 bytes, and
//! `SET key` with 1 MiB. The throughput is that of bytes. Arguments are hidden from the optimizer:
//! where a program's are constants, greenroom's are cheaper than here.

#[path = "settings.rs"]
mod settings;

use bytes::BytesMut;
use criterion::{Bencher, Throughput};
use greenroom::Command;
use greenroom::resp::encode;
use redis::Cmd;
use redis_protocol::resp2::encode::extend_encode_borrowed;
use redis_protocol::resp2::types::BorrowedFrame;
use std::hint::black_box;

type Args = [Vec<u8>];

type Encoder = fn(&mut Bencher, &Args, &[u8]);

const WORKLOADS: [(&str, [(&str, Encoder); 3]); 2] = [
    (
        "append",
        [
            ("greenroom", append_greenroom),
            ("redis-rs", append_redis),
            ("redis-protocol", append_redis_protocol),
        ],
    ),
    (
        "command",
        [
            ("greenroom", command_greenroom),
            ("redis-rs", command_redis),
            ("redis-protocol", command_redis_protocol),
        ],
    ),
];

fn main() {
    let mut criterion = settings::criterion();
    for (name, args) in inputs() {
        let wire = wire(&args);
        for (workload, encoders) in WORKLOADS {
            let mut group = criterion.benchmark_group(format!("{name}/{workload}"));
            group.throughput(Throughput::Bytes(wire.len() as u64));
            for (library, encoder) in encoders {
                group.bench_function(library, |bencher| encoder(bencher, &args, &wire));
            }
            group.finish();
        }
    }
    criterion.final_summary();
}

fn inputs() -> [(&'static str, Vec<Vec<u8>>); 4] {
    let elements = (0..100).map(|i| format!("element:{i:08}").into());
    let push = ["LPUSH".into(), "list".into()].into_iter().chain(elements);
    [
        ("brpop", vec!["BRPOP".into(), "list".into(), "1".into()]),
        ("get", vec!["GET".into(), "user:00001234".into()]),
        ("lpush_100", push.collect()),
        (
            "set_1MiB",
            vec!["SET".into(), "key".into(), vec![b'x'; 1 << 20]],
        ),
    ]
}

/// What every encoder is to write. Made without any of them, so that none judges itself.
fn wire(args: &Args) -> Vec<u8> {
    let mut wire = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        wire.extend(format!("${}\r\n", arg.len()).bytes());
        wire.extend([arg, &b"\r\n"[..]].concat());
    }
    wire
}

fn append_greenroom(bencher: &mut Bencher, args: &Args, wire: &[u8]) {
    let mut out = Vec::new();
    bencher.iter(|| {
        out.clear();
        encode::command(&mut out, black_box(args));
        black_box(&out);
    });
    assert_eq!(out, wire);
}

fn append_redis(bencher: &mut Bencher, args: &Args, wire: &[u8]) {
    let mut cmd = Cmd::new();
    cmd.arg(args);
    let mut out = Vec::new();
    bencher.iter(|| {
        out.clear();
        black_box(&cmd).write_packed_command(&mut out);
        black_box(&out);
    });
    assert_eq!(out, wire);
}

fn append_redis_protocol(bencher: &mut Bencher, args: &Args, wire: &[u8]) {
    let frames = frames(args);
    let mut out = BytesMut::new();
    bencher.iter(|| {
        out.clear();
        let frame = BorrowedFrame::Array(black_box(&frames));
        extend_encode_borrowed(&mut out, &frame, true).expect("there is room");
        black_box(&out);
    });
    assert_eq!(out, wire);
}

fn command_greenroom(bencher: &mut Bencher, args: &Args, _: &[u8]) {
    let (name, args) = split(args);
    let command = || Command::new(black_box(name)).arg(black_box(args));
    bencher.iter(command);
    // Its bytes are its own affair until it is sent; this is all that it shows.
    let shown = format!("Command({name} + {} arguments)", args.len());
    assert_eq!(format!("{:?}", command()), shown);
}

fn command_redis(bencher: &mut Bencher, args: &Args, wire: &[u8]) {
    let (name, args) = split(args);
    let command = || {
        let mut cmd = redis::cmd(black_box(name));
        cmd.arg(black_box(args)).get_packed_command()
    };
    bencher.iter(command);
    assert_eq!(command(), wire);
}

fn command_redis_protocol(bencher: &mut Bencher, args: &Args, wire: &[u8]) {
    let command = || {
        let mut out = BytesMut::new();
        let frames = frames(black_box(args));
        let frame = BorrowedFrame::Array(&frames);
        extend_encode_borrowed(&mut out, &frame, true).expect("there is room");
        out
    };
    bencher.iter(command);
    assert_eq!(command(), wire);
}

/// A command's name and its arguments.
fn split(args: &Args) -> (&str, &Args) {
    let (name, args) = args.split_first().expect("a command has a name");
    (std::str::from_utf8(name).expect("UTF-8"), args)
}

fn frames(args: &Args) -> Vec<BorrowedFrame<'_>> {
    args.iter()
        .map(|arg| BorrowedFrame::BulkString(arg))
        .collect()
}
