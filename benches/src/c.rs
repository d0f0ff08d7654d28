//! The programs in C: compiled when they are run, so that all else builds where no C compiler is.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `programs/NAME.c` into `folder`, or says what this machine lacks for it.
///
/// `libraries` are linked; each is in the package `libNAME-dev`.
pub fn compile(name: &str, libraries: &[&str], folder: &Path) -> Result<PathBuf, String> {
    let program = folder.join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("programs/{name}.c"));
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-O2", "-o"])
        .arg(&program)
        .arg(source)
        .args(libraries.iter().map(|library| format!("-l{library}")));
    let output = cc.output().map_err(|_| "cc is not installed".to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(program),
        false if said.contains("No such file") || said.contains("cannot find -l") => {
            let package = |library| format!("lib{library}-dev");
            let packages: Vec<_> = libraries.iter().map(package).collect();
            let verb = if packages.len() == 1 { "is" } else { "are" };
            Err(format!("{} {verb} not installed", packages.join(" and ")))
        }
        false => {
            let line = said.trim().lines().next();
            let why = line.unwrap_or("it does not say why");
            Err(format!("it does not compile: {why}"))
        }
    }
}
