"""Training of ensembles of encoders."""

from scmlab.training.loop import Trained, TrainingDiverged, train
from scmlab.training.members import Member, Pair, build_pair, draw_pairs, member
from scmlab.training.spec import TrainSpec

__all__ = ["Member", "Pair", "TrainSpec", "Trained", "TrainingDiverged", "build_pair", "draw_pairs", "member", "train"]
