// The drawing. Of the lanes only those are drawn that are seen; where several share a line of dots, one of them is.

const head = document.getElementById("head"), lanesCanvas = document.getElementById("lanes");
const AXIS = 22, FLIGHT = 40, TURNS = 26, CRON = 22, CRONS_MAX = 4;
const crons = all.crons.slice(0, CRONS_MAX);
const HEAD = AXIS + FLIGHT + TURNS + CRON * crons.length + 4;
const LETTERS = ["", "C", "H", "B", "L", "I", "?"];

let colours = {}, patterns = [];

/// Reads the colours of the page, and makes the patterns with which states can be told without them.
const paint = () => {
  const probe = document.createElement("canvas").getContext("2d");
  const read = name => {
    const element = document.createElement("i");
    element.style.color = `var(--${name})`;
    document.body.append(element);
    probe.fillStyle = getComputedStyle(element).color;
    element.remove();
    return probe.fillStyle;
  };
  const names = ["ground", "text", "quiet", "rule", "band", "mark", "connecting", "handshake", "blocked", "idle",
    "awake", "flying", "soon", "late", "later", "latest"];
  colours = Object.fromEntries(names.map(name => [name, read(name)]));
  colours.font = getComputedStyle(document.body).fontFamily;
  patterns = [null, hatch(colours.connecting, "/"), hatch(colours.handshake, "|"), colours.blocked, null,
    hatch(colours.idle, "."), hatch(colours.quiet, "x")];
};

const hatch = (colour, kind) => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = pen.fillStyle = colour;
  pen.globalAlpha = kind === "." ? 1 : 0.35;
  if (kind !== ".") pen.fillRect(0, 0, 6, 6);
  pen.globalAlpha = 1;
  pen.lineWidth = 1.4;
  pen.beginPath();
  if (kind === "/" || kind === "x") { for (const x of [-6, 0, 6]) { pen.moveTo(x, 6); pen.lineTo(x + 6, 0); } }
  if (kind === "x") { for (const x of [-6, 0, 6]) { pen.moveTo(x, 0); pen.lineTo(x + 6, 6); } }
  if (kind === "|") { pen.moveTo(1.5, 0); pen.lineTo(1.5, 6); pen.moveTo(4.5, 0); pen.lineTo(4.5, 6); }
  pen.stroke();
  if (kind === ".") { pen.fillRect(0, 2, 2, 2); }
  return pen.createPattern(tile, "repeat");
};

/// Lateness in microseconds: a colour, and how much of the height it takes, which tells it too.
const lateness = micros => {
  if (micros < 5e3) return [colours.soon, 0.4];
  if (micros < 5e4) return [colours.late, 0.6];
  if (micros < 2e5) return [colours.later, 0.8];
  return [colours.latest, 1];
};

const layOut = () => {
  view.width = rows.clientWidth;
  const dots = devicePixelRatio || 1;
  for (const [canvas, height] of [[head, HEAD], [lanesCanvas, rows.clientHeight]]) {
    canvas.style.width = `${view.width}px`;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(view.width * dots);
    canvas.height = Math.round(height * dots);
  }
  document.getElementById("space").style.height = `${Math.ceil(laneHeight() * all.lanes.length)}px`;
};

const penOf = canvas => {
  const pen = canvas.getContext("2d"), dots = devicePixelRatio || 1;
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.font = `11px ${colours.font}`;
  pen.textBaseline = "middle";
  return pen;
};

const label = (pen, text, y, height) => {
  pen.fillStyle = colours.ground;
  pen.fillRect(0, y, LABELS - 4, height);
  pen.fillStyle = colours.quiet;
  pen.textAlign = "right";
  pen.fillText(text, LABELS - 10, y + height / 2, LABELS - 14);
  pen.textAlign = "left";
};

const drawHead = () => {
  const pen = penOf(head);
  pen.save();
  pen.beginPath();
  pen.rect(LABELS, 0, across(), HEAD);
  pen.clip();
  drawAxis(pen);
  drawFlights(pen, AXIS, FLIGHT);
  drawTurns(pen, AXIS + FLIGHT + 2, TURNS - 4);
  crons.forEach((cron, i) => drawTicks(pen, cron, AXIS + FLIGHT + TURNS + CRON * i, CRON - 2));
  pen.restore();
  label(pen, "in flight", AXIS, FLIGHT);
  label(pen, "turns", AXIS + FLIGHT, TURNS);
  crons.forEach((cron, i) => label(pen, `cron ${cron.task?.name ?? ""}`, AXIS + FLIGHT + TURNS + CRON * i, CRON));
};

/// A round distance of time with room for its label.
const gridStep = () => {
  const least = (view.to - view.from) / across() * 90;
  const ten = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map(by => by * ten).find(step => step >= least);
};
const grid = draw => {
  const step = gridStep();
  for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) draw(Math.round(toX(at)) + 0.5, at, step);
};
const drawAxis = pen => {
  pen.fillStyle = colours.band;
  pen.fillRect(0, 0, view.width, AXIS);
  grid((x, at, step) => {
    pen.fillStyle = colours.rule;
    pen.fillRect(x - 0.5, 0, 1, HEAD);
    pen.fillStyle = colours.quiet;
    pen.fillText(clock(at, step), x + 4, AXIS / 2);
  });
};

const drawFlights = (pen, y, height) => {
  const { at, count, most } = all.flights;
  if (!most) return;
  const up = count => y + height - 2 - (height - 6) * count / most;
  pen.fillStyle = colours.flying;
  pen.beginPath();
  pen.moveTo(toX(at[0]), up(0));
  let i = 0, x = -1, flying = 0;
  for (; i < at.length; i++) {
    const next = toX(at[i]);
    if (next > LABELS + across() + 1) break;
    // One step for each dot.
    if (next - x >= 0.5) { pen.lineTo(next, up(flying)); pen.lineTo(next, up(count[i])); x = next; }
    flying = count[i];
  }
  pen.lineTo(i < at.length ? view.width : Math.max(x, LABELS), up(flying));
  pen.lineTo(i < at.length ? view.width : Math.max(x, LABELS), up(0));
  pen.fill();
  pen.fillStyle = colours.text;
  pen.fillText(`${most.toLocaleString("en")} at most`, Math.max(LABELS, toX(at[0])) + 6, y + height / 2);
};

const drawTurns = (pen, y, height) => {
  pen.fillStyle = colours.rule;
  pen.fillRect(LABELS, y + height - 1, across(), 1);
  pen.fillStyle = colours.awake;
  let drawn = -1;
  for (const turn of all.turns) {
    const from = toX(turn.woke), to = toX(turn.ended);
    if (to < LABELS || Math.max(to, from + 1) - drawn < 0.5) continue;
    if (from > view.width) break;
    pen.fillRect(from, y, Math.max(to - from, 1), height - 1);
    drawn = Math.max(to, from + 1);
  }
};

const drawTicks = (pen, cron, y, height) => {
  for (const tick of cron.ticks) {
    const due = toX(tick.due), at = toX(tick.at);
    if (at < LABELS - 10 || due > view.width) continue;
    const [colour, part] = lateness(tick.late);
    pen.strokeStyle = colours.quiet;
    pen.strokeRect(Math.round(due) - 0.5, y + 2.5, 1, height - 5);
    pen.fillStyle = colour;
    pen.fillRect(due, y + height / 2 - 1.5, Math.max(at - due, 1), 3);
    pen.beginPath();
    pen.arc(at, y + height / 2, 2 + 4 * part, 0, 7);
    pen.fill();
  }
};

const drawLanes = () => {
  const pen = penOf(lanesCanvas);
  const height = laneHeight(), top = rows.scrollTop, bottom = rows.clientHeight;
  grid(x => { pen.fillStyle = colours.rule; pen.globalAlpha = 0.5; pen.fillRect(x - 0.5, 0, 1, bottom); pen.globalAlpha = 1; });
  let drawn = 0;
  if (height >= 1) {
    for (let lane = Math.floor(top / height); lane < all.lanes.length && lane * height < top + bottom; lane++) {
      drawLane(pen, lane, lane * height - top, height);
      drawn++;
    }
  } else {
    for (let y = 0; y < bottom; y++) {
      const lane = Math.floor((top + y) / height);
      if (lane >= all.lanes.length) break;
      drawLane(pen, lane, y, 1);
      drawn++;
    }
  }
  return drawn;
};

const drawLane = (pen, index, y, height) => {
  const lane = all.lanes[index], gap = height > 4 ? 1 : 0, wide = view.width;
  if (index === view.marked) {
    pen.fillStyle = colours.mark;
    pen.fillRect(0, y, wide, Math.max(height, 2));
  }
  let drawn = LABELS;
  for (let i = Math.max(0, lane.find(view.from)); i < lane.at.length; i++) {
    const from = Math.max(toX(lane.at[i]), LABELS), to = Math.min(toX(lane.until(i)), wide);
    if (from > wide) break;
    const answer = lane.answers[i] >= 0;
    if (lane.state[i] === none || to < LABELS || (to - drawn < 0.5 && !answer)) continue;
    segment(pen, lane, i, from, Math.max(to, from + (lane.state[i] === idle ? 0 : 1)), y + gap, Math.max(height - 2 * gap, 1));
    drawn = Math.max(drawn, to);
  }
  if (index === view.marked) {
    pen.strokeStyle = colours.text;
    pen.strokeRect(0.5, y + 0.5, wide - 1, Math.max(height - 1, 2));
  }
  if (height >= 11) {
    pen.fillStyle = index === view.marked ? colours.text : colours.quiet;
    pen.textAlign = "right";
    pen.fillText(lane.label, LABELS - 10, y + height / 2, LABELS - 14);
    pen.textAlign = "left";
  }
};

const segment = (pen, lane, i, from, to, y, height) => {
  const state = lane.state[i];
  if (state === late) {
    const [colour, part] = lateness(lane.until(i) - lane.at[i]);
    pen.fillStyle = colours.blocked;
    pen.fillRect(from, y, to - from, height);
    pen.fillStyle = colour;
    const high = Math.max(height * part, 1);
    pen.fillRect(from, y + height - high, Math.max(to - from, 2), high);
  } else if (state === idle) {
    pen.fillStyle = height > 5 ? patterns[idle] : colours.idle;
    pen.globalAlpha = height > 5 ? 1 : 0.35;
    pen.fillRect(from, y + height * 0.3, to - from, Math.max(height * 0.4, 1));
    pen.globalAlpha = 1;
  } else {
    pen.fillStyle = height > 2 ? patterns[state] : colours[STATES[state]] ?? colours.quiet;
    pen.fillRect(from, y, to - from, height);
  }
  const failed = lane.answers[i] === CODE.error || lane.notes[i];
  if (lane.answers[i] >= 0 && height > 4) {
    pen.fillStyle = failed ? colours.latest : colours.text;
    pen.fillRect(to - 1.5, y, 1.5, height);
  }
  if (height >= 11 && to - from > 14) {
    // On a pattern a letter needs a ground.
    if (state !== blocked && state !== late) {
      pen.fillStyle = colours.ground;
      pen.fillRect(from + 2, y + 1, failed ? 13 : 11, height - 2);
    }
    pen.fillStyle = colours.text;
    pen.fillText(failed ? `${LETTERS[state]}!` : LETTERS[state], from + 4, y + height / 2 + 0.5);
  }
};
