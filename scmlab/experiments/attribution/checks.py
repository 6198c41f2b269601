"""Whether each attribution loss lowers what it was made to lower. The control is plain fine-tuning, as long."""

from collections.abc import Sequence

from scmlab.experiments.attribution.config import Config
from scmlab.experiments.summary import number


def checks(config: Config, methods: Sequence[dict]) -> list[dict]:
    """One entry per expectation: setting, control, name, expected, measured, held. A missing value holds none.

    A loss whose hinge is 0 with every seed, after plain fine-tuning and with the loss, has nothing to show: no entry.

    methods   entries with model, method, seed, excess and hinge.
    """
    found = []
    for method in config.methods:
        of = {
            model: {e["seed"]: number(e["hinge"]) for e in methods if (e["model"], e["method"]) == (model, method)}
            for model in ("start", "plain", f"cae_{method}")
        }
        tuned, plain = of[f"cae_{method}"], of["plain"]
        below = [tuned[seed] < plain[seed] for seed in config.seeds]
        nothing = [tuned[seed] == plain[seed] == 0 for seed in config.seeds]  # to lower
        if all(nothing):
            continue
        means = [sum(values.values()) / len(values) for values in of.values()]
        words = f"{means[0]:.3g} before, {means[1]:.3g} plain, {means[2]:.3g} with the loss"
        seeds = f"; {sum(below)} of {len(below)} seeds below, {sum(nothing)} with nothing to lower"
        found.append(
            {
                "setting": f"cae_{method}",
                "control": None,
                "name": "own hinge",
                "expected": "max(0, mean A_obj - mean A_comp), by the loss's own method, with every seed below that of "
                "plain fine-tuning, or 0 in both",
                "measured": words + seeds,
                "held": all(one or other for one, other in zip(below, nothing, strict=True)),
            }
        )
    return found
