"use strict";
// What the reader has chosen, kept in the address, so that a link shows what its sender saw.

const data = JSON.parse(document.getElementById("data").textContent);

const state = { off: new Set(), theme: "", client: "", place: "", whole: false };

const listeners = [];

/** Calls `listener` whenever something is chosen. */
function onChange(listener) {
  listeners.push(listener);
}

/** Changes what is chosen, writes it down, and tells everybody. */
function choose(changes) {
  Object.assign(state, changes);
  const words = new URLSearchParams();
  if (state.off.size) words.set("off", [...state.off].join(","));
  for (const name of ["theme", "client", "place"]) if (state[name]) words.set(name, state[name]);
  if (state.whole) words.set("whole", "1");
  // A hash that is empty would scroll to the top.
  history.replaceState(null, "", "#" + (words.toString() || "all"));
  listeners.forEach((listener) => listener());
}

function readAddress() {
  const words = new URLSearchParams(location.hash.slice(1));
  const known = new Set(data.lanes.map((lane) => lane.id));
  const off = (words.get("off") || "").split(",").filter((id) => known.has(id));
  const theme = ["light", "dark"].find((name) => name === words.get("theme")) || "";
  const [client, place] = [words.get("client") || "", words.get("place") || ""];
  Object.assign(state, { off: new Set(off), theme, client, place, whole: words.has("whole") });
  listeners.forEach((listener) => listener());
}

/** Whether the lane is shown. */
function isOn(id) {
  return !state.off.has(id);
}

function toggleLane(id) {
  const off = new Set(state.off);
  if (!off.delete(id)) off.add(id);
  choose({ off });
}
