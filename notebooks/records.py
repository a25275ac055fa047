"""Records as data frames: what the notebooks share, and nothing else.

A record is the folder that a run leaves. `plan.json` says what was to be measured,
`environment.json` where, `samples.jsonl` has one line a sample, `inspections.jsonl` one for each
look into a process. In a published record the long ones are compressed. Nothing else is read: what
a notebook says, it says from these files alone.

    record = records.find({"all-at-once": 3})
    counted = record.samples().filter("counts")

The fields are those of `crates/harness/src/sample.rs` and `crates/harness/src/inspect/`.
"""

import base64
import gzip
import json
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import polars as pl
import vl_convert
from scipy import stats

#: Where published records are.
PUBLISHED = Path(__file__).resolve().parent.parent / "benches" / "record"

#: Names a folder of your own, to look at in place of a published one.
VARIABLE = "COMPARE_RECORD"

#: One value for each cell: samples that agree in these measure the same.
CELL = ["workload", "documents", "concurrency", "rate", "client", "placement", "lane"]


@dataclass(frozen=True)
class Record:
    """One record, whose long files are read when they are asked for."""

    folder: Path
    plan: dict
    environment: dict

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """The record in `folder`."""
        plan, environment = (
            json.loads((folder / name).read_text()) for name in ["plan.json", "environment.json"]
        )
        return cls(folder, plan, environment)

    def points(self, workload: str) -> int:
        """At how many numbers of documents `workload` was to run."""
        cells = self.plan["cells"]
        own = [cell for cell in cells if cell["workload"] == workload and not cell["not_run"]]
        return len({cell["documents"] for cell in own})

    def workload(self, name: str) -> dict:
        """What the plan says of a workload."""
        return next(workload for workload in self.plan["workloads"] if workload["name"] == name)

    def lanes(self) -> list[str]:
        """The lanes in the order of the tables, without those that are one under another name."""
        return [lane["id"] for lane in self.plan["lanes"] if "variant" not in lane]

    def samples(self) -> pl.DataFrame:
        """Every sample; `counts` where it is neither a warm-up nor void, nor one of a cell that is.

        A cell of whose samples more than a third are void is void itself: what is left of them was
        selected by the disturbance.

        Wall and CPU time are the job's, `rss_bytes` is the process' peak, and service times stay a
        list of `[nanoseconds, count]`.
        """
        raw = _whole_cells(self._lines("samples", VOID))
        job, usage = pl.col("job").struct, pl.col("job").struct.field("usage").struct
        cpu_us = usage.field("user_us") + usage.field("system_us")
        samples = raw.select(
            "number",
            "round",
            "warmup",
            *CELL,
            gate=pl.col("void").struct.field("gate"),
            why=pl.col("void").struct.field("why"),
            wall_ms=job.field("wall_ns") / 1e6,
            cpu_us_per_document=cpu_us / pl.col("documents"),
            rss_bytes=job.field("rss_bytes_peak"),
            service_times_ns=job.field("service_times_ns"),
            in_flight_peak=pl.col("origin").struct.field("in_flight_peak"),
        )
        is_void = pl.col("gate").is_not_null()
        void_part = is_void.filter(~pl.col("warmup")).mean().over(CELL)
        return samples.with_columns(counts=~pl.col("warmup") & ~is_void & (void_part <= 1 / 3))

    def inspections(self) -> pl.DataFrame | None:
        """Every look at memory that counts; `None` where nobody has looked."""
        if not self._path("inspections"):
            return None
        raw = _whole_cells(self._lines("inspections", {}))
        if "memory" not in raw.columns:
            return None
        seen = raw.filter(pl.col("memory").is_not_null() & pl.col("void").is_null())
        memory = seen.select(*CELL, "memory").unnest("memory")
        return memory.unnest("machine", separator="_")

    def title(self) -> str:
        """What it is, in one line."""
        environment = self.environment
        virtual = " (virtual)" if environment["virtual_machine"] else ""
        return (
            f"{self.folder.name}: {environment['processors']} × {environment['cpu_model']}{virtual}, "
            f"{environment['kernel']}, {environment['build']['rustc']}, {environment['started']}"
        )

    def _path(self, name: str) -> Path | None:
        files = [self.folder / f"{name}.jsonl", self.folder / f"{name}.jsonl.gz"]
        return next((file for file in files if file.exists()), None)

    def _lines(self, name: str, types: dict) -> pl.DataFrame:
        path = self._path(name)
        opened = gzip.open(path) if path.suffix == ".gz" else open(path, "rb")
        with opened as file:
            # The last line of a run that was killed may have no end.
            whole = file.read()
            text = whole[: whole.rfind(b"\n") + 1]
        return pl.read_ndjson(text, infer_schema_length=None, schema_overrides=types)


#: Where nothing is void, its type cannot be seen.
VOID = {"void": pl.Struct({"gate": pl.String, "why": pl.String})}


def _whole_cells(lines: pl.DataFrame) -> pl.DataFrame:
    """A cell says its rate only in an open loop, and its placement only where it is pinned."""
    absent = {"rate": pl.lit(None, pl.Int64), "placement": pl.lit(None, pl.String)}
    missing = [value.alias(name) for name, value in absent.items() if name not in lines.columns]
    return lines.with_columns(missing).with_columns(pl.col("placement").fill_null("unpinned"))


def find(points: dict[str, int], *, inspected: bool = False) -> Record:
    """The newest published record that has each workload at so many numbers of documents, or more.

    With `inspected`, one whose processes were looked into goes before any other. The environment
    variable `COMPARE_RECORD` names a folder to look at in place of all.
    """
    own = os.environ.get(VARIABLE)
    folders = [Path(own)] if own else [path.parent for path in PUBLISHED.glob("*/plan.json")]

    def has_all(record: Record) -> bool:
        return all(record.points(workload) >= least for workload, least in points.items())

    def order(record: Record) -> tuple[bool, str]:
        return inspected and record._path("inspections") is not None, record.environment["started"]

    found = [record for record in map(Record.read, folders) if has_all(record)]
    if not found:
        asked = ", ".join(f"{workload} at {least}" for workload, least in points.items())
        raise FileNotFoundError(
            f"no record in {own or PUBLISHED} has {asked} points; {VARIABLE} names the folder of another"
        )
    return max(found, key=order)


def median(values: pl.Series) -> dict:
    """The median of a column, and where it lies with 95 % confidence.

    The ends of the interval are values themselves: how many lie below a median is a matter of tossing
    a coin. Of fewer than six values nothing bounds it.
    """
    values = values.drop_nulls()
    low, high = (None, None)
    if len(values) >= 6:
        low, high = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    return {"median": values.median(), "low": low, "high": high, "samples": len(values)}


def slope(n: pl.Series, y: pl.Series) -> dict:
    """How much y grows with each n: the median of the slopes between all pairs of points with
    different n (Theil 1950; Sen 1968), its 95 % interval, and where the line begins."""
    if y.n_unique() == 1:
        return {"slope": 0.0, "low": 0.0, "high": 0.0, "begins": y[0]}
    line = stats.theilslopes(y, n, alpha=0.95)
    low, high = line.low_slope, line.high_slope
    return {"slope": line.slope, "low": low, "high": high, "begins": line.intercept}


def medians(samples: pl.DataFrame, by: list[str], column: str) -> pl.DataFrame:
    """The `median` of a column for each group of samples, in the order in which they come."""
    groups = samples.group_by(by, maintain_order=True)
    rows = [dict(zip(by, key)) | median(group[column]) for key, group in groups]
    return pl.DataFrame(rows, infer_schema_length=None)


# How a lane looks: colour, dashes, shape. The same as in `crates/report/src/palette.rs`.
LOOKS = {
    "blocking/sequential": ("#6a6a6a", [1, 0], "cross"),
    "blocking/pool": ("#e69f00", [1, 0], "square"),
    "blocking/threads": ("#d55e00", [1, 0], "triangle-up"),
    "stackful/may": ("#009e73", [1, 0], "diamond"),
    "stackful/hub": ("#35b5a6", [6, 3], "circle"),
    "stackful/hub-slab": ("#9ea3ff", [2, 2], "triangle-left"),
    "stackful/hub-per-core": ("#5454c0", [10, 2], "arrow"),
    "stackful/patched": ("#c30d1f", [6, 3], "wedge"),
    "stackless/tokio": ("#3b7dd8", [1, 0], "triangle-down"),
    "stackless/tokio-local": ("#a8589f", [8, 3, 2, 3], "triangle-right"),
}

#: A lane that somebody has added.
OTHER = ("#7a5195", [4, 2], "square")


def looks(lanes: list[str]) -> dict:
    """Encodings that give each of these lanes its colour, dashes and shape, and one legend."""
    colours, dashes, shapes = zip(*(LOOKS.get(lane, OTHER) for lane in lanes), strict=True)
    legend = alt.Legend(title=None, symbolOpacity=1, symbolSize=70, symbolStrokeWidth=2)

    def encoding(channel, values):
        scale = alt.Scale(domain=lanes, range=list(values))
        return channel("lane:N", scale=scale, legend=legend)

    return {
        "color": encoding(alt.Color, colours),
        "strokeDash": encoding(alt.StrokeDash, dashes),
        "shape": encoding(alt.Shape, shapes),
    }


@alt.theme.register("records", enable=True)
def _theme() -> dict:
    axis = {
        "gridColor": "#e8e8e8",
        "domainColor": "#999",
        "tickColor": "#999",
        "titleFontWeight": "normal",
    }
    title = {"anchor": "start", "fontSize": 13, "fontWeight": "bold", "offset": 12}
    return {"config": {"axis": axis, "title": title, "view": {"stroke": None}}}


def as_images() -> None:
    """Makes charts images in the notebook itself, which show without a network; tables whole."""
    pl.Config(
        tbl_rows=30,
        tbl_cols=12,
        tbl_width_chars=150,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        fmt_str_lengths=100,
    )
    alt.renderers.register("images", _image)
    alt.renderers.enable("images")
    alt.data_transformers.disable_max_rows()


def _image(spec: dict) -> dict:
    png = vl_convert.vegalite_to_png(spec, ppi=110)
    return {"image/png": base64.b64encode(_deflated(png)).decode()}


def _deflated(png: bytes) -> bytes:
    """The same image in a third of the bytes: it was compressed in haste, and is to be kept."""
    start, pixels, end = [png[:8]], b"", []
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, chunk = png[at + 4 : at + 8], png[at : at + 12 + length]
        if kind == b"IDAT":
            pixels += chunk[8:-4]
        else:
            (end if pixels else start).append(chunk)
        at += len(chunk)
    data = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
    whole = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return b"".join([*start, whole, *end])
