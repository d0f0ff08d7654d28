//! Plays the scripts of simulated peers.

use super::network::Network;
use super::script::{Run, Step};
use crate::driver::Socket;
use crate::error::printable;
use crate::token::Key;

impl Network {
    /// Lets a script go on as far as it can.
    pub(super) fn run_script(&mut self, key: Key) {
        while let Some(step) = self.next_step(key) {
            match step {
                Step::Send(bytes) => {
                    self.note(format_args!("the script of {key:?} sends"));
                    self.send(key, &bytes);
                }
                Step::Wait(time) => {
                    if let Some(run) = self.script(key) {
                        run.waits = true;
                    }
                    let at = self.now + time;
                    return self.wake_script_at(at, key);
                }
                Step::Finish => self.finish(key),
                Step::Close => return self.close(Socket(key)),
                Step::Reset => return self.break_off_and_forget(key),
                Step::Vanish => self.vanish(key),
                // Those are over when they are returned.
                Step::Expect(_) | Step::ExpectEnd => {}
            }
        }
    }

    fn script(&mut self, key: Key) -> Option<&mut Run> {
        self.stream(key).ok()?.script.as_deref_mut()
    }

    /// Takes the next step off a script, if it can be made now.
    fn next_step(&mut self, key: Key) -> Option<Step> {
        let stream = self.stream(key).ok()?;
        let has_ended = stream.has_ended();
        let run = stream.script.as_deref_mut()?;
        if run.waits {
            return None;
        }
        match run.steps.front()? {
            Step::Expect(wanted) => {
                let got: Vec<u8> = stream.inbox.iter().copied().take(wanted.len()).collect();
                if !wanted.starts_with(&got) {
                    let (wanted, got) = (printable(wanted), printable(&got));
                    let line = format!("{key:?}: expected \"{wanted}\", got \"{got}\"");
                    self.failures.push(line);
                    self.break_off_and_forget(key);
                    return None;
                }
                if got.len() < wanted.len() {
                    return None;
                }
                stream.inbox.drain(..got.len());
            }
            Step::ExpectEnd if !has_ended => return None,
            _ => {}
        }
        let step = self.script(key)?.steps.pop_front();
        self.make_room(key);
        step
    }

    /// The time that a script was to wait is over.
    pub(super) fn script_goes_on(&mut self, key: Key) {
        if let Some(run) = self.script(key) {
            run.waits = false;
            self.run_script(key);
        }
    }
}
