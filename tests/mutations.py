#!/usr/bin/env python3
"""Breaks the library on purpose, in one place after the other, and sees whether the swarm notices.

    python3 tests/mutations.py            # all of them: some minutes
    python3 tests/mutations.py WORD       # those with this word in their names

Works on a copy of the tree, so that nothing here is touched. A mutation is a text and what it is replaced
by; a text that is not found exactly once says that the code has changed, and this list must follow.
Exit status 0 means that every mutation was noticed.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SWARM = ["cargo", "test", "-q", "-p", "greenroom-tests", "swarm::"]
# A swarm takes seconds. One that hangs has noticed something, too.
PATIENCE_S = 120
# What is built here is broken: it must not be found by who builds the real one in the same place.
ENV = dict(os.environ)
if "CARGO_TARGET_DIR" in ENV:
    ENV["CARGO_TARGET_DIR"] = str(pathlib.Path(ENV["CARGO_TARGET_DIR"]).resolve() / "mutations")

# Name, file, what stands there, what is put in its place.
MUTATIONS = [
    (
        "the generation of a key is ignored",
        "src/token.rs",
        "        let slot = self.slab.get_mut(key.index())?;\n        (slot.key == key).then_some(&mut slot.value)",
        "        let slot = self.slab.get_mut(key.index())?;\n        Some(&mut slot.value)",
    ),
    (
        "what is left unread after a turn's budget is forgotten",
        "src/hub/turn.rs",
        "            None => self.unread.push((key, ended)),",
        "            None => {}",
    ),
    (
        "a read that filled the buffer is taken for the last",
        "src/hub/turn.rs",
        "                    if count < self.buffer.len() && !ended {",
        "                    if !ended {",
    ),
    (
        "a connection is released while its reply is still to come",
        "src/conn/replies.rs",
        "    if conn.state != State::Ready || !conn.lane.is_empty() {",
        "    if conn.state != State::Ready {",
    ),
    (
        "a cascade loses a timer",
        "src/wheel.rs",
        "            if when > self.now {\n                self.link(key, when);",
        "            if when > self.now {\n                if place.level < 2 { self.link(key, when); }",
    ),
    (
        "a deadline is rounded down",
        "src/timers.rs",
        "            .arm(at.as_nanos().div_ceil(1 << TICK_SHIFT), owner)",
        "            .arm(at.as_nanos() >> TICK_SHIFT, owner)",
    ),
    (
        "a timeout that is no whole millisecond is rounded down",
        "src/time.rs",
        "duration.subsec_nanos().div_ceil(1_000_000)",
        "(duration.subsec_nanos() / 1_000_000)",
    ),
    (
        "a pop has no deadline",
        "src/conn/work.rs",
        "        let deadline = request.deadline();\n        conn.timer = deadline.map(|at| timers.arm(at, Owner::Conn(key)));\n        conn.lane.push(ticket, Expect::One);",
        "        conn.lane.push(ticket, Expect::One);",
    ),
    (
        "what was in flight on a lost connection is forgotten",
        "src/conn/work.rs",
        "        self.finish(ticket, told);\n        begun",
        "        drop(told);\n        begun",
    ),
    (
        "a lost connection is not told from an unsent command",
        "src/conn/request.rs",
        "        matches!(self.progress, Progress::Sent { end, .. } if end <= written)",
        "        false && matches!(self.progress, Progress::Sent { end, .. } if end <= written)",
    ),
    (
        "replies are handed out from the wrong end",
        "src/conn/connection.rs",
        "            InFlight::Shared(shared) => shared.tickets.pop_front(),",
        "            InFlight::Shared(shared) => shared.tickets.pop_back(),",
    ),
    (
        "the backlog of the server is overrun",
        "src/conn/pool.rs",
        "        self.pause.is_none() && ahead < self.config.max_connecting.max(1) as u64",
        "        self.pause.is_none() && ahead < u64::MAX",
    ),
    (
        "a connection that ends while it is dialed is still counted",
        "src/conn/pool.rs",
        "        } else if conn.state != State::Ready {\n            self.connecting -= 1;",
        "        } else if conn.state != State::Ready {",
    ),
    (
        "the socket of a lost connection is not closed",
        "src/conn/lifecycle.rs",
        "        timers.disarm(&mut conn.timer);\n        work.closing.extend(conn.socket);",
        "        timers.disarm(&mut conn.timer);",
    ),
    (
        "the end behind the last bytes is not looked for",
        "src/hub/turn.rs",
        "                    if count < self.buffer.len() && !ended {",
        "                    if count < self.buffer.len() {",
    ),
    (
        "a notify of a task that runs is forgotten",
        "src/hub/spawning.rs",
        "            State::InLine | State::Running => slot.notified = true,",
        "            State::InLine | State::Running => {}",
    ),
    (
        "cron drifts",
        "src/hub/every.rs",
        "            Missed::Skip => Time::from_nanos(now.as_nanos() - self.since_beat(late)) + self.period,",
        "            Missed::Skip => now + self.period,",
    ),
    (
        "nobody who waits for a connection is ever told that it takes too long",
        "src/conn/work.rs",
        "            pool.line.timer = Some(timers.arm(at, Owner::Pool(key)));",
        "            let _ = (at, key);",
    ),
    (
        "a task that ends leaves its request behind",
        "src/hub/scheduling.rs",
        "        if slot.loose {\n            self.clients.abandon_all_of(key, &mut self.timers);\n        }",
        "",
    ),
    (
        "the rest of a write that did not fit is sent again from its start",
        "src/conn/outbox.rs",
        "        self.sent += count;\n",
        "        self.sent += if count == self.bytes.len() - self.sent { count } else { 0 };\n",
    ),
    (
        "a connection is used again while a question about it is under way",
        "src/conn/cancel.rs",
        "            Phase::Asked => {\n                self.phase = Phase::Answered;\n                Next::Wait\n            }",
        "            Phase::Asked => self.over(),",
    ),
    (
        "a late element is dropped",
        "src/conn/giving_back.rs",
        "            if !reply.is_none() {\n                // One",
        "            if false {\n                // One",
    ),
    (
        "the timer of a connection that was set anew is forgotten",
        "src/conn/deadlines.rs",
        "        if conn.timer.is_some_and(|timer| timers.is_armed(timer)) {",
        "        if false {",
    ),
    (
        "the nil of a round is the answer",
        "src/conn/replies.rs",
        "        if value.is_null() && work.next_round(key, conn, ticket, timers.now()) {",
        "        if false {",
    ),
    (
        "the hub sleeps for the time that its tasks have taken once more",
        "src/hub/turn.rs",
        "        Some(until.since(now))",
        "        Some(until.since(self.timers.now()))",
    ),
    (
        "the timer of a pool is lost when it is put off",
        "src/conn/deadlines.rs",
        "            if !timers.is_armed(*timer) {\n                *timer",
        "            if false {\n                *timer",
    ),
    (
        "a client that is closed drops its pops",
        "src/conn/giving_up.rs",
        "                        GaveUp::UnderWay => {}\n                        GaveUp::TakenBack => self.work.uncancel(ticket, &error),",
        "                        GaveUp::UnderWay => self.lost(key, &error, timers),\n                        GaveUp::TakenBack => self.work.uncancel(ticket, &error),",
    ),
]


def mutate(tree, file, old, new):
    path = tree / file
    text = path.read_text()
    found = text.count(old)
    if found != 1:
        return f"stands {found} times in {file}"
    path.write_text(text.replace(old, new))
    return None


def noticed(tree):
    """Whether the swarm fails, and by what."""
    pipe = subprocess.PIPE
    # In a session of its own, so that the test ends together with the cargo that started it.
    swarm = subprocess.Popen(
        SWARM, cwd=tree, env=ENV, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )
    try:
        out, err = swarm.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(swarm.pid, signal.SIGKILL)
        swarm.communicate()
        return "it hangs"
    if swarm.returncode == 0:
        return None
    if "could not compile" in err:
        sys.exit(f"does not compile:\n{err}")
    lines = [line for line in out.splitlines() if line.startswith("seed ")]
    return lines[0] if lines else "it fails"


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [mutation for mutation in MUTATIONS if word in mutation[0]]
    survivors = []
    with tempfile.TemporaryDirectory() as room:
        tree = pathlib.Path(room) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("target", ".git"))
        for name, file, old, new in chosen:
            original = (tree / file).read_text()
            wrong = mutate(tree, file, old, new)
            if wrong:
                sys.exit(f"{name}: {wrong}")
            began = time.monotonic()
            how = noticed(tree)
            (tree / file).write_text(original)
            print(f"{name}\n    {how or 'NOT NOTICED'} ({time.monotonic() - began:.0f} s)", flush=True)
            if how is None:
                survivors.append(name)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} were noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
