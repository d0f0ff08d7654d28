//! The ladder, rung 6: the same program on greenroom.
//!
//! ```text
//! cargo run --release --example ladder_6_greenroom
//! cargo run --release --example ladder_6_greenroom -- -c 5000   # so many pops
//! ```
//!
//! Rung 5 has shown what a hub is. This one has what was missing there as well: a pool whose connections are used again, a wheel
//! from which timers are taken when they are not needed any more, pacing (`PING` is gone), deadlines, budgets, reconnects, and pops
//! that can be called back without losing an element. What is left is the program. Expect what rung 5 says, and one OS thread: the
//! server is some more tasks on the same hub.

mod support {
    pub(crate) mod flags;
    pub(crate) mod kernel;
    pub(crate) mod redis;
}

use greenroom::{Hub, Result, Timeout, Wait, Wake, ms, secs};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use support::{flags, kernel, redis};

fn main() -> Result<()> {
    let [clients, port] = flags::read([('c', 500), ('p', 0)]);
    let mut hub = Hub::new()?;
    let redis = redis::open(&mut hub, port)?;
    let begin = hub.now();

    let cron = Rc::new(Cell::new((0, Duration::ZERO)));
    let seen = Rc::clone(&cron);
    let task = hub.every(ms(200), move |_hub, tick| {
        seen.set((tick.number, seen.get().1.max(tick.late)));
        Ok(())
    });
    let nil = Rc::new(Cell::new(0));
    let pops: Vec<_> = (0..clients)
        .map(|_| {
            let nil = Rc::clone(&nil);
            hub.spawn(move |hub, wake| match wake {
                Wake::Start => redis.brpop(hub, "ladder", Timeout::After(secs(1))),
                wake => {
                    nil.set(nil.get() + u16::from(wake.reply()?.is_none()));
                    Ok(Wait::done())
                }
            })
        })
        .collect();
    hub.join_all(&pops)?;
    hub.kill(task);

    let (nil, failed) = (nil.get(), hub.stats().failures);
    println!("{nil} of {clients} pops: nil. {failed} failed.");
    let (ticks, worst) = (cron.get().0, cron.get().1.as_secs_f64() * 1e3);
    println!("Cron: {ticks} ticks, the worst {worst:.1} ms late.");
    let took = hub.now().since(begin).as_secs_f64();
    let threads = kernel::status("Threads");
    println!("OS threads: {threads}. Done in {took:.3} s.");
    Ok(())
}
