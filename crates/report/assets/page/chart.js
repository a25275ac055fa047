"use strict";
// Figures: panels side by side, each a view, drawn when they come into sight.

/** By kind: `(figure) => ({ panels: [{ title, label, spec }], caption })`. */
const charts = {};

const laneOf = new Map(data.lanes.map((lane) => [lane.id, lane]));

const shown = () => data.lanes.filter((lane) => isOn(lane.id));

const workloadOf = (figure) => data.workloads.find((of) => of.name === figure.dataset.workload);

/** Three digits that mean something, as in the tables. */
function digits(value) {
  if (value == null) return "-";
  if (Math.abs(value) < 9.995) return value.toFixed(2);
  if (Math.abs(value) < 99.95) return value.toFixed(1);
  return Math.round(value).toLocaleString("en-US");
}

/** Draws a figure anew. */
function draw(figure) {
  figure.dataset.stale = "";
  const { panels, caption } = charts[figure.dataset.chart](figure);
  const captions = figure.querySelector(".caption");
  if (captions) captions.textContent = caption || "";
  const place = figure.querySelector(".panels");
  place.style.setProperty("--panels", panels.length);
  for (const view of figure.views || []) view.finalize();
  // All panels first: their width is known once all are there.
  const spots = panels.map((panel) => spot(panel));
  place.replaceChildren(...spots.map((spot) => spot.whole));
  figure.views = panels.map((panel, index) => {
    const { inner } = spots[index];
    const spec = panel.spec(Math.max(200, Math.floor(inner.clientWidth)));
    return view(inner, { description: panel.label || panel.title, ...spec });
  });
}

function spot({ title, head }) {
  const whole = document.createElement("div");
  whole.className = "panel";
  if (head) whole.append(head);
  else if (title) whole.append(element("h5", title));
  // Vega gives it its role, and the description as its label.
  const inner = document.createElement("div");
  inner.className = "view";
  whole.append(inner);
  return { whole, inner };
}

function view(place, spec) {
  const whole = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    autosize: { type: "fit", contains: "padding" },
    ...spec,
    config: config(),
  };
  const compiled = vegaLite.compile(whole).spec;
  const made = new vega.View(vega.parse(compiled), { renderer: "svg", hover: true });
  return made.tooltip(showTooltip).initialize(place).run();
}

const figures = [...document.querySelectorAll("figure[data-chart]")];

const inSight = new Set();

const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
      if (isIntersecting && target.dataset.stale) draw(target);
    }
  },
  { rootMargin: "400px 0px" },
);

/** Whatever is drawn is out of date: what is in sight is drawn now, the rest when it comes there. */
function redraw() {
  for (const figure of figures) figure.dataset.stale = "yes";
  inSight.forEach((figure) => draw(figure));
}

/** For paper, and for whoever wants all of it now. */
function drawAll() {
  figures.forEach((figure) => draw(figure));
}

/** Draws anew when the page has become wider or narrower; a phone's bars change only the height. */
function watchWidth() {
  let width = innerWidth;
  let waiting = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(redraw);
  });
}

// Scales.

/** From the least to the most of `values`; logarithmic where most is far more than least. */
function scaleFor(values, { zero = true, far = 30 } = {}) {
  const known = values.filter((value) => value != null && Number.isFinite(value));
  const most = Math.max(...known, 1e-9);
  const positive = known.filter((value) => value > 0);
  const least = Math.min(...positive, most);
  if (most / least > far) {
    return { type: "log", domain: [least / 1.5, most * 1.25] };
  }
  const room = zero ? 0 : (most - least) * 0.08 || most * 0.05;
  return { type: "linear", domain: [zero ? 0 : Math.max(0, least - room), most * 1.04], zero };
}

/** The axis of such a scale: on a logarithmic one only 1, 2 and 5 of each power of ten. */
function axisFor({ type, domain }, title) {
  if (type !== "log") return { title, tickCount: 5, format: ",~r" };
  const [first, last] = domain.map((value) => Math.log10(value));
  const powers = [];
  for (let power = Math.floor(first); power <= Math.ceil(last); power++) powers.push(power);
  const steps = last - first > 2.5 ? [1] : [1, 2, 5];
  const all = powers.flatMap((power) => steps.map((step) => step * 10 ** power));
  return { title, values: all.filter((v) => v >= domain[0] && v <= domain[1]), format: ",~r" };
}

/** Encodings that make a lane look the same everywhere. */
function looks(lanes) {
  const domain = lanes.map((lane) => lane.id);
  const scale = (of) => ({ domain, range: lanes.map(of) });
  const field = { field: "lane", type: "nominal", legend: null };
  const dashes = (lane) => (lane.dashes.length ? lane.dashes : [1, 0]);
  return {
    colour: { ...field, scale: scale((lane) => lane.colour) },
    dashes: { ...field, scale: scale(dashes) },
    marker: { ...field, scale: scale((lane) => lane.marker) },
  };
}

/** Cells by what is drawn apart: client, placement, and whatever else differs beside the axis. */
function panelsOf(of, cells) {
  const fixed = { tasks: () => "", documents: (c) => `C=${c.concurrency}`, rate: (c) => `C=${c.concurrency}`,
    concurrency: (c) => `N=${c.documents.toLocaleString("en-US")}` }[of.axis];
  const differs = (text) => new Set(cells.map(text)).size > 1;
  const [placements, fixes] = [differs((cell) => cell.placement), differs(fixed)];
  const panels = new Map();
  for (const cell of cells) {
    const words = [`${cell.client} client`];
    if (placements) words.push(cell.placement);
    if (fixes) words.push(fixed(cell));
    const title = words.join(", ");
    if (!panels.has(title)) panels.set(title, []);
    panels.get(title).push(cell);
  }
  return [...panels].map(([title, cells]) => ({ title, cells }));
}

const isSamePlace = (a, b) =>
  a.documents === b.documents && a.concurrency === b.concurrency && a.rate === b.rate &&
  a.placement === b.placement;

/** N, C and rate, as in the tables. */
function pointText({ documents, concurrency, rate }) {
  const text = (value) => value.toLocaleString("en-US");
  const words = [`N=${text(documents)}`, `C=${text(concurrency)}`];
  if (rate != null) words.push(`${text(rate)}/s`);
  return words.join(" ");
}
