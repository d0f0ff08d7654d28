// What was recorded: lanes of segments. A segment lasts from `at[i]` to `at[i + 1]`, in microseconds.

const run = JSON.parse(document.getElementById("data").textContent);
const CODE = Object.fromEntries(run.codes.map((name, code) => [name, code]));
const { none, connecting, handshake, blocked, late, idle, unknown } =
  { none: 0, connecting: 1, handshake: 2, blocked: 3, late: 4, idle: 5, unknown: 6 };
const STATES = ["", "connecting", "handshake", "blocked", "answered late", "idle", "unknown"];
const ANSWERS = { nil: "nil", value: "an element or value", error: "an error", unwanted: "unwanted" };

/// The task with this number.
const taskOf = number => {
  const [index, generation, place, reason] = run.tasks.slice(4 * number, 4 * number + 4);
  if (index === undefined || index < 0) return null;
  return { index, name: `${index}.${generation}`, place: run.texts.places[place], reason: run.texts.reasons[reason] };
};

/// A kind of sending: what, and for how long the server may block, in microseconds.
const sendOf = code => {
  const [command, timeout] = run.sends.slice(2 * code, 2 * code + 2);
  return { command: run.texts.commands[command] ?? "", timeout: timeout < 0 ? Infinity : timeout * 1000 };
};

// tasks[i] is the number of the task that a segment is about, and answers[i] how it ended; both are -1 for nothing.
class Lane {
  constructor([number, shared, to, ...marks]) {
    this.label = `${shared ? "shared" : "conn"} ${number || "?"}`;
    this.shared = shared === 1;
    this.to = run.texts.to[to] ?? "";
    this.at = []; this.state = []; this.tasks = []; this.codes = []; this.answers = []; this.notes = [];
    let now = 0, flying = 0, sent = 0, due = Infinity;
    for (let i = 0; i < marks.length; i += 3) {
      const [later, code, argument] = [marks[i], marks[i + 1], marks[i + 2]];
      now += later;
      if (code >= CODE.sent) {
        flying = this.shared ? flying + 1 : 1;
        due = now + sendOf(code - CODE.sent).timeout;
        this.begin(now, blocked, argument, code - CODE.sent);
      } else if (code >= CODE.nil && code <= CODE.unwanted) {
        flying = Math.max(0, flying - 1);
        if (code === CODE.nil && due < now && this.last() === blocked) this.split(due);
        this.answers[this.at.length - 1] = code;
        if (flying === 0) this.begin(now, idle);
      } else if (code === CODE.dialed) this.begin(now, connecting);
      else if (code === CODE.greets) this.begin(now, handshake);
      else if (code === CODE.unknown) { flying = 0; this.begin(now, unknown); }
      else if (code === CODE.closed) { flying = 0; this.note(run.texts.reasons[argument]); this.begin(now, none); }
      else if (code === CODE.notConnected) this.note(run.texts.reasons[argument]);
      else if (code === CODE.givenUp) this.note("given up");
      else if (code === CODE.idle && this.last() !== idle) this.begin(now, idle);
      else if (code === CODE.ready) this.begin(now, idle);
    }
    this.end = this.last() === none ? now : run.span;
  }
  last() { return this.state.length ? this.state[this.state.length - 1] : none; }
  begin(at, state, task = -1, code = -1) {
    const i = this.at.length - 1;
    // What lasted no time is replaced, but for commands.
    if (i >= 0 && this.at[i] === at && this.state[i] !== blocked && this.state[i] !== late) {
      this.state[i] = state; this.tasks[i] = task; this.codes[i] = code;
      return;
    }
    this.at.push(at); this.state.push(state); this.tasks.push(task); this.codes.push(code); this.answers.push(-1);
  }
  split(due) {
    const i = this.at.length - 1;
    this.begin(Math.max(due, this.at[i] + 1), late, this.tasks[i], this.codes[i]);
  }
  note(text) { this.notes[this.at.length - 1] = text; }
  until(i) { return i + 1 < this.at.length ? this.at[i + 1] : this.end; }
  /// The segment at a moment, or -1.
  find(at) {
    let low = 0, high = this.at.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at[middle] <= at) low = middle + 1; else high = middle;
    }
    return at > this.end ? -1 : low - 1;
  }
}

/// Sums up numbers that stand in rows of `width`, of which those in `deltas` are later than what came before.
const unfold = (numbers, width, read) => {
  const rows = [];
  for (let i = 0; i + width <= numbers.length; i += width) rows.push(read(numbers.slice(i, i + width)));
  return rows;
};

const readRun = () => {
  let now = 0;
  const turns = unfold(run.turns, 5, ([later, slept, awake, resumed, events]) => {
    const from = now + later, woke = from + slept;
    now = woke + awake;
    return { from, woke, ended: now, resumed, events };
  });
  const crons = run.crons.map(([task, ...ticks]) => {
    let due = 0;
    return {
      task: taskOf(task),
      ticks: unfold(ticks, 4, ([later, late, number, missed]) => {
        due += later;
        return { due, at: due + late, late, number, missed };
      }),
    };
  });
  const lanes = run.conns.map(conn => new Lane(conn));
  return { turns, crons, lanes, flights: countFlights(lanes) };
};

/// How many commands that block are in flight: moments, and how many from then on.
const countFlights = lanes => {
  const changes = [];
  for (const lane of lanes) {
    lane.at.forEach((at, i) => {
      if (lane.state[i] !== blocked && lane.state[i] !== late) return;
      changes.push([at, 1], [lane.until(i), -1]);
    });
  }
  changes.sort((a, b) => a[0] - b[0]);
  const at = [], count = [];
  let flying = 0, most = 0;
  for (const [moment, change] of changes) {
    flying += change;
    if (at[at.length - 1] === moment) count[count.length - 1] = flying;
    else { at.push(moment); count.push(flying); }
  }
  for (const flying of count) most = Math.max(most, flying);
  return { at, count, most };
};

const all = readRun();
