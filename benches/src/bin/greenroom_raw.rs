//! greenroom's hub without its client: tasks that write and read constant bytes, as `tokio_raw`
//! does on tokio.

use greenroom::driver::Endpoint;
use greenroom::{Error, ErrorKind, Hub, Stream, Task, Wait, Wake};
use greenroom_bench::{
    Countdown, Job, Outcome, Place, Result, Stop, Workload, fail, program, wire,
};
use std::fmt::Display;
use std::rc::Rc;

const NAME: &str = "greenroom_raw";

fn main() {
    program(NAME, |job| match job.workload {
        Workload::Ping {
            connections,
            pipeline,
            ops,
        } => ping(job, connections, pipeline, ops),
        _ => Err(Stop::NotRun("the client does it, see greenroom")),
    });
}

fn ping(job: &Job, connections: usize, pipeline: usize, ops: usize) -> Result<Outcome> {
    let mut hub = Hub::new()?;
    hub.on_error(|failure| fail(NAME, &Stop::Failed(failure.error.to_string())));
    let rounds = ops.div_ceil(pipeline);
    let endpoint = match &job.place {
        Place::Tcp(address) => Endpoint::Tcp(*address),
        Place::Unix(path) => Endpoint::Unix(path.clone()),
    };
    let shared = Rc::new(Shared {
        endpoint,
        left: Countdown::new(rounds),
        pings: wire::PING.repeat(pipeline),
        pongs: wire::PONG.repeat(pipeline),
    });
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            hub.spawn_task(Pinger {
                shared: Rc::clone(&shared),
                stream: None,
                // One more than the replies: a read that fills its buffer is followed by another.
                buffer: vec![0; shared.pongs.len() + 1],
                unsent: 0,
                got: shared.pongs.len(),
            })
        })
        .collect();
    hub.join_all(&tasks)?;
    Ok(Outcome::Ops {
        ops: rounds * pipeline,
        wall: job.begin.elapsed(),
    })
}

struct Shared {
    endpoint: Endpoint,
    left: Countdown,
    pings: Vec<u8>,
    pongs: Vec<u8>,
}

struct Pinger {
    shared: Rc<Shared>,
    stream: Option<Stream>,
    buffer: Vec<u8>,
    /// How many bytes of the commands are still to be written, and how many of the replies have
    /// come.
    unsent: usize,
    got: usize,
}

impl Task for Pinger {
    fn resume(&mut self, hub: &mut Hub, wake: Wake) -> greenroom::Result<Wait> {
        let stream = match (wake, self.stream) {
            (Wake::Start, _) => {
                let stream = hub.connect(&self.shared.endpoint)?;
                self.stream = Some(stream);
                return Ok(Wait::writable(stream));
            }
            (Wake::Ready, Some(stream)) => stream,
            (other, _) => return Err(other.unexpected()),
        };
        if self.unsent == 0 && self.got < self.shared.pongs.len() {
            self.read(hub, stream)?;
        }
        if self.unsent == 0 && self.got == self.shared.pongs.len() {
            if !self.shared.left.take() {
                return Ok(Wait::done());
            }
            (self.unsent, self.got) = (self.shared.pings.len(), 0);
        }
        if self.unsent > 0 {
            let rest = &self.shared.pings[self.shared.pings.len() - self.unsent..];
            self.unsent -= hub.write(stream, rest)?.unwrap_or(0);
        }
        match self.unsent {
            0 => Ok(Wait::readable(stream)),
            _ => Ok(Wait::writable(stream)),
        }
    }
}

impl Pinger {
    fn read(&mut self, hub: &mut Hub, stream: Stream) -> greenroom::Result<()> {
        let Some(count) = hub.read(stream, &mut self.buffer)? else {
            return Ok(());
        };
        let pongs = &self.shared.pongs[self.got..];
        match pongs.get(..count) {
            _ if count == 0 => return Err(failed(wire::ended())),
            Some(expected) if expected == &self.buffer[..count] => self.got += count,
            _ => return Err(failed(wire::unexpected(&self.buffer[..count]))),
        }
        Ok(())
    }
}

fn failed(why: impl Display) -> Error {
    Error::new(ErrorKind::Task, why.to_string())
}
