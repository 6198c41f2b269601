"""The look that all figures share: sizes for a page 1000 pixels wide, colours safe for colour-blind readers."""

import io
import textwrap
from typing import Any

from matplotlib import rc_context
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

WIDTH = 10.0  # inches; at 100 pixels per inch the fonts below have the size of the page's text
DPI = 150  # of the saved image

# Okabe and Ito (2008), without the yellow that vanishes on white
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, BLACK, GREY = "#E69F00", "#56B4E9", "#000000", "#767676"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)))

RECOVERED, LEAKED = BLUE, VERMILLION  # what should be high, what should be low
SIDE_MARKERS = {"image": "o", "text": "s"}

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "text.parse_math": False,  # names come from records
    "figure.facecolor": "white",
}


def styled() -> Any:
    """A context, or a decorator of a figure function, under which artists take the shared look."""
    return rc_context(_RC)


def blank(height: float) -> Figure:
    """An empty figure of the page's width that arranges its own margins."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def nothing(sentence: str) -> Figure:
    """A low figure that says why there is nothing to draw."""
    figure = blank(0.8)
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=GREY)
    return figure


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most `width` characters."""
    return textwrap.fill(text, width, break_on_hyphens=False)


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """Ticks of a log axis from `low` to `high`: at most six decades, or 1, 2, 5 where it spans less than two."""
    short = high / low < 100
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if short else (1,), numticks=12 if short else 6))
    axis.set_major_formatter(lambda value, _: f"{value:g}" if 0.001 <= value <= 1000 else _power(value))
    axis.set_minor_formatter(NullFormatter())


def _power(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if mantissa == "1" else f"{mantissa}·{power}"


def png(figure: Figure) -> bytes:
    """The figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()
