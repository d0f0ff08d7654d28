//! What decoding a reply costs: greenroom, redis-rs, redis-protocol, and hiredis in C.
//!
//! Timed is the way of a reply from the bytes of a socket to a value of which the program can keep
//! any part, and the value's end. How each library goes that way stands in `decoders.rs` and
//! `hiredis.rs`.
//!
//! | input | replies in a pass | in pieces of |
//! |---|---|---|
//! | `nil`: the answer to a `BRPOP` in vain | 1,000, as of a pipeline | all |
//! | `bulk_5B`: a short string | 1,000 | all |
//! | `array_1000`: 1,000 strings of 16 bytes | 1 | all |
//! | `bulk_1MiB` | 1 | all |
//! | `bulk_1MiB_by_64KiB`: as a socket may give it | 1 | 64 KiB |
//! | `popped_by_1B`: a list's name and an element | 100 | 1 byte |
//! | `array_1000_by_1B` | 1 | 1 byte |
//!
//! The throughput is that of replies. Pieces of one byte are the worst that a network can do; they
//! show whether what was read is read again. All replies are RESP2, which all of these speak;
//! redis-protocol has a decoder for each version, and this is the one for RESP2. Values are dropped
//! at once, so the allocator is at its best for everybody. hiredis is the system's package,
//! compiled as the distribution does; where there is none, its lines are missing and the reason is
//! told.
//!
//! The figures for 1 MiB are those of `memcpy`, whose speed may depend on where the allocator has
//! put source and destination: some processors copy with `rep movsb` several times slower for some
//! distances between the two. `GLIBC_TUNABLES=glibc.cpu.x86_rep_movsb_threshold=1073741824` keeps
//! glibc from that instruction.

mod decoders;
mod hiredis;
mod inputs;
#[path = "../settings.rs"]
mod settings;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, SamplingMode, Throughput};
use decoders::{Decode, Greenroom, RedisCodec, RedisParser, RedisProtocol, RedisProtocolOwned};
use hiredis::Hiredis;
use inputs::{Input, inputs};
use std::hint::black_box;

fn main() {
    let mut criterion = settings::criterion();
    let hiredis = Hiredis::compile();
    if let Err(why) = &hiredis {
        println!("{} not run: {why}", Hiredis::NAME);
    }
    for input in inputs() {
        let mut group = criterion.benchmark_group(input.name);
        group.throughput(Throughput::Elements(input.replies as u64));
        // Some take a whole second for a pass; the other modes would demand more of them.
        group.sampling_mode(SamplingMode::Flat);
        measure::<Greenroom>(&mut group, &input);
        measure::<RedisCodec>(&mut group, &input);
        measure::<RedisParser>(&mut group, &input);
        measure::<RedisProtocol>(&mut group, &input);
        measure::<RedisProtocolOwned>(&mut group, &input);
        if let Ok(hiredis) = &hiredis {
            group.bench_function(Hiredis::NAME, |bencher| {
                bencher.iter_custom(|passes| hiredis.passes(&input, passes));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

fn measure<D: Decode>(group: &mut BenchmarkGroup<WallTime>, input: &Input) {
    // Kept from sample to sample: its buffers have grown.
    let mut decoder = None;
    group.bench_function(D::NAME, |bencher| {
        let decoder = decoder.get_or_insert_with(|| checked::<D>(input));
        bencher.iter(|| {
            decoder.decode(black_box(input), |value| {
                black_box(value);
            });
        });
    });
}

/// A decoder that has just read all of the input, and rightly.
fn checked<D: Decode>(input: &Input) -> D {
    let mut decoder = D::default();
    let mut replies = 0;
    decoder.decode(input, |value| {
        assert!(D::is(&value, &input.reply), "{}: {}", D::NAME, input.name);
        replies += 1;
    });
    assert_eq!(replies, input.replies, "{}: {}", D::NAME, input.name);
    decoder
}
