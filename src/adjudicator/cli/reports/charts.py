"""Charts of the report as figures of Plotly: plain data that the library draws in the browser.

The script of the library is written once beside the pages, so a report needs no network. Amounts are fen; a chart shows
yuan and is the only place where they become floating-point numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = "plotly.min.js"
COLOURS = ("#2f6f8f", "#d08c32", "#7a5c99", "#4f8a4b")
LESS, MORE = "#4f8a4b", "#b5504b"
"""Of persons who pay less and more."""
_FALLS, _RISES = "#2f6f8f", "#d08c32"
FEN = 100
_ROW, _EDGE = 26, 70
"""Pixels of a bar, and of what is around the bars."""
_HEIGHT = 340


class Series(NamedTuple):
    """One row of values; ``fen`` says whether they are amounts or counts."""

    name: str
    values: Sequence[int]
    colour: str = ""
    fen: bool = True


def bars(title: str, names: Sequence[str], series: Sequence[Series]) -> dict[str, Any]:
    """Return a chart of horizontal bars, the first name on top; one series is coloured by its sign."""
    data = []
    for place, one in enumerate(series):
        data.append(
            {"type": "bar", "orientation": "h", "name": one.name, "y": list(names), "x": _shown(one),
             "marker": {"color": _colour(one, place, len(series))}, "hovertemplate": _hover(one, "x", "y")}
        )  # fmt: skip
    layout = _layout(title, _EDGE + 40 + _ROW * len(names) * (1 if len(series) == 1 else 2))
    layout["yaxis"] = {"autorange": "reversed", "automargin": True, "type": "category"}
    layout["xaxis"] = {"zeroline": True, "tickformat": ",.3~s" if series[0].fen else ",d"}
    return {"data": data, "layout": layout}


def columns(title: str, names: Sequence[str], series: Sequence[Series]) -> dict[str, Any]:
    """Return a chart of upright bars, such as one a month."""
    data = [
        {"type": "bar", "name": one.name, "x": list(names), "y": _shown(one),
         "marker": {"color": _colour(one, place, len(series))}, "hovertemplate": _hover(one, "y", "x")}
        for place, one in enumerate(series)
    ]  # fmt: skip
    layout = _layout(title, _HEIGHT)
    layout["xaxis"] = {"type": "category", "automargin": True}
    layout["yaxis"] = {"zeroline": True, "tickformat": ",.3~s" if series[0].fen else ",d", "automargin": True}
    return {"data": data, "layout": layout}


class Line(NamedTuple):
    """One curve: amounts in fen over amounts in fen, drawn in the colour of its group."""

    name: str
    over_fen: Sequence[int]
    fen: Sequence[int]
    group: int


def lines(title: str, curves: Sequence[Line], axes: tuple[str, str]) -> dict[str, Any]:
    """Return a chart of shares in percent over amounts, whose magnitudes are as far apart as their digits."""
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    grouped = len({one.group for one in curves}) > 1
    data = []
    for place, one in enumerate(curves):
        earlier = sum(other.group == one.group for other in curves[:place])
        colour, dash = (one.group, earlier) if grouped else (place, place // len(COLOURS))
        data.append(
            {"type": "scatter", "mode": "lines", "name": one.name, "x": [int(fen) / FEN for fen in one.over_fen],
             "y": [round(100 * int(fen) / int(over), 3) for fen, over in zip(one.fen, one.over_fen, strict=True)],
             "line": {"color": COLOURS[colour % len(COLOURS)], "dash": dashes[dash % len(dashes)], "width": 2},
             "hovertemplate": f"{one.name}<br>%{{x:,.2f}}: %{{y:.2f}} %<extra></extra>"}
        )  # fmt: skip
    layout = _layout(title, _HEIGHT + 100 + 8 * len(curves))
    layout["xaxis"] = {"type": "log", "title": {"text": axes[0]}, "automargin": True, "tickformat": ",d"}
    layout["yaxis"] = {"title": {"text": axes[1]}, "range": [0, 105], "automargin": True}
    layout["legend"]["y"] = -0.25
    return {"data": data, "layout": layout}


def _colour(series: Series, place: int, count: int) -> str | list[str]:
    """Return the colour of a series, or of each bar by its sign where it is the only one."""
    if count > 1 or series.colour:
        return series.colour or COLOURS[place % len(COLOURS)]
    return [_FALLS if value < 0 else _RISES for value in series.values]


def _shown(series: Series) -> list[float] | list[int]:
    return [value / FEN for value in series.values] if series.fen else list(series.values)


def _hover(series: Series, value: str, name: str) -> str:
    form = ",.2f" if series.fen else ",d"
    return f"%{{{name}}}<br>{series.name}: %{{{value}:{form}}}<extra></extra>"


def _layout(title: str, height: int) -> dict[str, Any]:
    return {
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 16}}, "height": height, "barmode": "group",
        "margin": {"l": 60, "r": 20, "t": 44, "b": 60}, "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)", "legend": {"orientation": "h", "y": -0.12, "yanchor": "top"},
    }  # fmt: skip


def write_script(folder: Path) -> None:
    """Write the script of the library into a folder. Errors: ImportError where the package is not installed."""
    from plotly.offline import get_plotlyjs

    (folder / SCRIPT).write_text(get_plotlyjs(), "utf-8")
