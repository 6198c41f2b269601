"""Experiment: contrastive learning recovers z_inv and nothing else, and fails when an assumption is broken."""

from scmlab.experiments.identifiability.config import PRESETS, Config
from scmlab.experiments.identifiability.run import run, total_steps

__all__ = ["PRESETS", "Config", "run", "total_steps"]
