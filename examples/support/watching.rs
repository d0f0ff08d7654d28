//! What is looked at while the program runs, and written when it has ended: a timeline, and the narration.

use super::arguments::NAME;
use super::explain::Explain;
use super::options::Options;
use greenroom::Hub;
use greenroom::timeline::Timeline;
use log::info;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Watching {
    timeline: Option<Timeline>,
}

impl Watching {
    pub(crate) fn start(hub: &mut Hub, options: &Options) -> Watching {
        let wanted = options.html.is_some() || options.trace.is_some();
        let timeline = wanted.then(Timeline::new);
        if let Some(timeline) = &timeline {
            timeline.set_title(&format!("{NAME}: {} pops", options.clients));
            hub.observe(timeline.recorder());
        }
        if options.explain {
            hub.observe(Explain::new(hub, options));
        }
        Watching { timeline }
    }

    /// Writes what is to be written; false where that failed, and was told.
    pub(crate) fn finish(self, hub: &mut Hub, options: &Options) -> bool {
        hub.stop_observing();
        let Some(timeline) = self.timeline else {
            return true;
        };
        let html = save(options.html.as_deref(), "--html", |out| {
            timeline.write_html(out)
        });
        let trace = save(options.trace.as_deref(), "--trace", |out| {
            timeline.write_trace(out)
        });
        html && trace
    }
}

fn save(
    path: Option<&Path>,
    flag: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> bool {
    let Some(path) = path else {
        return true;
    };
    let shown = path.display();
    let saved = File::create(path).and_then(|file| write(&mut BufWriter::new(file)));
    match &saved {
        Ok(()) => info!(target: "main", "{shown} is written."),
        Err(error) => eprintln!("{NAME}: {flag} {shown}: {error}"),
    }
    saved.is_ok()
}
