"use strict";
// Light and dark: as the system says, unless the reader says otherwise; on paper always light.

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

let isOnPaper = false;

function isDark() {
  if (isOnPaper) return false;
  return state.theme ? state.theme === "dark" : systemIsDark.matches;
}

/** Colours of all that is no lane. Parts of a request differ in lightness before all else. */
function inks() {
  return isDark()
    ? {
        ink: "#e6e6e3", quiet: "#a3a39e", grid: "#2b2b29", paper: "#111111",
        phases: ["#716a8f", "#a08fd8", "#3d454d", "#5bb6da", "#f5f7f9"],
      }
    : {
        ink: "#1d1d1b", quiet: "#6b6b66", grid: "#e9e9e4", paper: "#ffffff",
        phases: ["#bcb5d3", "#7a66b3", "#cdd5dc", "#3b93bb", "#16283c"],
      };
}

/** What all charts have in common. */
function config() {
  const { ink, quiet, grid } = inks();
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: null,
    font,
    // The figure around a chart says what it is, and the tables have its values.
    aria: false,
    view: { stroke: null },
    axis: {
      domain: false, ticks: false, grid: true, gridColor: grid, labelColor: quiet, titleColor: quiet,
      labelFontSize: 11, titleFontSize: 11, titleFontWeight: "normal", labelPadding: 6, titlePadding: 8,
      labelOverlap: "greedy", labelSeparation: 8,
    },
    axisY: { titleAngle: 0, titleAlign: "left", titleAnchor: "end", titleY: -8, titleX: 0 },
    text: { color: quiet, fontSize: 11 },
    rule: { color: ink },
  };
}

function applyTheme() {
  document.documentElement.dataset.theme = state.theme;
}
