"use strict";
// A figure of every lane, over the loads of a workload, or lane by lane where it has but one.

const METRICS = {
  wall: { field: "wall_ms", title: "ms", what: "Wall time of the job" },
  cpu: { field: "cpu_us", title: "µs", what: "CPU time of a document, user and system" },
  rss: { field: "rss_mib", title: "MiB", what: "Peak resident memory of the process" },
};

const AXES = {
  tasks: { of: (point) => point.documents, title: "documents, all asked for at once (N = C)" },
  documents: { of: (point) => point.documents, title: "documents (N)" },
  concurrency: { of: (point) => point.concurrency, title: "requests in flight (C)" },
  rate: { of: (point) => point.rate, title: "documents due in a second" },
};

for (const [kind, metric] of Object.entries(METRICS)) {
  charts[kind] = (figure) => overLoads(workloadOf(figure), kind, metric);
}

function overLoads(of, kind, metric) {
  const cells = of.cells.filter((cell) => isOn(cell.lane) && cell[metric.field]);
  const rows = cells.map((cell) => row(of, cell, kind, metric));
  const bounds = of.bounds.flatMap((bound) => boundRows(of, bound, kind, metric));
  const ideals = bounds.filter((bound) => bound.name === "ideal");
  // Both panels have one scale, and bounds that are far away do not stretch it.
  const scale = scaleFor([...rows.flatMap((row) => [row.value, row.low, row.high]),
    ...ideals.map((row) => row.value)]);
  const xs = new Set(of.bounds.map(AXES[of.axis].of));
  const panels = panelsOf(of, cells).map(({ title, cells: own }) => {
    const isOwn = (bound) => own.some((cell) => isSamePlace(cell, bound));
    const parts = { of, metric, scale, rows: rows.filter((row) => own.includes(row.cell)),
      bounds: bounds.filter(isOwn), far: [] };
    const label = `${metric.what}, ${of.name}, ${title}`;
    const spec = (width) => (xs.size > 1 ? lines(parts, width) : dots(parts, width));
    return { title, label, spec };
  });
  return { panels, caption: captionOf(of, kind, metric, scale, bounds) };
}

function row(of, cell, kind, metric) {
  const [value, low, high] = cell[metric.field];
  const slope = kind === "rss" && of.slopes.find((s) => s.lane === cell.lane && s.client === cell.client);
  const tip = {
    title: cell.lane,
    at: pointText(cell),
    [metric.title]: `${digits(value)} (${digits(low)}–${digits(high)})`,
    samples: `${cell.samples}`,
    ...(slope ? { "bytes a task": slopeText(slope) } : {}),
  };
  // The cell itself stays out of what Vega copies.
  return Object.defineProperty(
    { lane: cell.lane, x: AXES[of.axis].of(cell), value, low, high, tip, text: digits(value) },
    "cell", { value: cell });
}

function boundRows(of, bound, kind, metric) {
  const all = { floor: bound.floor[metric.field], ceiling: bound.ceiling[metric.field] };
  if (kind === "wall") all.ideal = bound.ideal_ms;
  const { documents, concurrency, rate, placement } = bound;
  return Object.entries(all).filter(([, value]) => value != null).map(([name, value]) => ({
    name, value, x: AXES[of.axis].of(bound), documents, concurrency, rate, placement,
    tip: { title: name, at: pointText(bound), [metric.title]: digits(value) },
  }));
}

/** In words what the chart is, and where bounds are that are not in it. */
function captionOf(of, kind, metric, scale, bounds) {
  const sentences = [`${metric.what}${scale.type === "log" ? ", on a logarithmic scale" : ""}.`];
  if (kind === "wall" && bounds.some((bound) => bound.name === "ideal")) {
    sentences.push("Dashed: ideal, the waits that nobody can avoid.");
  }
  for (const name of ["floor", "ceiling"]) {
    const values = bounds.filter((bound) => bound.name === name).map((bound) => bound.value);
    const outside = values.filter((value) => value < scale.domain[0] || value > scale.domain[1]);
    if (values.length && outside.length === values.length) {
      const [least, most] = [Math.min(...values), Math.max(...values)].map(digits);
      const range = least === most ? least : `${least} to ${most}`;
      const where = values[0] < scale.domain[0] ? "below" : "above";
      sentences.push(`The ${name}, ${range} ${metric.title}, lies ${where} the axis.`);
    } else if (!values.length) {
      sentences.push(`This record has no ${name} here.`);
    }
  }
  const missing = shown().filter((lane) => !of.cells.some((cell) => cell.lane === lane.id));
  if (missing.length) {
    sentences.push(`Without figures, as the table says why: ${missing.map((lane) => lane.id).join(", ")}.`);
  }
  return sentences.join(" ");
}

/** Bounds that are in sight, each with how it looks. */
function boundsInSight(bounds, { domain: [least, most] }) {
  const { ink, quiet } = inks();
  const strokes = { ideal: [6, 4], floor: [1.5, 3], ceiling: [1.5, 3] };
  return Object.entries(strokes).map(([name, strokeDash]) => {
    const values = bounds.filter((bound) => bound.name === name);
    const inside = values.filter(({ value }) => value >= least && value <= most);
    const mark = { strokeDash, strokeWidth: 1.25, color: name === "ideal" ? ink : quiet };
    return { name, values, inside, mark };
  }).filter(({ inside }) => inside.length);
}

/** How far up a value lies, from 0 to 1. */
function heightOf(value, { type, domain }) {
  const [at, least, most] = [value, ...domain].map((v) => (type === "log" ? Math.log(v) : v));
  return (at - least) / (most - least);
}

/** A text that can be read across lines. */
function words(mark, layer) {
  const behind = { stroke: inks().paper, strokeWidth: 4, strokeJoin: "round", opacity: 0.85 };
  return [behind, {}].map((halo) => ({ ...layer, mark: { type: "text", ...mark, ...halo } }));
}

function lines({ of, metric, scale, rows, bounds }, width) {
  const look = looks(shown());
  const axis = AXES[of.axis];
  const xs = [...new Set(rows.map((row) => row.x))].sort((a, b) => a - b);
  const far = xs.length > 1 && xs[xs.length - 1] / xs[0] > 20;
  const x = { field: "x", type: "quantitative",
    scale: { type: far ? "log" : "linear", domain: [xs[0], xs[xs.length - 1]] },
    axis: { values: xs, title: axis.title, grid: false, format: ",d" } };
  const y = (field) => ({ field, type: "quantitative", scale, axis: axisFor(scale, metric.title) });
  const inSight = boundsInSight(bounds, scale);
  const boundLines = inSight.map(({ values, mark }) => ({
    data: { values }, mark: { type: "line", clip: true, ...mark }, encoding: { x, y: y("value") },
  }));
  const names = inSight.flatMap(({ name, inside, mark: { color } }) => {
    // They stand apart: the ceiling's at its end, the others' at their beginnings.
    const place = name === "ceiling" ? inside[inside.length - 1] : inside[0];
    const align = place.x === xs[xs.length - 1] ? "right" : "left";
    // Lanes lie above them, so names are below, where there is room.
    const hasRoom = heightOf(place.value, scale) > 0.06;
    const beside = hasRoom ? { baseline: "top", dy: 4 } : { baseline: "bottom", dy: -4 };
    return words({ align, color, ...beside }, { data: { values: [place] },
      encoding: { x, y: y("value"), text: { value: name } } });
  });
  return {
    width, height: width < 420 ? 250 : 320,
    data: { values: rows },
    layer: [
      { mark: { type: "area", opacity: 0.16, clip: true },
        encoding: { x, y: y("low"), y2: { field: "high" }, color: look.colour } },
      ...boundLines,
      { mark: { type: "line", strokeWidth: 2, clip: true },
        encoding: { x, y: y("value"), color: look.colour, strokeDash: look.dashes } },
      { mark: { type: "point", filled: true, opacity: 1, size: 55, tooltip: { content: "data" } },
        params: [{ name: "near", select: { type: "point", on: "pointerover", clear: "pointerout",
          nearest: true } }],
        encoding: { x, y: y("value"), color: look.colour, shape: look.marker,
          size: { condition: { param: "near", empty: false, value: 130 }, value: 55 },
          tooltip: { field: "tip" } } },
      ...names,
    ],
  };
}

function dots({ metric, scale: tight, rows, bounds }, width) {
  const ink = inks();
  // Room for the value behind the greatest, beside the names of the lanes.
  const [least, most] = tight.domain;
  const room = 60 / Math.max(120, width - 150);
  const end = tight.type === "log" ? most * (most / least) ** room : most * (1 + room);
  const scale = { ...tight, domain: [least, end] };
  const lanes = shown().filter((lane) => rows.some((row) => row.lane === lane.id));
  const look = looks(lanes);
  const x = (field) => ({ field, type: "quantitative", scale, axis: axisFor(scale, metric.title) });
  const y = { field: "lane", type: "nominal", sort: lanes.map((lane) => lane.id),
    axis: { title: null, grid: false, labelColor: ink.ink, labelLimit: 170 } };
  const boundLines = boundsInSight(bounds, scale).flatMap(({ name, inside: [bound], mark }) => {
    const aside = name === "floor" ? { align: "right", dx: -3 } : { align: "left", dx: 3 };
    const data = { values: [bound] };
    return [
      { data, mark: { type: "rule", ...mark }, encoding: { x: x("value") } },
      { data, mark: { type: "text", ...aside, baseline: "bottom", y: -3, color: mark.color },
        encoding: { x: x("value"), text: { value: name } } },
    ];
  });
  return {
    width, height: 34 + 28 * lanes.length + 34, padding: { top: 18 },
    data: { values: rows },
    layer: [
      ...boundLines,
      { mark: { type: "rule", strokeWidth: 3, opacity: 0.4 },
        encoding: { x: x("low"), x2: { field: "high" }, y, color: look.colour } },
      { mark: { type: "point", filled: true, opacity: 1, size: 90 },
        encoding: { x: x("value"), y, color: look.colour, shape: look.marker,
          tooltip: { field: "tip" } } },
      { mark: { type: "text", align: "left", baseline: "middle", dx: 9 },
        encoding: { x: x("high"), y, text: { field: "text" } } },
    ],
  };
}
