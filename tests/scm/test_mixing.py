import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.scm import Mixing, cast, draw_mixing, mix, stream, unmix

KINDS = {"coupling": Mixing(), "leaky_mlp": Mixing(kind="leaky_mlp")}
BOUND = {torch.float32: 1e-5, torch.float64: 1e-10}  # rounding, amplified by the inverse's slope of at most a few 100

dims, seeds = st.integers(1, 8), st.integers(0, 10_000)


def weights_and_points(spec: Mixing, dim: int, seed: int, dtype: torch.dtype = torch.float64, n: int = 128):
    weights = cast(draw_mixing(spec, dim, generator=stream(seed, "world")), dtype)
    return weights, torch.randn(n, dim, generator=stream(seed, "points"), dtype=dtype)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("kind", KINDS)
@given(dim=dims, seed=seeds, scale=st.sampled_from([0.01, 1.0, 10.0]))
def test_unmix_inverts_mix_up_to_rounding(kind, dtype, dim, seed, scale):
    weights, z = weights_and_points(KINDS[kind], dim, seed, dtype)
    z = scale * z
    back = unmix(KINDS[kind], weights, mix(KINDS[kind], weights, z))
    assert back.dtype == dtype
    assert ((back - z).norm(dim=-1) / (1 + z.norm(dim=-1))).max() < BOUND[dtype]


@pytest.mark.parametrize("kind", KINDS)
@given(dim=dims, seed=seeds)
def test_mix_inverts_unmix_up_to_rounding(kind, dim, seed):
    weights, x = weights_and_points(KINDS[kind], dim, seed)
    again = mix(KINDS[kind], weights, unmix(KINDS[kind], weights, x))
    assert (again - x).norm(dim=-1).max() < 1e-9


@given(dim=st.integers(2, 8), seed=seeds, condition=st.floats(1, 100), layers=st.integers(1, 4))
def test_every_weight_of_a_leaky_mlp_has_the_condition_number_of_the_spec(dim, seed, condition, layers):
    spec = Mixing(kind="leaky_mlp", condition=condition, layers=layers)
    weights, _ = weights_and_points(spec, dim, seed)
    assert set(weights) == {f"{layer}.weight" for layer in range(layers)}
    for weight in weights.values():  # drawn in float32: its rounding, times the condition number itself
        assert torch.linalg.cond(weight).item() == pytest.approx(condition, rel=1e-5 * condition)


@given(dim=dims, seed=seeds, log_scale=st.floats(0, 2))
def test_a_coupling_changes_volumes_by_at_most_its_log_scale_per_scaled_coordinate(dim, seed, log_scale):
    spec = Mixing(log_scale=log_scale)
    weights, z = weights_and_points(spec, dim, seed, n=1)
    jacobian = torch.autograd.functional.jacobian(lambda z: mix(spec, weights, z), z[0])
    scaled = dim - dim // 2
    assert abs(torch.linalg.slogdet(jacobian).logabsdet) <= spec.layers * scaled * log_scale + 1e-5


@given(seed=seeds)
def test_a_coupling_without_scales_preserves_volumes_and_still_moves_points(seed):
    spec = Mixing(log_scale=0.0)
    weights, z = weights_and_points(spec, 4, seed)
    jacobian = torch.autograd.functional.jacobian(lambda z: mix(spec, weights, z), z[0])
    assert abs(torch.linalg.slogdet(jacobian).logabsdet) < 1e-5  # rotations drawn in float32
    straight = mix(spec, weights, (z[:1] + z[1:2]) / 2) - (mix(spec, weights, z[:1]) + mix(spec, weights, z[1:2])) / 2
    assert straight.abs().max() > 1e-3  # not affine


def test_a_coupling_is_smooth_and_a_leaky_mlp_is_piecewise_linear():
    def bend(spec: Mixing) -> float:
        """Largest second difference of the map along a short line, over the squared step."""
        weights, z = weights_and_points(spec, 3, 0, n=2)
        step = 1e-3
        line = z[:1] + torch.arange(0, 4, step, dtype=torch.float64)[:, None] * (z[1:] / z[1:].norm())
        x = mix(spec, weights, line)
        second = (x[2:] - 2 * x[1:-1] + x[:-2]).norm(dim=-1) / step**2
        return float(second.max()), float(second.median())

    most, typical = bend(KINDS["coupling"])
    assert most < 100
    assert typical > 1e-3
    most, typical = bend(KINDS["leaky_mlp"])
    assert most > 100  # a kink: the second difference grows as 1 / step
    assert typical < 1e-6  # straight elsewhere


def test_rotations_are_orthogonal_and_of_both_orientations():
    signs = []
    for seed in range(40):
        weights, _ = weights_and_points(Mixing(layers=1), 4, seed)
        q = weights["0.rotation"]
        torch.testing.assert_close(q @ q.T, torch.eye(4, dtype=torch.float64), atol=1e-6, rtol=0)
        signs.append(torch.linalg.det(q).sign().item())
    assert 0 < signs.count(1.0) < 40  # probability 2^-39 that one orientation is missing


def test_a_leaky_mlp_keeps_the_power_of_its_input():
    powers = []
    for seed in range(200):
        spec = Mixing(kind="leaky_mlp", condition=1.0)
        weights, z = weights_and_points(spec, 5, seed)
        powers.append(float((mix(spec, weights, z).square().mean() / z.square().mean()).log()))
    # Last layer: no leaky ReLU follows it to take back its gain of 2 / (1 + 0.2^2).
    gain = math.log(2 / (1 + 0.2**2))
    assert sum(powers) / 200 == pytest.approx(gain, abs=0.1)  # leaky ReLU makes means that are not zero: 10 %
