"use strict";
// Puts all together: the lanes' control, the theme, and when charts are drawn.

function applyLanes() {
  for (const button of document.querySelectorAll("[data-toggle]")) {
    button.setAttribute("aria-pressed", `${isOn(button.dataset.toggle)}`);
  }
  for (const shown of document.querySelectorAll("[data-lane]")) shown.hidden = !isOn(shown.dataset.lane);
}

for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => toggleLane(button.dataset.toggle));
}

document.getElementById("theme").addEventListener("click", () => {
  choose({ theme: isDark() ? "light" : "dark" });
});

// The address is what the reader has chosen, so a jump must not replace it.
for (const link of document.querySelectorAll("nav a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector(link.getAttribute("href")).scrollIntoView();
  });
}

onChange(applyTheme);
onChange(applyLanes);
onChange(redraw);
addEventListener("hashchange", readAddress);
systemIsDark.addEventListener("change", redraw);

addEventListener("beforeprint", () => {
  isOnPaper = true;
  drawAll();
});
addEventListener("afterprint", () => {
  isOnPaper = false;
  redraw();
});

readAddress();
watchWidth();
figures.forEach((figure) => sight.observe(figure));
