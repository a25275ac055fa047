"use strict";
// Every request as a bar: lanes below one another, on one time axis.

charts.timeline = (figure) => {
  const { place, client, whole } = timelineControls(figure);
  const chosen = data.timelines.filter(
    (one) => placeOf(one) === place && one.client === client && isOn(one.lane));
  const ends = chosen.map(endOf);
  const last = Math.max(...ends, 0.001);
  const second = [...ends].sort((a, b) => b - a)[1] ?? last;
  // One lane that waits for each in turn would press all others into the first tenth.
  const isCut = !whole && last > 1.5 * second;
  const end = (isCut ? second : last) * 1.02;
  const panels = chosen.map((one) => ({
    head: headOf(one, end),
    label: `${one.parts.length} parts of requests over time, ${one.lane}, ${client} client`,
    spec: (width) => bars(one, end, width),
  }));
  const delay = chosen[0] ? `Each document is ${digits(chosen[0].delay_ms)} ms away. ` : "";
  const cut = isCut ? "The axis ends with the second longest lane; the longest goes on." : "";
  return { panels, caption: `${delay}What takes less than a pixel is drawn as one. ${cut}` };
};

const placeOf = (one) => `${one.workload}, ${pointText(one)}`;

const endOf = (one) => Math.max(...one.parts.map((part) => part[3])) / 1e3;

/** Fills the controls once, and says what they stand at. */
function timelineControls(figure) {
  const control = (name) => figure.querySelector(`[name=${name}]`);
  const [place, client, whole] = ["place", "client", "whole"].map(control);
  if (!place.options.length) {
    const places = [...new Set(data.timelines.map(placeOf))];
    const clients = [...new Set(data.timelines.map((one) => one.client))];
    place.append(...places.map((text) => element("option", text)));
    client.append(...clients.map((text) => element("option", text)));
    place.addEventListener("change", () => choose({ place: place.value }));
    client.addEventListener("change", () => choose({ client: client.value }));
    whole.addEventListener("change", () => choose({ whole: whole.checked }));
  }
  const values = (select) => [...select.options].map((option) => option.value);
  for (const select of [place, client]) {
    const wanted = state[select.name];
    select.value = values(select).includes(wanted) ? wanted : values(select)[0];
  }
  whole.checked = state.whole;
  const colours = inks().phases;
  figure.querySelector(".phases").replaceChildren(...data.phases.map((name, index) => {
    const item = element("li", name);
    item.style.setProperty("--phase", colours[index]);
    return item;
  }));
  return { place: place.value, client: client.value, whole: whole.checked };
}

function headOf(one, end) {
  const head = document.createElement("h5");
  const swatch = document.querySelector(`[data-toggle="${CSS.escape(one.lane)}"] svg`);
  if (swatch) head.append(swatch.cloneNode(true));
  const ends = endOf(one);
  const threads = `parsed on ${one.threads} thread${one.threads === 1 ? "" : "s"}`;
  const on = ends > end ? ", goes on beyond the axis →" : "";
  head.append(one.lane, element("span", `${digits(ends)} ms, ${threads}${on}`));
  return head;
}

function bars(one, end, width) {
  const { phases } = inks();
  const count = 1 + Math.max(...one.parts.map((part) => part[0]));
  const rows = one.parts.map(([request, phase, from, to]) => ({
    from: from / 1e3, to: to / 1e3, top: request + 0.08, bottom: request + 0.92, phase: data.phases[phase],
    tip: { title: `request ${request + 1}: ${data.phases[phase]}`, ms: digits((to - from) / 1e3),
      from: `${digits(from / 1e3)} ms`, to: `${digits(to / 1e3)} ms` },
  })).filter((row) => row.from <= end);
  const x = { field: "from", type: "quantitative", scale: { domain: [0, end], nice: false, clamp: true },
    axis: { title: null, format: "~r", labelExpr: "datum.label + ' ms'", tickCount: width < 420 ? 4 : 8 } };
  const y = { field: "top", type: "quantitative", axis: null,
    scale: { domain: [0, count], reverse: true, nice: false, zero: true } };
  const colour = { field: "phase", type: "nominal", legend: null,
    scale: { domain: data.phases, range: phases } };
  const encoding = { x, x2: { field: "to" }, y, y2: { field: "bottom" }, tooltip: { field: "tip" } };
  return {
    width, height: Math.max(60, Math.min(400, count * (width > 1500 ? 8 : 5))) + 20,
    layer: [
      { data: { values: rows.filter((row) => row.phase === "wait") },
        mark: { type: "rect", clip: true }, encoding: { ...encoding, fill: colour } },
      // What takes microseconds would not be seen: a line around it is as wide as a pixel.
      { data: { values: rows.filter((row) => row.phase !== "wait") },
        mark: { type: "rect", clip: true, strokeWidth: 1 },
        encoding: { ...encoding, fill: colour, stroke: colour } },
    ],
  };
}
