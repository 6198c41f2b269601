"""What a code identifies: R2 both ways, leaks by counterfactual, equivalence bounds, code statistics, MCC."""

from scmlab.identify.codes import CodeStatistics, code_statistics, effective_rank, total_variance
from scmlab.identify.equivalence import Equivalence, equivalence
from scmlab.identify.kernel_ridge import DEFAULT_GRID, BlockFit, RidgeFit, RidgeGrid, fit, predict
from scmlab.identify.leak import Leak, leaks, total_effect
from scmlab.identify.mcc import Match, aligned, mcc
from scmlab.identify.r2 import Accuracy, accuracy, r2, r2_back, r2_linear

__all__ = [
    "DEFAULT_GRID",
    "Accuracy",
    "BlockFit",
    "CodeStatistics",
    "Equivalence",
    "Leak",
    "Match",
    "RidgeFit",
    "RidgeGrid",
    "accuracy",
    "aligned",
    "code_statistics",
    "effective_rank",
    "equivalence",
    "fit",
    "leaks",
    "mcc",
    "predict",
    "r2",
    "r2_back",
    "r2_linear",
    "total_effect",
    "total_variance",
]
