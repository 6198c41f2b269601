"""What each setting and control is expected to show, and whether it did."""

from collections.abc import Callable

import torch

from scmlab.experiments.identifiability.config import Config
from scmlab.experiments.identifiability.plan import Job
from scmlab.identify import equivalence

EXACT_R2 = 0.999  # of the closed-form optimum: what the regressor itself loses is below one part in a thousand
EXACT_LEAK = 1e-12  # of the closed-form optimum in float64: squared rounding errors, far below any leak
EXACT_MAP = 1e-9  # of codes in (0, 1) in float64, through mixings and their inverses
ESTIMATOR_SDS = 4.0  # one estimate in 16,000 of an exact optimum falls outside, by the normal law
COLLAPSE = 1e-3  # codes that keep less than this share of the variance of codes trained with negatives

Results = dict[str, dict]


def checks(config: Config, jobs: list[Job], results: Results) -> list[dict]:
    """One entry per expectation: setting, control, name, expected, measured, held."""
    found = []
    for job in jobs:
        make = CONTROLS.get(job.control) if job.control else _darmois if job.train is None else _identified
        for name, expected, measured, held in make(config, job, results) if make else ():
            entry = {"setting": job.setting, "control": job.control, "name": name}
            found.append(entry | {"expected": expected, "measured": measured, "held": bool(held)})
    return found


Outcome = tuple[str, str, str, bool]


def _identified(config: Config, job: Job, results: Results) -> list[Outcome]:
    rows = results[job.name]["rows"]
    kept, pure = _worst(rows, "r2", "z_inv"), _worst(rows, "r2_back", "z_inv")
    worst = max(_means(rows, "leak").items(), key=lambda item: _number(item[1]))
    outcomes = [
        ("kept", f"r2(z_inv) >= {config.kept:g} on both sides", f"{kept:.4f} on the worse side", kept >= config.kept),
        ("pure", f"r2_back >= {config.pure:g} on both sides", f"{pure:.4f} on the worse side", pure >= config.pure),
        (
            "leak",
            f"every block's leak <= {config.leak:g}",
            f"{worst[1]:.4f}, the largest ({worst[0][1]}, {worst[0][0]})",
            worst[1] <= config.leak,
        ),
        _equivalent(config, rows),
    ]
    if any(row["accuracy"] is not None for row in rows):
        accuracy = _worst(rows, "accuracy", "z_inv")
        expected = f"whole scenes decoded with accuracy >= {config.accuracy:g}"
        outcomes.append(("decoded", expected, f"{accuracy:.4f} on the worse side", accuracy >= config.accuracy))
    return outcomes


def _equivalent(config: Config, rows: list[dict]) -> Outcome:
    leaks = [row for row in rows if row["block"] != "z_inv"]
    values = torch.tensor([[_number(row[key]) for row in leaks] for key in ("leak", "leak_se")], dtype=torch.float64)
    test = equivalence(values[0], values[1], config.leak)
    expected = f"each leak of each seed shown to be below {config.leak:g} (one-sided tests, Holm, level {test.level:g})"
    measured = (
        f"{int(test.below.sum())} of {len(leaks)}; largest simultaneous upper bound {test.upper.max().item():.4f}"
    )
    return "equivalent to no leak", expected, measured, test.held


def _darmois(config: Config, job: Job, results: Results) -> list[Outcome]:
    result = results[job.name]
    rows = result["rows"]
    kept, pure = _worst(rows, "r2", "z_inv"), _worst(rows, "r2_back", "z_inv")
    leak = max(row["leak"] for row in rows if row["block"] != "z_inv")
    aligned, mapped = (max(e[key] for e in result["estimates"]) for key in ("alignment", "from_known_map"))
    apart = max(abs(e["estimated"] - e["uniform"]) / e["uniform_sd"] for e in result["estimates"])
    regressed = [
        ("kept", f"r2(z_inv) >= {EXACT_R2}", f"{kept:.5f} on the worse side", kept >= EXACT_R2),
        ("pure", f"r2_back >= {EXACT_R2}", f"{pure:.5f} on the worse side", pure >= EXACT_R2),
    ]
    # a mixture's transform is too steep between its modes for kernel ridge at these sample sizes
    return [
        *(regressed if job.scm.density == "normal" else []),
        (
            "known map",
            f"the code is the known invertible function of z_inv, up to rounding (<= {EXACT_MAP:g})",
            f"{mapped:.1e}, the largest difference",
            mapped <= EXACT_MAP,
        ),
        ("leak", f"0 up to rounding (<= {EXACT_LEAK:g})", f"{leak:.1e}, the largest", leak <= EXACT_LEAK),
        (
            "loss",
            f"L_MMAlign 0: codes aligned to rounding, and its estimate within {ESTIMATOR_SDS:g} standard deviations "
            "of the estimator's value on uniform samples",
            f"alignment {aligned:.1e}; estimate {apart:.2f} standard deviations away, the largest",
            aligned <= EXACT_LEAK and apart <= ESTIMATOR_SDS,
        ),
    ]


def _leaks_into(prefix: str) -> Callable[[Config, Job, Results], list[Outcome]]:
    def outcome(config: Config, job: Job, results: Results) -> list[Outcome]:
        leaks = [
            v for (side, block), v in _means(results[job.name]["rows"], "leak").items() if block.startswith(prefix)
        ]
        expected = f"fails: leak of {prefix} > {config.leak:g} on both sides, since it is now shared content"
        return [("content leaks", expected, f"{min(leaks):.4f} on the smaller side", min(leaks) > config.leak)]

    return outcome


def _not_kept(reason: str, sides: tuple[str, ...]) -> Callable[[Config, Job, Results], list[Outcome]]:
    def outcome(config: Config, job: Job, results: Results) -> list[Outcome]:
        means = _means(results[job.name]["rows"], "r2")
        kept = max(means[side, "z_inv"] for side in sides)
        where = "on both sides" if len(sides) == 2 else f"on the {sides[0]} side"
        expected = f"fails: r2(z_inv) < {config.kept:g} {where}, since {reason}"
        return [("not kept", expected, f"{kept:.4f}", kept < config.kept)]

    return outcome


def _dropped(config: Config, job: Job, results: Results) -> list[Outcome]:
    rows = [row for row in results[job.name]["rows"] if row["block"] == "z_inv" and row["side"] == "image"]
    dropped = sum(row["r2_dropped"] for row in rows) / len(rows)
    kept = _not_kept("a coordinate of z_inv does not enter the image", ("image",))(config, job, results)
    expected = "fails there: r2 of the dropped coordinate below r2 of the whole z_inv"
    whole = sum(row["r2"] for row in rows) / len(rows)
    return [*kept, ("the dropped coordinate", expected, f"{dropped:.4f} below {whole:.4f}", dropped < whole)]


def _too_small(config: Config, job: Job, results: Results) -> list[Outcome]:
    d, out = config.dim, job.image.out
    linear = max(v for (_, block), v in _means(results[job.name]["rows"], "r2_linear").items() if block == "z_inv")
    reason = f"{out} dimensions cannot hold {d}"
    # d uncorrelated coordinates of variance 1, projected on the span of the code's `out` coordinates
    bound = out / d + 3 * (2 / config.points) ** 0.5
    expected = f"linear r2(z_inv) <= {out}/{d} plus three standard errors, by projection"
    outcomes = _not_kept(reason, ("image", "text"))(config, job, results)
    if config.density == "mixture" or config.covariance == "wishart":
        return outcomes  # coordinates are correlated: the projection bound does not apply
    return [*outcomes, ("linear bound", expected, f"{linear:.4f} <= {bound:.4f}", linear <= bound)]


def _collapsed(config: Config, job: Job, results: Results) -> list[Outcome]:
    def variance(name: str) -> float:
        values = [code["variance"] for code in results[name]["codes"]]
        return sum(values) / len(values)

    share = variance(job.name) / variance(job.setting)
    expected = f"fails: variance of the codes below {COLLAPSE:g} of that with negatives (R2 is blind to it)"
    return [("collapse", expected, f"{share:.1e}", share < COLLAPSE)]


CONTROLS: dict[str, Callable[[Config, Job, Results], list[Outcome]]] = {
    "shared_private": _leaks_into("z_pr"),
    "dp_equal": _leaks_into("z_dp"),
    "dropped_inv": _dropped,
    "corrupted_inv": _not_kept("the text sees z_inv with noise", ("text",)),
    "encoder_too_small": _too_small,
    "no_negatives": _collapsed,
}
"""Controls that carry an expectation; the others are measured without one."""


def _means(rows: list[dict], key: str) -> dict[tuple[str, str], float]:
    """(side, block) -> mean over seeds; a missing value makes the mean nan, which holds no expectation."""
    grouped: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if (row["block"] == "z_inv") != (key == "leak"):
            grouped.setdefault((row["side"], row["block"]), []).append(_number(row[key]))
    return {where: sum(values) / len(values) for where, values in grouped.items()}


def _worst(rows: list[dict], key: str, block: str) -> float:
    """The smaller of the two sides' means."""
    return min((v for (_, b), v in _means(rows, key).items() if b == block), key=lambda v: (v == v, v))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
