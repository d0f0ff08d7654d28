//! hiredis' reader, in a process of its own: `programs/hiredis_reader.c` has the same loop as the
//! decoders in Rust, and reads its own clock. It too copies each piece once, into the reader's
//! buffer, and copies strings out.

use crate::inputs::Input;
use greenroom_bench::c;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) struct Hiredis {
    folder: TempDir,
    program: PathBuf,
}

impl Hiredis {
    pub(crate) const NAME: &str = "hiredis";

    /// An error says what this machine lacks.
    pub(crate) fn compile() -> Result<Hiredis, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let program = c::compile("hiredis_reader", &["hiredis"], folder.path())?;
        Ok(Hiredis { folder, program })
    }

    /// How long so many passes took. One more comes before them, to grow the tables.
    pub(crate) fn passes(&self, input: &Input, passes: u64) -> Duration {
        let file = self.folder.path().join(input.name);
        if !file.exists() {
            std::fs::write(&file, &input.stream).expect("a file is written");
        }
        let mut command = Command::new(&self.program);
        command.arg(file).arg(input.piece.to_string());
        let output = command.arg(passes.to_string()).output();
        let output = output.expect("a program that was compiled");
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stdout);
        let numbers = said
            .split_whitespace()
            .map(|word| word.parse().expect("a number"));
        let numbers: Vec<usize> = numbers.collect();
        let strings = input.reply.strings();
        let bytes: usize = strings.iter().map(Vec::len).sum();
        let each = [1, strings.len(), bytes];
        assert_eq!(numbers[1..], each.map(|count| count * input.replies));
        Duration::from_nanos(numbers[0] as u64)
    }
}
