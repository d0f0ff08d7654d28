//! What shows how a run went: the narration, timelines in files, and the line of progress.

use super::*;
use tempfile::TempDir;

/// The page of a run, in a folder of its own.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

/// Runs so many pops, and has a page made of it.
pub(crate) fn run_to_page(clients: usize) -> Page {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let clients = clients.to_string();
    // Ten thousand real connections take as many open files, and twice that with both ends here: a simulation takes none.
    let kernel = match clients.as_str() {
        "500" => "--embedded",
        _ => "--simulate=42",
    };
    let ended = run([
        "-q",
        "-c",
        &clients,
        kernel,
        "--html",
        path.to_str().unwrap(),
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Page {
        path,
        _folder: folder,
    }
}

#[test]
fn a_narration_is_the_same_at_each_run() {
    let ended = run(["--simulate", "42", "-c", "3", "--explain", "-q"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = include_str!("narration.txt");
    assert!(
        ended.err == told,
        "this is told:\n{}\nand this was:\n{told}",
        ended.err
    );
}

#[test]
fn a_narration_of_many_tells_a_few_and_counts_the_rest() {
    let ended = run([
        "--simulate",
        "42",
        "-c",
        "2000",
        "--explain",
        "-q",
        "--json",
    ]);
    assert_eq!(ended.summary()["timed_out"].as_u64(), Some(2000));
    let lines = ended.err.lines().count();
    assert!((40..120).contains(&lines), "{lines} lines:\n{}", ended.err);
    let asked: u32 = ended
        .err
        .lines()
        .filter_map(|line| line.trim().strip_prefix("... of the other pops, "))
        .flat_map(|counts| counts.split(", "))
        .filter_map(|count| count.strip_suffix(" ask")?.parse::<u32>().ok())
        .sum();
    assert_eq!(asked, 1996, "all but four");
    assert!(ended.err.contains("pop 2000 is resumed"), "{}", ended.err);
    assert!(!ended.err.contains("pop 1000"), "{}", ended.err);
}

#[test]
fn page_and_trace_are_written_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (html, trace) = (at("page.html"), at("trace.json"));
    let ended = run([
        "--embedded",
        "-c",
        "50",
        "--html",
        &html,
        "--trace",
        &trace,
        "--json",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.summary()["timed_out"].as_u64(), Some(50));
    assert!(ended.err.contains("page.html is written."), "{}", ended.err);
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("<title>concurrent_brpop: 50 pops</title>"));
    let trace = jzon::parse(&std::fs::read_to_string(trace).unwrap()).unwrap();
    let pops = trace["traceEvents"]
        .members()
        .filter(|event| event["args"]["command"] == "BRPOP");
    assert_eq!(pops.count(), 50);
}

#[test]
fn what_cannot_be_written_is_one_line_and_loses_no_summary() {
    for (flag, path, why) in [
        ("--html", "/dev/full", "No space left"),
        ("--trace", "/dev/full", "No space left"),
        ("--html", "/nowhere/page.html", "No such file"),
    ] {
        let ended = run(["--simulate", "1", "-c", "5", "-q", "--json", flag, path]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(ended.summary()["timed_out"].as_u64(), Some(5));
        let complaints = ended.complaints();
        assert_eq!(complaints.len(), 1, "{ended:?}");
        let has = |what| complaints[0].contains(what);
        assert!(has(flag) && has(path) && has(why), "{complaints:?}");
    }
}

/// What a program says on a terminal of its own, that of `script`.
fn on_a_terminal(args: &str) -> Option<String> {
    let line = format!("{} {args}", binary(BRPOP).display());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    if Command::new("script").arg("--version").output().is_err() {
        crate::server::missing("script");
        return None;
    }
    let ended = start(command).finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Some(ended.out)
}

#[test]
fn a_long_run_shows_how_far_it_is() {
    let args = "--embedded -c 20 --timeout 2.2 --cron 0.5";
    let Some(out) = on_a_terminal(args) else {
        return;
    };
    assert!(out.contains("20 in flight, 0 of 20 answered, "), "{out:?}");
    // Log lines begin where the line stood, and nothing is left of it.
    for line in out.split("\r\n").filter(|line| line.contains("Hello")) {
        let (_, log) = line.rsplit_once("\r\u{1b}[K").unwrap_or(("", line));
        assert!(log_line(log).is_some(), "{line:?}");
    }
    let last = out
        .rsplit("\r\n")
        .find(|line| line.contains("Done in"))
        .unwrap();
    let (_, log) = last.rsplit_once("\r\u{1b}[K").expect("it is wiped");
    assert!(log_line(log).is_some(), "{last:?}");
}

#[test]
fn nobody_is_shown_progress_who_does_not_look() {
    let args = ["--embedded", "-c", "5", "--timeout", "2.2"];
    assert!(!run(args).err.contains('\r'));
    if let Some(out) = on_a_terminal("--embedded -c 5 --timeout 2.2 --quiet") {
        assert_eq!(out, "");
    }
    if let Some(out) = on_a_terminal("--embedded -c 5 --timeout 0.5") {
        assert!(
            !out.contains("in flight"),
            "a short one needs none: {out:?}"
        );
    }
}
