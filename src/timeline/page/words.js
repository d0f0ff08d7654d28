// The page around the picture: figures, legend, what the mouse points at, search.

const hover = document.getElementById("hover");

/// A time in words: micros may be none, or many seconds.
const lasting = micros => {
  if (micros >= 1e6) return `${(micros / 1e6).toFixed(3)} s`;
  if (micros >= 1e3) return `${(micros / 1e3).toFixed(micros >= 1e5 ? 0 : 2)} ms`;
  return `${Math.round(micros)} µs`;
};
/// A point in time, as exact as the distance to the next one needs.
const clock = (at, step) => {
  if (step >= 1e6) return `${Math.round(at / 1e6)} s`;
  if (step >= 1e3) return `${(at / 1e6).toFixed(step >= 1e5 ? 1 : step >= 1e4 ? 2 : 3)} s`;
  return `${(at / 1e3).toFixed(step >= 100 ? 1 : step >= 10 ? 2 : 3)} ms`;
};
const many = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;

const element = (name, text, ...children) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
};

const showFigures = () => {
  const totals = run.totals;
  const share = 100 * totals.awake / Math.max(run.span, 1);
  const figures = [
    ["took", lasting(run.span), ""],
    ["connections", totals.connections.toLocaleString("en"), `${totals.inFlight.toLocaleString("en")} in flight at once`],
    ["answered", (totals.nil + totals.values + totals.errors).toLocaleString("en"),
      `${totals.nil.toLocaleString("en")} nil, ${totals.values.toLocaleString("en")} with something, ${many(totals.errors, "error")}`],
    ["tasks", totals.tasks.toLocaleString("en"), totals.failed ? `${totals.failed} failed` : "none failed"],
    ["the hub was awake", `${share.toFixed(share < 1 ? 2 : 1)} %`, `${lasting(totals.awake)} in ${many(totals.turns, "turn")}`],
    ["cron", many(totals.ticks, "tick"), totals.ticks ? `latest ${lasting(totals.tickLate)}, ${totals.missed} missed` : ""],
    ["nil came late by", lasting(totals.lateHalf), `the median; the worst by ${lasting(totals.lateMax)}`],
  ];
  document.getElementById("figures").append(...figures.map(([name, figure, more]) =>
    element("div", undefined, element("dt", name), element("dd", figure, element("br"), element("small", more)))));
  if (run.dropped) {
    const [count, from, to] = run.dropped;
    const told = document.getElementById("dropped");
    told.hidden = false;
    told.textContent = `${many(count, "mark")} between ${lasting(from)} and ${lasting(to)} were dropped, because the record was full. ` +
      "The figures count them; the picture cannot show them.";
  }
};

const LEGEND = [
  [connecting, "C: connecting, from the dial until the connection may be used; too short to be seen where the command left with the connect"],
  [handshake, "H: handshake, or a PING that proves that the server is there"],
  [blocked, "B: a command is with the server, and its task waits"],
  [late, "L: the timeout has passed, and nil has not come yet: the higher and redder, the later"],
  [idle, "I: connected, and nobody needs it"],
  [unknown, "?: not known, since the record was full"],
];
const showLegend = () => {
  const entries = LEGEND.map(([state, text]) => {
    const sample = element("canvas");
    sample.width = 46; sample.height = 16;
    const lane = { state: [state], at: [0], until: () => 1e5, answers: [-1], notes: [] };
    const pen = sample.getContext("2d");
    pen.font = `11px ${colours.font}`;
    pen.textBaseline = "middle";
    segment(pen, lane, 0, 0, 46, 0, 16);
    return element("div", undefined, sample, element("span", text));
  });
  const words = [
    "In flight: how many commands that block are with servers at that moment.",
    "A dark line at the end of a command is its answer; it is red, with a “!”, where that is an error.",
    "Turns: a bar while the hub works. In between it sleeps, whatever number of tasks waits.",
    "Cron: a line when a tick was due, a dot when it ran: the larger and redder, the later.",
    "Late means: green below 5 ms, yellow below 50 ms, orange below 200 ms, red from there.",
    "What is narrower than a line is to be seen after zooming in.",
    "A task is named by its place in the hub's table and a number that tells it from those who had the place before: 5.7. All are counted, those of an embedded server too.",
  ].map(text => element("div", undefined, element("span", text)));
  document.getElementById("legend").replaceChildren(...entries, ...words);
};

/// What stands at a place of the picture: a heading, and lines.
const whatIsAt = (x, y) => {
  const at = toTime(x), near = (view.to - view.from) / across() * 6;
  if (x < LABELS && y < HEAD) return null;
  if (y < AXIS + FLIGHT) {
    const i = all.flights.at.findLastIndex(moment => moment <= at);
    return [`${many(i < 0 ? 0 : all.flights.count[i], "command")} in flight`, `at ${lasting(Math.max(at, 0))}`];
  }
  if (y < AXIS + FLIGHT + TURNS) return turnAt(at, near);
  if (y < HEAD) return tickAt(crons[Math.floor((y - AXIS - FLIGHT - TURNS) / CRON)], at, near);
  const lane = laneAt(y - HEAD);
  return lane < 0 ? null : segmentAt(all.lanes[lane], at);
};
const turnAt = (at, near) => {
  const turn = all.turns.find(turn => turn.ended >= at - near);
  if (!turn) return null;
  if (turn.woke <= at + near) {
    return [`a turn of ${lasting(turn.ended - turn.woke)}`, `at ${lasting(turn.woke)}`, `${many(turn.events, "event")}, ${many(turn.resumed, "resumption")}`];
  }
  return ["the hub sleeps", `from ${lasting(turn.from)}, for ${lasting(turn.woke - turn.from)}`];
};
const tickAt = (cron, at, near) => {
  const tick = cron?.ticks.find(tick => Math.abs(tick.at - at) < 2 * near || Math.abs(tick.due - at) < 2 * near);
  if (!tick) return cron ? [`cron, task ${cron.task?.name}`, cron.task?.place ?? ""] : null;
  return [`tick ${tick.number}, ${lasting(tick.late)} late`, `due at ${lasting(tick.due)}, ran at ${lasting(tick.at)}`,
    tick.missed ? `${tick.missed} missed before the next` : "none missed"];
};
const segmentAt = (lane, at) => {
  const i = lane.find(at);
  if (i < 0 || lane.state[i] === none) return [lane.label, lane.to, lane.notes[i] ?? ""];
  const lines = [`from ${lasting(lane.at[i])}, for ${lasting(lane.until(i) - lane.at[i])}`];
  const task = lane.tasks[i] >= 0 ? taskOf(lane.tasks[i]) : null;
  const command = lane.codes[i] >= 0 ? ` ${sendOf(lane.codes[i]).command}` : "";
  if (task) lines.push(`task ${task.name}${task.place ? `, spawned at ${task.place}` : ""}`);
  else if (command) lines.push("for no task: the library asks itself");
  if (lane.answers[i] >= 0) lines.push(`answered: ${ANSWERS[run.codes[lane.answers[i]]]}`);
  if (lane.notes[i]) lines.push(lane.notes[i]);
  if (task?.reason) lines.push(`the task failed: ${task.reason}`);
  return [`${lane.label}: ${STATES[lane.state[i]]}${command}`, ...lines, lane.to && `to ${lane.to}`];
};

const point = event => {
  const box = picture.getBoundingClientRect();
  const [x, y] = event ? [event.clientX - box.left, event.clientY - box.top] : [-1, -1];
  const what = event && whatIsAt(x, y);
  hover.hidden = !what;
  if (!what) return;
  const [heading, ...lines] = what;
  hover.replaceChildren(element("b", heading), ...lines.filter(Boolean).map(line => element("div", line)));
  hover.style.left = `${Math.max(0, Math.min(x + 14, box.width - hover.offsetWidth - 4))}px`;
  hover.style.top = `${y + 18 + hover.offsetHeight < box.height ? y + 18 : Math.max(0, y - hover.offsetHeight - 10)}px`;
};

/// The lanes of a task, found by its name, or by the first part of it.
const findTask = text => {
  const wanted = text.trim().replace(/^task\s*/i, "");
  if (!/^\d+(\.\d+)?$/.test(wanted)) return [];
  const numbers = new Set();
  for (let number = 0; 4 * number < run.tasks.length; number++) {
    const task = taskOf(number);
    if (task && (task.name === wanted || String(task.index) === wanted)) numbers.add(number);
  }
  const lanes = [];
  all.lanes.forEach((lane, i) => { if (lane.tasks.some(task => numbers.has(task))) lanes.push(i); });
  return lanes;
};
const search = document.getElementById("search"), found = document.getElementById("found");
const listenToSearch = () => {
  let shown = 0;
  const show = next => {
    const lanes = findTask(search.value);
    if (!search.value.trim() || !lanes.length) {
      found.textContent = search.value.trim() ? "no lane has had this task" : "";
      view.marked = -1;
      return redraw();
    }
    shown = next ? (shown + 1) % lanes.length : 0;
    found.textContent = all.lanes[lanes[shown]].label + (lanes.length > 1 ? ` (${shown + 1} of ${lanes.length}: Enter for the next)` : "");
    showLane(lanes[shown]);
  };
  search.oninput = () => show(false);
  search.onkeydown = event => { if (event.key === "Enter") show(true); };
};
