import dataclasses
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.identify import DEFAULT_GRID, RidgeGrid, accuracy, mcc, r2, r2_back, r2_linear, total_effect

SMOOTH = RidgeGrid(alphas=(0.1, 1e-3), gammas=(0.01, 0.22))
# Kernel ridge has no closed form: this is the room left for its approximation error on smooth functions of two or three
# variables at a few hundred points.
FIT = 0.02


def test_the_identity_determines_and_is_determined(normal):
    z = normal(800, 2)
    assert r2_linear(z, {"z": z})["z"] == pytest.approx(1.0, abs=1e-12)
    assert 1.0 - FIT < r2(z, {"z": z}, grid=SMOOTH)["z"] <= 1.0
    assert 1.0 - FIT < r2_back(z, z, grid=SMOOTH) <= 1.0


@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6), shift=st.floats(-100, 100))
def test_permuting_and_mixing_a_code_linearly_leave_r2_linear(seed, scale, shift):
    g = torch.Generator().manual_seed(seed)
    z, noise = torch.randn(2, 60, 3, generator=g, dtype=torch.float64)
    code = z.square() + 0.5 * z + 0.1 * noise
    mixing = torch.linalg.qr(torch.randn(3, 3, generator=g, dtype=torch.float64)).Q
    mixing = mixing * torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    mixed = scale * (code @ mixing[:, torch.randperm(3, generator=g)]) + shift * scale
    assert r2_linear(mixed, {"z": z})["z"] == pytest.approx(r2_linear(code, {"z": z})["z"], abs=1e-9)


def test_r2_ignores_the_order_scale_and_origin_of_code_and_target_coordinates(normal):
    z = normal(300, 3)
    code = torch.tanh(z + 0.3 * normal(300, 3, seed=1))
    scales = torch.tensor([1e-6, 1.0, 1e3], dtype=torch.float64)
    before = r2(code, {"z": z}, grid=SMOOTH)["z"]
    after = r2((code * scales + 7.0)[:, [2, 0, 1]], {"z": (z * scales - 3.0)[:, [1, 2, 0]]}, grid=SMOOTH)["z"]
    assert after == pytest.approx(before, abs=1e-6)


def test_a_gaussian_code_of_known_noise_has_its_squared_correlation(normal):
    n, share = 20_000, 0.3
    z, noise = normal(n, 2), normal(n, 2, seed=1)
    found = r2_linear(math.sqrt(share) * z + math.sqrt(1 - share) * noise, {"z": z})["z"]
    # Asymptotic standard error of a squared correlation, over the n / 2 test points; two coordinates average.
    se = 2 * math.sqrt(share) * (1 - share) / math.sqrt(n / 2) / math.sqrt(2)
    assert abs(found - share) < 4 * se


def test_a_noise_code_scores_minus_its_estimation_error_and_never_above_zero(normal):
    n, k, seeds = 200, 5, 60
    scores = torch.tensor(
        [r2_linear(normal(n, k, seed=2 * s), {"w": normal(n, 4, seed=2 * s + 1)})["w"] for s in range(seeds)]
    )
    # Least squares on m = n / 2 Gaussian points: test error (1 + 1/m)(m - 2) / (m - k - 2), spread (m - 1) / m.
    m = n // 2
    expected = 1 - (1 + 1 / m) * (m - 2) / (m - k - 2) * m / (m - 1)
    se = (scores.std() / math.sqrt(seeds)).item()
    assert abs(scores.mean().item() - expected) < 4 * se
    assert scores.mean() < 0


def test_kernel_ridge_finds_nothing_in_noise(normal):
    scores = torch.tensor([r2(normal(300, 3, seed=s), {"w": normal(300, 3, seed=s + 100)})["w"] for s in range(8)])
    # Three correlations of noise squared, over 150 test points, have mean and standard deviation below 1 / 150.
    assert scores.mean().item() < 3 / 150 / math.sqrt(8)
    assert scores.min() > -0.2  # cross-validation keeps it from fitting noise


def test_many_noise_features_score_high_in_sample_but_not_here(normal):
    code, target = normal(200, 100), normal(200, 3, seed=1)
    x, y = code - code.mean(0), target - target.mean(0)
    residual = y - x @ torch.linalg.lstsq(x, y).solution
    in_sample = 1 - residual.square().sum() / y.square().sum()
    assert in_sample.item() == pytest.approx(100 / 199, abs=0.1)  # k / (n - 1): the trap
    assert r2_linear(code, {"w": target})["w"] < 0
    assert r2(code, {"w": target})["w"] < 0.05


def test_a_duplicated_code_scores_as_the_code_at_half_the_gamma(normal):
    z = normal(300, 2)
    code = torch.tanh(z + 0.3 * normal(300, 2, seed=1))
    twice = torch.cat([code, code], 1)
    assert r2_linear(twice, {"z": z})["z"] == pytest.approx(r2_linear(code, {"z": z})["z"], abs=1e-9)
    halved = dataclasses.replace(SMOOTH, gammas=tuple(g / 2 for g in SMOOTH.gammas))
    assert r2(twice, {"z": z}, grid=halved)["z"] == pytest.approx(r2(code, {"z": z}, grid=SMOOTH)["z"], abs=1e-6)


def test_dropping_a_coordinate_shows_forwards_and_folding_one_too_but_neither_backwards(normal):
    z = normal(1200, 2)
    dropped, folded = z[:, :1], z.square()
    assert r2(dropped, {"z": z}, grid=SMOOTH)["z"] == pytest.approx(0.5, abs=0.05)  # one of two coordinates
    assert r2(folded, {"z": z}, grid=SMOOTH)["z"] < 0.05  # E[z | z^2] = 0: nothing, less the estimation error
    assert r2_back(z, dropped, grid=SMOOTH) > 1 - FIT
    assert r2_back(z, folded, grid=SMOOTH) > 1 - FIT


def test_r2_back_is_one_minus_the_total_leak(normal):
    n = 2400
    z, e, fresh = normal(n, 2), normal(n, 2, seed=1), normal(n, 2, seed=2)

    def code(noise):
        return torch.cat([torch.tanh(z) + 0.4 * noise, (z[:, :1] * noise[:, 1:]), 2 * z.prod(1, keepdim=True)], 1)

    leak = total_effect(code(e), code(fresh))
    # Both are estimated: from n samples here, from half of them there.
    se = leak.se * math.sqrt(1 + 2)
    assert 0.1 < leak.index < 0.5
    assert abs(r2_back(z, code(e), grid=SMOOTH) - (1 - leak.index)) < 3 * se + FIT


def test_r2_back_weighs_coordinates_by_their_variance(normal):
    z, noise = normal(600, 1), normal(600, 1, seed=1)
    assert r2_back(z, torch.cat([10 * z, noise], 1), grid=SMOOTH) == pytest.approx(100 / 101, abs=0.005)


def test_r2_back_ignores_rotations_and_rescalings_of_the_code(normal):
    z = normal(300, 2)
    code = torch.cat([torch.tanh(z), 0.5 * normal(300, 2, seed=1)], 1)
    rotation = torch.linalg.qr(normal(4, 4, seed=2)).Q
    before, after = (r2_back(z, c, grid=SMOOTH) for c in (code, 1e3 * code @ rotation + 5.0))
    assert after == pytest.approx(before, abs=1e-7)


def test_constants_carry_nothing_and_are_asked_for_nothing(normal):
    z, flat = normal(300, 2), torch.full((300, 1), 0.1)
    assert math.isnan(r2(z, {"flat": flat}, grid=SMOOTH)["flat"])
    assert math.isnan(r2_linear(z, {"flat": flat})["flat"])
    assert math.isnan(r2_back(z, flat, grid=SMOOTH))
    for score in (lambda c, b: r2(c, b, grid=SMOOTH), r2_linear):
        plain = score(z, {"z": z})["z"]
        with_flat = torch.cat([z, flat], 1)
        assert score(with_flat, {"z": z})["z"] == pytest.approx(plain, abs=1e-9)
        assert score(z, {"z": with_flat})["z"] == pytest.approx(plain, abs=1e-9)
        # Constant where fitted, so that nothing was learned about it; what it does later must not matter.
        late = torch.cat([torch.zeros(150, 1), normal(150, 1, seed=1)])
        assert score(torch.cat([z, late], 1), {"z": z})["z"] == pytest.approx(plain, abs=1e-9)
        assert score(flat, {"z": z})["z"] <= 0  # the mean of the fit half, and nothing better


def test_one_hot_latents_that_the_code_contains_are_determined(normal):
    label = torch.randint(4, (800,), generator=torch.Generator().manual_seed(0))
    one_hot = torch.nn.functional.one_hot(label, 4)
    code = one_hot.double() @ normal(4, 3, seed=1) + 0.01 * normal(800, 3)
    assert r2(code, {"z": one_hot})["z"] > 1 - FIT
    assert r2(normal(800, 3), {"z": one_hot})["z"] < FIT


def test_labels_are_decoded_slot_by_slot(normal):
    n = 1000
    labels = torch.randint(3, (n, 2), generator=torch.Generator().manual_seed(0))
    corners = normal(3, 2, seed=1)
    known = accuracy(corners[labels[:, 0]] + 0.01 * normal(n, 2), labels, grid=SMOOTH)
    # The second slot is guessed: three equally frequent classes, n / 2 test points.
    se = math.sqrt(1 / 3 * 2 / 3 / (n / 2))
    assert known.per_slot[0] == 1.0
    assert abs(known.per_slot[1] - 1 / 3) < 4 * se
    assert known.all_slots == known.per_slot[1]


def test_labels_that_no_linear_map_separates_are_decoded(normal):
    z = normal(1000, 2)
    xor = ((z[:, 0] > 0) ^ (z[:, 1] > 0)).long()[:, None]
    # Errors sit at the two boundaries only: chance is one half.
    assert accuracy(z, xor).all_slots > 0.9


@pytest.mark.parametrize("score", [lambda c, b: r2(c, b), r2_linear])
def test_inputs_that_do_not_fit_are_refused(score):
    with pytest.raises(ValueError, match="`z` must be finite with 20 rows"):
        score(torch.zeros(20, 1), {"z": torch.full((20, 1), torch.nan)})
    with pytest.raises(ValueError, match="`code` must be finite with 20 rows"):
        score(torch.full((20, 1), torch.inf), {"z": torch.zeros(20, 1)})
    with pytest.raises(ValueError, match="`labels` must be non-negative"):
        accuracy(torch.zeros(20, 1), -torch.ones(20, 1, dtype=torch.long))


def test_the_default_grid_is_the_literatures():
    assert RidgeGrid((1.0, 0.1, 0.001, 0.0001), (0.01, 0.22, 4.64, 100.0), 3) == DEFAULT_GRID


def test_codes_that_carry_gradients_are_scored_alike(normal):
    z, labels = normal(100, 2), (normal(100, 1) > 0).long()
    code = torch.tanh(z).requires_grad_()
    plain = code.detach()
    assert r2(code, {"z": z}, grid=SMOOTH) == r2(plain, {"z": z}, grid=SMOOTH)
    assert r2_linear(code, {"z": z}) == r2_linear(plain, {"z": z})
    assert r2_back(z, code, grid=SMOOTH) == r2_back(z, plain, grid=SMOOTH)
    assert accuracy(code, labels, grid=SMOOTH) == accuracy(plain, labels, grid=SMOOTH)
    assert total_effect(code, code.flip(0)) == total_effect(plain, plain.flip(0))
    for correlation in ("pearson", "spearman"):
        assert mcc(z, code, correlation=correlation).mean == mcc(z, plain, correlation=correlation).mean
