"""Experiment: the official score of any CLIP on public benchmarks, beside what a blind scorer gets (--list)."""

from scmlab.experiments.benchmark.config import PRESETS, Config
from scmlab.experiments.benchmark.listing import listing
from scmlab.experiments.benchmark.run import announce, run, total_steps

__all__ = ["PRESETS", "Config", "announce", "listing", "run", "total_steps"]
