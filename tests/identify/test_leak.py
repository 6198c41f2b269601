import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import sobol_indices, uniform

from scmlab.identify import leaks, total_effect

SIGMAS = 4.0  # a seed's chance of a false alarm is 6e-5 per comparison


def _ishigami(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(x[:, 0]) + 7.0 * torch.sin(x[:, 1]).square() + 0.1 * x[:, 2] ** 4 * torch.sin(x[:, 0])


def _redrawn(u: torch.Tensor, fresh: torch.Tensor, columns: list[int]) -> torch.Tensor:
    u = u.clone()
    u[:, columns] = fresh[:, columns]
    return u


def test_the_index_is_scipys_total_order_and_the_closed_form_on_ishigami():
    draws = torch.rand(2, 40_000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, fresh = (2 * draws - 1) * math.pi
    # Saltelli et al. (2008), with a = 7, b = 0.1.
    v1, v2, v13 = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2, 49 / 8, 0.01 * math.pi**8 * (1 / 18 - 1 / 50)
    closed = np.array([v1 + v13, v2, v13]) / (v1 + v2 + v13)
    theirs = sobol_indices(
        func=lambda x: _ishigami(torch.from_numpy(x.T)).numpy(),
        n=2**13,
        dists=[uniform(-math.pi, 2 * math.pi)] * 3,
        rng=np.random.default_rng(0),
    ).total_order
    for b in range(3):
        leak = total_effect(_ishigami(u)[:, None], _ishigami(_redrawn(u, fresh, [b]))[:, None])
        assert abs(leak.index - closed[b]) < SIGMAS * leak.se
        assert abs(leak.index - theirs[b]) < SIGMAS * math.sqrt(2) * leak.se  # scipy's n is smaller, its points even


def test_a_linear_code_has_each_blocks_share_of_the_squared_weights(normal):
    weights = normal(5, 4, seed=1)
    u, fresh = normal(20_000, 5), normal(20_000, 5, seed=2)
    for block in ([0], [1, 2], [3, 4]):
        leak = total_effect(u @ weights, _redrawn(u, fresh, block) @ weights)
        share = weights[block].square().sum() / weights.square().sum()
        assert abs(leak.index - share) < SIGMAS * leak.se


def test_a_code_that_ignores_the_block_leaks_exactly_nothing(normal):
    code = normal(100, 3)
    leak = total_effect(code, code.clone())
    assert (leak.index, leak.se) == (0.0, 0.0)


def test_a_code_that_is_only_the_block_leaks_everything(normal):
    leak = total_effect(normal(5000, 3), normal(5000, 3, seed=1))
    assert abs(leak.index - 1.0) < SIGMAS * leak.se
    assert leak.se < 0.02  # three independent coordinates: about 1 / sqrt(3 n)


def test_a_collapsed_code_has_no_index():
    leak = total_effect(torch.full((10, 2), 0.1), torch.full((10, 2), 0.1))
    assert math.isnan(leak.index)
    assert math.isnan(leak.se)


@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6), shift=st.floats(-100, 100))
def test_rotating_shifting_and_scaling_the_code_leave_the_index(seed, scale, shift):
    g = torch.Generator().manual_seed(seed)
    u, fresh = torch.randn(2, 50, 4, generator=g, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=g, dtype=torch.float64)).Q
    redrawn = _redrawn(u, fresh, [0])
    before = total_effect(u, redrawn)
    after = total_effect(scale * (u @ rotation + shift), scale * (redrawn @ rotation + shift))
    assert after.index == pytest.approx(before.index, rel=1e-9)
    assert after.se == pytest.approx(before.se, rel=1e-9)


@pytest.mark.parametrize("weight", [0.1, 1.0, 3.0])
def test_the_standard_error_covers_the_true_index_as_often_as_it_says(normal, weight):
    repetitions, n = 500, 300
    u, e, fresh = normal(3, repetitions, n, 2, seed=7)
    # The code u^2 + weight * e has variance 2 + weight^2 per coordinate: heavy tails, and a known index.
    true = weight**2 / (2 + weight**2)
    covered = 0
    for i in range(repetitions):
        leak = total_effect(u[i].square() + weight * e[i], u[i].square() + weight * fresh[i])
        covered += abs(leak.index - true) < 1.96 * leak.se
    # Four binomial standard errors, sqrt(0.95 * 0.05 / 500), about the nominal 95 %.
    assert abs(covered / repetitions - 0.95) < 0.04


def test_half_a_code_of_known_noise_leaks_half(normal):
    u, e, fresh = normal(3, 20_000, 2)
    leak = total_effect(torch.cat([u, e], 1), torch.cat([u, fresh], 1))
    assert abs(leak.index - 0.5) < SIGMAS * leak.se


def test_duplicating_a_code_leaves_its_leak(normal):
    u, fresh = normal(2, 50, 3)
    redrawn = _redrawn(u, fresh, [1])
    once, twice = total_effect(u, redrawn), total_effect(torch.cat([u, u], 1), torch.cat([redrawn, redrawn], 1))
    assert (twice.index, twice.se) == (pytest.approx(once.index), pytest.approx(once.se))


def test_the_factual_and_the_counterfactual_code_are_interchangeable(normal):
    u, fresh = normal(2, 50, 3)
    redrawn = _redrawn(u, fresh, [1])
    assert total_effect(u, redrawn) == total_effect(redrawn, u)


def test_each_group_is_redrawn_in_an_otherwise_unchanged_world(normal):
    noise = {"inv": normal(5000, 2), "dp": normal(5000, 2, seed=1), "pr": normal(5000, 3, seed=2)}
    fresh = {name: normal(*u.shape, seed=10 + i) for i, (name, u) in enumerate(noise.items())}
    seen = []

    def code_of(u):
        seen.append({name: u[name] is noise[name] for name in u})
        return u["inv"] + 0.5 * u["dp"]

    found = leaks(code_of, noise, fresh, {"dp": ["dp"], "pr": ["pr"], "total": ["dp", "pr"], "inv": ["inv"]})
    assert seen == [
        {"inv": True, "dp": True, "pr": True},
        {"inv": True, "dp": False, "pr": True},
        {"inv": True, "dp": True, "pr": False},
        {"inv": True, "dp": False, "pr": False},
        {"inv": False, "dp": True, "pr": True},
    ]
    assert abs(found["dp"].index - 0.2) < SIGMAS * found["dp"].se  # 0.25 / (1 + 0.25)
    assert found["total"] == found["dp"]
    assert (found["pr"].index, found["pr"].se) == (0.0, 0.0)
    assert abs(found["inv"].index - 0.8) < SIGMAS * found["inv"].se


def test_leaks_build_no_gradient_graph(normal):
    weight = torch.ones(2, requires_grad=True)
    codes = []

    def code_of(u):
        codes.append(u["a"] * weight)
        return codes[-1]

    leaks(code_of, {"a": normal(9, 2)}, {"a": normal(9, 2, seed=1)}, {"a": ["a"]})
    assert not any(code.requires_grad for code in codes)


@pytest.mark.parametrize(
    ("code", "redrawn", "message"),
    [
        (torch.zeros(1, 2), torch.zeros(1, 2), "n >= 2"),
        (torch.full((3, 2), torch.nan), torch.zeros(3, 2), "must be finite"),
    ],
)
def test_codes_that_do_not_fit_are_refused(code, redrawn, message):
    with pytest.raises(ValueError, match=message):
        total_effect(code, redrawn)


@pytest.mark.parametrize(
    ("fresh", "groups", "message"),
    [
        ({"a": torch.zeros(3, 1)}, {"b": []}, "at least one noise entry"),
        ({"a": torch.zeros(3, 1)}, {"b": ["z"]}, r"must name entries of the noise, \['a'\]; got 'z'"),
        ({"a": torch.zeros(3, 2)}, {"b": ["a"]}, "must have the noise's shape"),
    ],
)
def test_groups_that_do_not_fit_the_noise_are_refused(fresh, groups, message):
    with pytest.raises(ValueError, match=message):
        leaks(lambda u: u["a"], {"a": torch.zeros(3, 1)}, fresh, groups)


def test_noise_that_was_not_redrawn_is_refused_instead_of_showing_no_leak(refuses):
    noise = {"u": torch.randn(8, 2, generator=torch.Generator().manual_seed(0))}
    with refuses("`fresh['u']` must be drawn anew"):
        leaks(lambda u: u["u"], noise, noise, {"block": ("u",)})
