// Puts it together. What is drawn is drawn once for each frame, however often it changes.

let waits = false;
const redraw = () => {
  if (waits) return;
  waits = true;
  requestAnimationFrame(() => { waits = false; draw(); });
};
const draw = () => {
  drawHead();
  const drawn = drawLanes();
  const says = `From ${lasting(Math.max(view.from, 0))} to ${lasting(Math.min(view.to, span))}; ${many(drawn, "lane")} drawn of ${many(all.lanes.length, "lane")}.`;
  document.getElementById("says").textContent = says;
  // For who tests it.
  Object.assign(picture.dataset, { from: Math.round(view.from), to: Math.round(view.to), drawn, lanes: all.lanes.length, marked: view.marked, top: rows.scrollTop });
};

const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const theme = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
const showTheme = () => {
  button.textContent = theme() === "dark" ? "Light" : "Dark";
  paint();
  showLegend();
  redraw();
};
button.onclick = () => {
  document.documentElement.dataset.theme = theme() === "dark" ? "light" : "dark";
  showTheme();
};
system.onchange = showTheme;

showFigures();
layOut();
showTheme();
listen();
listenToSearch();
new ResizeObserver(() => { layOut(); redraw(); }).observe(rows);
lookAtAll();
draw();
requestAnimationFrame(() => setTimeout(() => { picture.dataset.painted = Math.round(performance.now()); }));
