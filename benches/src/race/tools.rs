//! Makes and finds the programs, with what this machine has. What it lacks is told, and is no
//! failure.

use super::Result;
use super::options::Options;
use super::programs::{Kind, NAMES, Program, kind};
use greenroom_bench::c;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Programs that run, and those that do not with the reason.
#[derive(Debug, Default)]
pub(crate) struct Field {
    pub(crate) programs: Vec<Program>,
    pub(crate) missing: Vec<(&'static str, String)>,
}

const PACKAGE: &str = env!("CARGO_MANIFEST_DIR");

/// Gathers the programs that are asked for. `folder` is for what need not last.
pub(crate) fn gather(options: &Options, folder: &Path) -> Result<Field> {
    let mut field = Field::default();
    let wanted: Vec<_> = NAMES
        .into_iter()
        .filter(|name| options.runs(name))
        .collect();
    let here = env::current_exe()?;
    let here = here.parent().ok_or("this program is in no folder")?;
    build(here, &wanted)?;
    for name in wanted {
        let made = match kind(name) {
            Kind::Rust => Ok((here.join(name), None)),
            Kind::C => c::compile(name, &["hiredis", "ev"], folder).map(|path| (path, None)),
            Kind::Python => gevent(here).map(|(python, script)| (python, Some(script))),
            Kind::Benchmark => benchmark(&options.server).map(|path| (path, None)),
        };
        match made {
            Ok((path, script)) => field.programs.push(Program {
                name,
                kind: kind(name),
                path,
                script,
            }),
            Err(why) => field.missing.push((name, why)),
        }
    }
    Ok(field)
}

/// Compiles the Rust programs: `cargo run` has compiled only this one, and old ones would be worse
/// than none.
fn build(here: &Path, wanted: &[&str]) -> Result<()> {
    let wanted = wanted.iter().filter(|name| kind(name) == Kind::Rust);
    let is_cargo = env::var_os("CARGO").is_some();
    if !is_cargo && wanted.clone().all(|name| here.join(name).exists()) {
        return Ok(());
    }
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(Path::new(PACKAGE).join("Cargo.toml"))
        .args(wanted.flat_map(|name| ["--bin", name]))
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("the programs do not compile".into()),
    }
}

/// An environment with the packages that the Python program names, beside the compiled programs: it
/// stays for the next race. Returns its interpreter, and the script.
fn gevent(here: &Path) -> Result<(PathBuf, PathBuf), String> {
    let script = Path::new(PACKAGE).join("programs/gevent_seed.py");
    let text = fs::read_to_string(&script).map_err(|error| error.to_string())?;
    let packages = packages(&text);
    let (venv, python) = (here.join("race-venv"), here.join("race-venv/bin/python"));
    let installed = venv.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|list| list == packages.join(" ")) {
        return Ok((python, script));
    }
    quietly(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    )
    .map_err(|why| format!("python3 -m venv does not work: {why}"))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let network = [
        "--retries",
        "1",
        "--timeout",
        "15",
        "--only-binary",
        ":all:",
    ];
    quietly(
        Command::new(&python)
            .args(pip)
            .args(network)
            .args(&packages),
    )
    .map_err(|why| format!("{} cannot be installed: {why}", packages.join(" and ")))?;
    fs::write(installed, packages.join(" ")).map_err(|error| error.to_string())?;
    Ok((python, script))
}

/// What the script itself says after `pip install`, with the versions it was written for.
fn packages(script: &str) -> Vec<String> {
    let line = script
        .lines()
        .find_map(|line| line.split_once("pip install "));
    let names = line.map_or("gevent redis", |(_, names)| names);
    names.split_whitespace().map(String::from).collect()
}

fn quietly(command: &mut Command) -> Result<(), String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(first_line(&String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// The benchmark that belongs to the server: redis-benchmark, valkey-benchmark.
fn benchmark(server: &Path) -> Result<PathBuf, String> {
    let name = server.to_string_lossy().replace("-server", "-benchmark");
    let is_there = name.ends_with("-benchmark") && version_of(&name).is_some();
    match is_there {
        true => Ok(name.into()),
        false => Err("no redis-benchmark is installed".into()),
    }
}

/// The first line that a program says when asked for its version.
pub(crate) fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(first_line(&said).into())
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_its_packages() {
        let script = "\"\"\"\n    VENV/bin/pip install gevent==26.9.0 redis==8.1.0\n\"\"\"";
        assert_eq!(packages(script), ["gevent==26.9.0", "redis==8.1.0"]);
        assert_eq!(packages(""), ["gevent", "redis"]);
    }
}
