import random
from collections.abc import Callable
from typing import Any

import pytest

SIDES = {
    "image": ("z_inv", "z_dp_img", "z_pr_img"),
    "text": ("z_inv", "z_dp_tex", "z_pr_tex"),
}
TOKENS = {"image": SIDES["image"], "text": ("z_inv", "z_1", "z_2", "z_3", "z_4")}
R2 = {  # what z_inv's R2, the largest leak, the code's variance and rank are made up to be: (setting, control)
    ("sentence", None): (0.982, 0.011, 0.9, 2.9),
    ("tokens", None): (0.979, 0.009, 1.1, 2.8),
    ("discrete", None): (0.985, 0.004, 0.8, 2.4),
    ("darmois", None): (1.0, 0.0, 0.25, 3.0),
    ("sentence", "shared_private"): (0.71, 0.36, 0.9, 2.9),
    ("sentence", "dp_equal"): (0.64, 0.31, 0.9, 2.9),
    ("sentence", "dropped_inv"): (0.67, 0.02, 0.7, 2.0),
    ("sentence", "encoder_too_small"): (0.655, 0.012, 0.6, 1.97),
    ("sentence", "no_negatives"): (0.42, 0.22, 1e-6, 1.02),
    ("sentence", "encoder_too_large"): (0.984, 0.03, 1.3, 3.4),
    ("sentence", "encoder_too_large_within"): (0.987, 0.41, 2.1, 5.6),
}
MEASURES = ("r2", "r2_linear", "r2_back", "leak", "oracle", "r2_permuted", "accuracy", "leak_total")


def fabricated(seeds: int = 3) -> dict[str, Any]:
    """A record with all settings, controls and lists; every number is made up, the same for the same seeds."""
    draw = random.Random(0)
    record: dict[str, Any] = {
        "experiment": "identifiability",
        "id": "ab12cd34",
        "config": {"preset": "quick", "seeds": list(range(seeds)), "sentence": {"n_inv": 3, "mixing": {"kind": "mlp"}}},
        "versions": {"scmlab": "0.1.0", "torch": "2.6.0", "python": "3.11.2"},
        "machine": "a machine with 2 cores",
        "device": "cpu",
        "date": "2026-01-02T03:04:05",
        "wall_seconds": 210.3,
        "rows": [],
        "by_seed": [],
        "codes": [],
        "training": [],
        "histories": [],
        "scatter": [],
        "checks": [],
        "structural_equations": {
            "sentence": "z_inv = u_inv\nz_dp_img = a(z_inv) + u_dp_img",
            "sentence.dp_equal": "z_dp_tex = z_dp_img",
        },
    }
    for (setting, control), numbers in R2.items():
        _measure(record, setting, control, *numbers, seeds=seeds, draw=draw)
        if setting != "darmois":
            _train(record, setting, control, seeds=seeds, draw=draw)
        if control is None:
            for side in SIDES:
                z_inv = [[draw.gauss(0, 1) for _ in range(3)] for _ in range(60)]
                code = [[a + 0.3 * b, b - 0.2 * c**2, c + draw.gauss(0, 0.1)] for a, b, c in z_inv]
                record["scatter"].append(
                    {"setting": setting, "control": None, "side": side, "seed": 0, "z_inv": z_inv, "code": code}
                )
        name = "z_inv is kept and nothing leaks" if control is None else "the break shows"
        record["checks"].append(
            {
                "setting": setting,
                "control": control,
                "name": name,
                "expected": "R2 above 0.97, leak below 0.03" if control is None else "R2 below 0.9 or leak above 0.1",
                "measured": f"R2 {numbers[0]}, leak {numbers[1]}",
                "held": control != "encoder_too_large",
            }
        )
    return record


def _measure(record, setting, control, kept, leak, variance, rank, *, seeds, draw) -> None:
    for side, blocks in (TOKENS if setting == "tokens" else SIDES).items():
        for block in blocks:
            inv, private = block == "z_inv", "_pr_" in block
            centre = {
                "r2": kept if inv else leak * 0.8 - 0.01 if private else 0.55,
                "r2_linear": kept - 0.2 if inv else 0.3,
                "r2_back": kept if inv else None,
                "leak": None if inv else leak if "_dp_" in block or block == "z_1" else leak / 3,
                "oracle": 1.0 if inv else 0.0 if private else 0.56,
                "r2_permuted": kept - 0.01 if inv else 0.02,
                "leak_total": 1.5 * leak if inv else None,
                "accuracy": 0.991 if inv and setting == "discrete" else None,
            }
            place = {"setting": setting, "control": control, "side": side, "block": block}
            wobble = 0.0 if setting == "darmois" else 0.004 if control is None else 0.03
            drawn = [
                {key: None if centre[key] is None else centre[key] + draw.gauss(0, wobble) for key in MEASURES}
                for _ in range(seeds)
            ]
            record["by_seed"] += [{**place, **values, "seed": seed} for seed, values in enumerate(drawn)]
            row = {**place, "seeds": seeds}
            for key in MEASURES:
                row[key] = None if centre[key] is None else sum(values[key] for values in drawn) / seeds
                row[f"{key}_sd"] = None if centre[key] is None or seeds < 2 else wobble
            record["rows"].append(row)
        record["codes"].append(
            {
                "setting": setting,
                "control": control,
                "side": side,
                "variance": variance,
                "variance_sd": None if seeds < 2 else variance * (0.1 if control is None else 0.6),
                "effective_rank": rank,
                "effective_rank_sd": None if seeds < 2 else 0.05,
                "dimensions": {"encoder_too_small": 2, "no_negatives": 3}.get(
                    control, 6 if "large" in str(control) else 3
                ),
            }
        )


def _train(record, setting, control, *, seeds, draw) -> None:
    loss_name = "alignment (squared distance)" if control == "no_negatives" else "InfoNCE (nats)"
    for seed in range(seeds):
        steps = list(range(0, 3000, 30))
        last = 0.02 if control is None else 0.3
        gap = [last + 4 * 2.718 ** (-step / 300) + draw.gauss(0, last / 5) for step in steps]
        place = {"setting": setting, "control": control, "seed": seed}
        record["histories"].append({**place, "step": steps, "gap": gap})
        run = {"steps": 3000, "batch": 1024, "seconds": 12.5, "loss": 1.2 + gap[-1], "floor": 1.2, "gap": gap[-1]}
        record["training"].append({**place, **run, "loss_name": loss_name})


@pytest.fixture
def record() -> dict[str, Any]:
    """The fabricated record with three seeds, free to be changed by a test."""
    return fabricated()


@pytest.fixture
def make_record() -> Callable[..., dict[str, Any]]:
    """make_record(seeds=3): the fabricated record."""
    return fabricated
