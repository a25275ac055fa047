"use strict";
// What one more task holds, with its interval.

function slopeText({ bytes, low, high }) {
  const text = (value) => Math.round(value).toLocaleString("en-US");
  return low == null ? text(bytes) : `${text(bytes)} (${text(low)}–${text(high)})`;
}

charts.slopes = (figure) => {
  const of = workloadOf(figure);
  const rows = of.slopes.filter((slope) => isOn(slope.lane)).map((slope) => ({
    lane: slope.lane, client: slope.client, value: slope.bytes,
    low: slope.low ?? slope.bytes, high: slope.high ?? slope.bytes, text: digits(slope.bytes),
    tip: { title: slope.lane, "bytes a task": slopeText(slope), "from MiB": digits(slope.intercept_mib) },
  }));
  const scale = scaleFor(rows.flatMap((row) => [row.value, row.low, row.high]), { far: 60 });
  const bounds = Object.entries(of.slope_bounds).filter(([, value]) => value != null)
    .map(([name, value]) => ({ name, value: Math.max(value, scale.domain[0]) }));
  const clients = [...new Set(rows.map((row) => row.client))];
  const metric = { title: "bytes" };
  const panels = clients.map((client) => ({
    title: `${client} client`,
    label: `Bytes a task, ${of.name}, ${client} client`,
    spec: (width) => dots({ metric, scale, bounds,
      rows: rows.filter((row) => row.client === client) }, width),
  }));
  const caption = "The slope of peak memory over tasks, with its 95 % interval: what one more waiting " +
    "task holds resident, whatever the process took before.";
  return { panels, caption };
};
