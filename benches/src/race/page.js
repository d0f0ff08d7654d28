// Without this the page follows the system's theme; with it, the reader may change it.
const root = document.documentElement;
const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const theme = () => root.dataset.theme || (system.matches ? "dark" : "light");
const other = () => (theme() === "dark" ? "light" : "dark");
const show = () => { button.textContent = other() === "dark" ? "Dark" : "Light"; };
button.onclick = () => { root.dataset.theme = other(); show(); };
system.onchange = show;
button.hidden = false;
show();
