//! What stands in the lists.
//!
//! A job is any text: `sleep 20`. One that has failed must remember how often, wherever it goes and whoever dies meanwhile, and
//! the only thing that goes where the job goes is the job. So it travels in an envelope, a JSON object whose `body` is
//! the text:
//!
//! ```text
//! {"id":"17","body":"sleep 20","attempts":2,"error":"it was told to fail"}
//! ```
//!
//! A producer may write the envelope at once, with an `id` for the log and whatever else it likes: that is kept. A
//! JSON object without a text `body` is no envelope but a body like any other.

use greenroom::Error;
use jzon::{JsonValue, object};

/// A log line has room for so much of a body.
const LABEL_CHARS: usize = 40;

/// A job that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) body: String,
    /// How often it has failed so far.
    pub(crate) attempts: u32,
    envelope: JsonValue,
}

impl Job {
    /// One that nobody has tried yet.
    pub(crate) fn new(id: u64, body: &str) -> Job {
        Job {
            body: body.to_owned(),
            attempts: 0,
            envelope: object! { "id": id.to_string(), "body": body },
        }
    }

    /// `None` for what is no text, and so cannot be put into an envelope.
    pub(crate) fn read(payload: &[u8]) -> Option<Job> {
        let text = std::str::from_utf8(payload).ok()?;
        let envelope = match jzon::parse(text) {
            Ok(envelope) if envelope["body"].is_string() => envelope,
            _ => object! { "body": text },
        };
        Some(Job {
            body: envelope["body"].as_str().unwrap_or_default().to_owned(),
            attempts: envelope["attempts"].as_u32().unwrap_or(0),
            envelope,
        })
    }

    /// The same job, after one more attempt that ended so.
    pub(crate) fn failed(mut self, error: &Error) -> Job {
        self.attempts = self.attempts.saturating_add(1);
        self.envelope["attempts"] = self.attempts.into();
        self.envelope["error"] = error.to_string().into();
        self
    }

    /// What goes into a list.
    pub(crate) fn payload(&self) -> String {
        self.envelope.dump()
    }

    /// What it is called in the log: its id, or the beginning of its body.
    pub(crate) fn label(&self) -> String {
        let id = &self.envelope["id"];
        let text = match id.as_str() {
            Some(id) => id.to_owned(),
            None if id.is_number() => id.dump(),
            None => self.body.clone(),
        };
        let shown: String = text.chars().take(LABEL_CHARS).collect();
        // What somebody has pushed cannot forge a log line.
        shown.escape_debug().to_string()
    }
}
