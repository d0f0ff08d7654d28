// What is seen of it: from when to when, how high a lane is, which lane is marked. The hands of the reader change it.

const picture = document.getElementById("picture");
const rows = document.getElementById("rows");
const LABELS = 92;
const HEIGHTS = [0, 1, 2, 4, 7, 11, 16, 22, 30];
const NARROWEST = 50;

const view = { from: 0, to: 1, height: 0, marked: -1, width: 0 };
const span = Math.max(run.span, 1);

const across = () => Math.max(view.width - LABELS, 1);
const toX = at => LABELS + (at - view.from) / (view.to - view.from) * across();
const toTime = x => view.from + (x - LABELS) / across() * (view.to - view.from);
/// How high a lane is in fact; 0 stands for as high as lets all be seen.
const laneHeight = () => view.height || Math.min(16, rows.clientHeight / Math.max(all.lanes.length, 1));
const laneAt = y => {
  const lane = Math.floor((y + rows.scrollTop) / laneHeight());
  return lane >= 0 && lane < all.lanes.length ? lane : -1;
};

const look = (from, to) => {
  const width = Math.min(Math.max(to - from, NARROWEST), span * 1.02);
  const middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - width / 2, -span * 0.01), span * 1.01 - width);
  view.to = view.from + width;
  redraw();
};
const lookAtAll = () => look(-span * 0.01, span * 1.01);
const zoom = (factor, x = LABELS + across() / 2) => {
  const at = toTime(x);
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
};
const pan = part => { const by = (view.to - view.from) * part; look(view.from + by, view.to + by); };
const scroll = lines => { rows.scrollTop += lines; redraw(); };

/// Makes lanes higher or lower, and keeps the one in the middle there.
const grow = by => {
  const now = laneHeight();
  const middle = (rows.scrollTop + rows.clientHeight / 2) / now;
  const steps = HEIGHTS.filter(height => height === 0 || height > rows.clientHeight / all.lanes.length);
  let next = by > 0 ? steps.find(height => height > now) : steps.filter(height => height < now).pop();
  next ??= by > 0 ? HEIGHTS[HEIGHTS.length - 1] : 0;
  view.height = next;
  layOut();
  rows.scrollTop = middle * laneHeight() - rows.clientHeight / 2;
  redraw();
};

const showLane = lane => {
  if (laneHeight() < 11) { view.height = 16; layOut(); }
  rows.scrollTop = lane * laneHeight() - rows.clientHeight / 2;
  view.marked = lane;
  redraw();
};

const actions = {
  in: () => zoom(1 / 1.5), out: () => zoom(1.5), all: lookAtAll, lower: () => grow(-1), higher: () => grow(1),
};
const keys = {
  "+": actions.in, "=": actions.in, "-": actions.out, "−": actions.out, 0: lookAtAll, "[": actions.lower, "]": actions.higher,
  ArrowLeft: () => pan(-0.15), ArrowRight: () => pan(0.15),
  ArrowUp: () => scroll(-3 * Math.max(laneHeight(), 8)), ArrowDown: () => scroll(3 * Math.max(laneHeight(), 8)),
  PageUp: () => scroll(-rows.clientHeight * 0.9), PageDown: () => scroll(rows.clientHeight * 0.9),
  Home: () => look(-span * 0.01, view.to - view.from - span * 0.01),
  End: () => look(span * 1.01 - (view.to - view.from), span * 1.01),
};

const listen = () => {
  for (const button of document.querySelectorAll("[data-do]")) button.onclick = () => actions[button.dataset.do]();
  picture.onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  };
  picture.addEventListener("wheel", event => {
    event.preventDefault();
    if (event.shiftKey) return scroll(event.deltaY || event.deltaX);
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return pan(event.deltaX / across());
    zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY * 0.002))), xOf(event));
  }, { passive: false });
  rows.onscroll = redraw;
  listenToFingers();
};
const xOf = event => event.clientX - picture.getBoundingClientRect().left;

/// One finger, or the mouse, drags; two pinch.
const listenToFingers = () => {
  const fingers = new Map();
  const pinch = () => {
    const [one, other] = [...fingers.values()];
    return { x: (one.x + other.x) / 2, apart: Math.max(Math.abs(one.x - other.x), 20) };
  };
  picture.onpointerdown = event => {
    // The scroll bar is the browser's.
    if (xOf(event) > view.width) return;
    fingers.set(event.pointerId, { x: xOf(event), y: event.clientY });
    picture.setPointerCapture(event.pointerId);
    picture.classList.add("moves");
  };
  picture.onpointermove = event => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return point(event);
    const before = fingers.size === 2 ? pinch() : null;
    const [dx, dy] = [xOf(event) - finger.x, event.clientY - finger.y];
    finger.x += dx; finger.y += dy;
    if (before) {
      const after = pinch();
      zoom(before.apart / after.apart, after.x);
      pan((before.x - after.x) / across());
    } else if (fingers.size === 1) {
      rows.scrollTop -= dy;
      pan(-dx / across());
    }
    point(null);
  };
  picture.onpointerup = picture.onpointercancel = event => {
    fingers.delete(event.pointerId);
    if (!fingers.size) picture.classList.remove("moves");
  };
  picture.onpointerleave = () => point(null);
};
