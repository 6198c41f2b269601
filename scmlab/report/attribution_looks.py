"""Colour and mark of each word class, the same on every page."""

from scmlab.report.style import BLUE, GREEN, VERMILLION

LOOKS = {"object": (VERMILLION, "o"), "attribute": (BLUE, "s"), "relation": (GREEN, "D"), "other": ("#c4c4c4", "X")}
