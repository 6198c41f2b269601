"""What a code identifies: R2 both ways, leaks by counterfactual, equivalence bounds, code statistics, MCC."""

from scmlab.identify.kernel_ridge import BlockFit, RidgeFit, RidgeGrid, fit, predict
from scmlab.identify.leak import Leak, leaks, total_effect
from scmlab.identify.r2 import Accuracy, accuracy, r2, r2_back, r2_linear

__all__ = [
    "Accuracy",
    "BlockFit",
    "Leak",
    "RidgeFit",
    "RidgeGrid",
    "accuracy",
    "fit",
    "leaks",
    "predict",
    "r2",
    "r2_back",
    "r2_linear",
    "total_effect",
]
