"""What is measured of one member: kept, pure, leaks, and the literature's numbers for comparison."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from scmlab import identify
from scmlab.scm import SCM, Noise, Sample, World, cast, numeric, own_noise, push, sides, stream
from scmlab.scm import noise as draw_noise

Encode = Callable[[Tensor], Tensor]
SCATTER = 300  # points kept for the figure of code against latent


@dataclass(frozen=True)
class Subject:
    """One member as evaluated: its SCM, world, seed and encoders by side (observations (n, ...) -> codes (n, k)).

    read: an invertible map of the codes through which regressions read them. double: the SCM is pushed in float64
    (for encoders that are exact).
    """

    scm: SCM
    world: World
    seed: int
    encode: Mapping[str, Encode]
    read: Encode = torch.positive
    double: bool = False


@dataclass(frozen=True)
class Sizes:
    """Pairs for the regressions and for the leaks."""

    points: int
    leak_points: int


@torch.no_grad()
def measure(member: Subject, sizes: Sizes) -> dict[str, list[dict]]:
    """Rows per side and block, statistics of the codes per side, and points for the scatter figure."""
    dtype = torch.float64 if member.double else torch.float32
    world = cast(member.world, dtype)
    device = next(iter(world.values())).device
    generator = stream(member.seed, "evaluate", device=device)

    def draw(n: int) -> Noise:
        return cast(draw_noise(member.scm, n, generator=generator), dtype)

    noise, leak_noise, fresh = draw(sizes.points), draw(sizes.leak_points), draw(sizes.leak_points)
    sample = push(member.scm, world, noise)
    order = torch.randperm(sizes.points, generator=generator, device=device)
    rows, codes, scatter = [], [], []
    for side, blocks in sides(member.scm).items():
        view = _View(member, world, side, blocks)
        code = view.code(sample)
        rows += _rows(view, code, sample, order, noise)
        for row, leak in zip(rows[-len(blocks) :], _leaks(view, leak_noise, fresh), strict=True):
            row |= leak
        statistics = identify.code_statistics(code.double())
        codes.append(
            {"side": side, "dimensions": code.shape[1], "variance": statistics.total_variance}
            | {"effective_rank": statistics.effective_rank}
        )
        z_inv = numeric(member.scm, "z_inv", sample.latents["z_inv"])
        scatter.append({"side": side, "z_inv": z_inv[:SCATTER].tolist(), "code": code[:SCATTER].tolist()})
    found = {"rows": rows, "codes": codes, "scatter": scatter}
    return {name: [{"seed": member.seed, **entry} for entry in entries] for name, entries in found.items()}


@dataclass(frozen=True)
class _View:
    """One side of a member."""

    member: Subject
    world: World
    side: str
    blocks: tuple[str, ...]

    def code(self, sample: Sample) -> Tensor:
        return self.member.encode[self.side](getattr(sample, self.side))

    def targets(self, sample: Sample) -> dict[str, Tensor]:
        return {name: numeric(self.member.scm, name, sample.latents[name]) for name in self.blocks}


def _rows(view: _View, code: Tensor, sample: Sample, order: Tensor, noise: Noise) -> list[dict]:
    targets, read = view.targets(sample), view.member.read(code)
    z_inv = targets["z_inv"]
    others = {name: block for name, block in targets.items() if name != "z_inv"}
    kept, linear = identify.r2(read, targets), identify.r2_linear(read, targets)
    oracle = identify.r2(z_inv, others) if others else {}
    permuted = _permuted(view, sample, order, noise)
    rows = [
        {"side": view.side, "block": name, "r2": kept[name], "r2_linear": linear[name], "r2_back": None}
        | {"oracle": oracle.get(name), "r2_permuted": permuted.get(name), "accuracy": None}
        for name in view.blocks
    ]
    rows[0]["r2_back"] = identify.r2_back(z_inv, code)
    labels = sample.latents["z_inv"]
    if not labels.is_floating_point():
        rows[0]["accuracy"] = identify.accuracy(read, labels).all_slots
    dropped = getattr(view.member.scm, "dropped", 0)
    if dropped:
        parts = {"r2_dropped": z_inv[:, -dropped:], "r2_not_dropped": z_inv[:, :-dropped]}
        rows[0] |= identify.r2(read, parts)
    return rows


def _permuted(view: _View, sample: Sample, order: Tensor, noise: Noise) -> dict[str, float]:
    """The literature's test-time intervention: z_inv permuted over the batch, the other latents held as they were.

    Off support where z_dp depends on z_inv. Not defined for texts of tokens: their latents are the tokens themselves,
    which cannot be held while z_inv changes.
    """
    if not all(name == "z_inv" or name.startswith(("z_dp", "z_pr")) for name in view.blocks):
        return {}
    held = {name: sample.latents[name] for name in view.blocks}
    moved = push(view.member.scm, view.world, noise, do=held | {"z_inv": sample.latents["z_inv"][order]})
    return identify.r2(view.member.read(view.code(moved)), view.targets(moved))


def _leaks(view: _View, noise: Noise, fresh: Noise) -> list[dict]:
    """Per block its leak; on z_inv's row the leak of all other noise together."""
    own = own_noise(view.member.scm)
    groups = {name: own[name] for name in view.blocks if name != "z_inv"}
    groups["z_inv"] = tuple(name for name in noise if name not in own["z_inv"])
    found = identify.leaks(
        lambda u: view.code(push(view.member.scm, view.world, u)), noise=noise, fresh=fresh, groups=groups
    )
    total = found.pop("z_inv")
    head = {"leak": None, "leak_se": None, "leak_total": total.index, "leak_total_se": total.se}
    return [head] + [
        {"leak": found[name].index, "leak_se": found[name].se, "leak_total": None, "leak_total_se": None}
        for name in view.blocks
        if name != "z_inv"
    ]
