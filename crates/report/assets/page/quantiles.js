"use strict";
// How times are distributed: the share of requests that took at most so long, its tail stretched.

charts.service = (figure) => distribution(figure, "service_ms");
charts.latency = (figure) => distribution(figure, "latency_ms");

/** Half of what is left lies in each equal step; so 99.9 % is as far from 99 % as that from 90 %. */
const stretched = (part) => -Math.log10(1 - part);

const TICKS = [0, 0.5, 0.9, 0.99, 0.999, 0.9999];

function distribution(figure, field) {
  const of = workloadOf(figure);
  const points = [...new Set(of.cells.map((cell) => pointText(cell)))];
  const at = pointChosen(figure, points);
  const cells = of.cells.filter((cell) => isOn(cell.lane) && pointText(cell) === at);
  const rows = cells.flatMap((cell) => curve(cell, field, false));
  const served = field === "latency_ms" ? cells.flatMap((cell) => curve(cell, "service_ms", true)) : [];
  const ideal = of.delay_ms > 0 ? [of.delay_ms] : [];
  const scale = scaleFor([...rows, ...served].map((row) => row.value).concat(ideal), { zero: false });
  const panels = panelsOf(of, cells).map(({ title, cells: own }) => {
    const isOwn = (row) => own.includes(row.cell);
    const parts = { rows: rows.filter(isOwn), served: served.filter(isOwn), ideal, scale };
    const label = `${figure.querySelector("h4").textContent}, ${of.name}, ${title}`;
    return { title, label, spec: (width) => curves(parts, width) };
  });
  const words = [`At ${at}, all samples together: the share of requests that took at most so long.`];
  if (ideal.length) words.push("Dashed: the delay, below which nobody can be.");
  const floor = of.bounds.find((bound) => pointText(bound) === at)?.floor.service_us;
  if (floor != null) {
    words.push(`The floor, two looks at the clock, is ${digits(floor)} µs; the ceiling keeps no such times.`);
  }
  if (served.length) {
    words.push("Thin: service time, from when it was really sent, which is what a closed loop would tell.");
  }
  return { panels, caption: words.join(" ") };
}

/** Which point the figure shows: the largest, until somebody chooses another. */
function pointChosen(figure, points) {
  let select = figure.querySelector("select");
  if (!select && points.length > 1) {
    select = document.createElement("select");
    select.setAttribute("aria-label", "Which point");
    select.append(...points.map((text) => element("option", text)));
    select.value = points[points.length - 1];
    select.addEventListener("change", () => draw(figure));
    figure.querySelector("h4").append(" ", select);
  }
  return select ? select.value : points[0];
}

function curve(cell, field, isThin) {
  return cell[field].map((value, index) => {
    const part = data.parts[index];
    const what = isThin ? "service ms" : "ms";
    const tip = { title: cell.lane, share: `${+(100 * part).toFixed(2)} %`, [what]: digits(value) };
    return Object.defineProperty(
      { lane: cell.lane, x: stretched(part), value, tip }, "cell", { value: cell });
  });
}

function curves({ rows, served, ideal, scale }, width) {
  const ink = inks();
  const look = looks(shown());
  const most = Math.max(...rows.map((row) => row.x), 1);
  const ticks = TICKS.map((part) => +stretched(part).toFixed(6)).filter((tick) => tick <= most + 0.05);
  const names = "{'0':'0','0.30103':'50 %','1':'90','2':'99','3':'99.9','4':'99.99'}";
  const x = { field: "x", type: "quantitative", scale: { domain: [0, most], nice: false },
    axis: { values: ticks, title: "share of requests", labelExpr: `${names}[toString(datum.value)]` } };
  const y = { field: "value", type: "quantitative", scale,
    axis: axisFor(scale, "ms") };
  const rule = ideal.map((delay) => ({
    data: { values: [{ value: delay }] },
    mark: { type: "rule", strokeDash: [6, 4], strokeWidth: 1.25, color: ink.ink },
    encoding: { y },
  }));
  return {
    width, height: width < 420 ? 250 : 320,
    layer: [
      ...rule,
      { data: { values: served }, mark: { type: "line", strokeWidth: 1, opacity: 0.6, clip: true },
        encoding: { x, y, color: look.colour } },
      { data: { values: rows }, mark: { type: "line", strokeWidth: 2, clip: true },
        encoding: { x, y, color: look.colour, strokeDash: look.dashes } },
      { data: { values: rows },
        mark: { type: "point", filled: true, size: 45 },
        params: [{ name: "near", select: { type: "point", on: "pointerover", clear: "pointerout",
          nearest: true } }],
        encoding: { x, y, color: look.colour, shape: look.marker, tooltip: { field: "tip" },
          opacity: { condition: { param: "near", empty: false, value: 1 }, value: 0 } } },
    ],
  };
}
