import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.identify import aligned, mcc


@given(seed=st.integers(0, 10_000), d=st.integers(1, 6), correlation=st.sampled_from(["pearson", "spearman"]))
def test_a_permuted_rescaled_and_flipped_code_scores_one_and_is_put_back_in_order(seed, d, correlation):
    g = torch.Generator().manual_seed(seed)
    latents = torch.randn(60, d, generator=g, dtype=torch.float64)
    order = torch.randperm(d, generator=g)
    scales = torch.randn(d, generator=g, dtype=torch.float64).exp() * (2 * torch.randint(2, (d,), generator=g) - 1)
    code = (latents * scales)[:, order] + 3.0
    found = mcc(latents, code, correlation=correlation)
    assert found.mean == pytest.approx(1.0)
    assert torch.equal(order[found.permutation], torch.arange(d))
    # The trap: the rescaled code must be the permuted one. Column j is latent j up to a positive scale and an origin.
    restored = aligned(code, found)
    offset = aligned(torch.full_like(code, 3.0), found)
    torch.testing.assert_close(restored - offset, latents * scales.abs())


def test_a_rotated_code_scores_the_cosine_of_the_rotation(normal):
    n, angle = 20_000, 0.5
    c, s = math.cos(angle), math.sin(angle)
    latents = normal(n, 2)
    found = mcc(latents, latents @ torch.tensor([[c, -s], [s, c]], dtype=torch.float64))
    # Standard error of a correlation over the n / 2 test points.
    assert abs(found.mean - c) < 4 * (1 - c**2) / math.sqrt(n / 2)


def test_noise_scores_zero_on_average_though_its_best_assignment_in_sample_does_not(normal):
    n, d, seeds = 100, 5, 60
    held_out, in_sample = [], []
    for seed in range(seeds):
        latents, code = normal(n, d, seed=2 * seed), normal(n, d, seed=2 * seed + 1)
        held_out.append(mcc(latents, code).mean)
        in_sample.append(mcc(latents.tile(2, 1), code.tile(2, 1)).mean)  # both halves are the same samples
    # d independent correlations over n / 2 points: standard deviation sqrt(2 / n / d), over the seeds.
    assert abs(sum(held_out) / seeds) < 4 * math.sqrt(2 / n / d / seeds)
    assert sum(in_sample) / seeds > math.sqrt(2 / math.pi / n)  # the mean |correlation| before choosing any


def test_a_duplicated_coordinate_can_stand_for_one_latent_only(normal):
    n = 4000
    latents = normal(n, 2)
    found = mcc(latents, latents[:, [0, 0]])
    assert sorted(found.permutation.tolist()) == [0, 1]
    assert found.correlation[0].item() == pytest.approx(1.0)
    assert abs(found.mean - 0.5) < 0.5 * 4 / math.sqrt(n / 2)  # the other correlation is noise


def test_a_latent_left_without_a_coordinate_counts_zero(normal):
    latents = normal(50, 3)
    code = -latents[:, [2]]
    found = mcc(latents, code)
    assert found.permutation.tolist() == [-1, -1, 0]
    assert found.sign.tolist() == [0.0, 0.0, -1.0]
    assert found.mean == pytest.approx(1 / 3)
    torch.testing.assert_close(aligned(code, found), latents * torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))


def test_spare_coordinates_are_left_over(normal):
    latents = normal(200, 2)
    found = mcc(latents, torch.cat([normal(200, 3, seed=1), latents], 1))
    assert found.permutation.tolist() == [3, 4]
    assert found.mean == pytest.approx(1.0)


def test_ranks_see_through_monotone_maps_and_pearson_does_not(normal):
    latents = normal(2000, 2)
    code = (2 * latents).exp()[:, [1, 0]]
    assert mcc(latents, code, correlation="spearman").mean == pytest.approx(1.0)
    # corr(z, exp(2 z)) = 2 / sqrt(exp(4) - 1) = .27 in the limit; heavy tails blur it.
    assert mcc(latents, code).mean < 0.7


def test_constants_count_zero(normal):
    latents = normal(14, 2)
    constant = torch.full((14, 1), 0.1, dtype=torch.float64)  # the mean of 7 times 0.1 is rounded
    assert mcc(latents, constant.tile(1, 2)).mean == 0.0
    half = mcc(latents, torch.cat([latents[:, :1], constant], 1))
    assert half.correlation.tolist() == [pytest.approx(1.0), 0.0]


def test_samples_that_do_not_fit_are_refused(normal):
    with pytest.raises(ValueError, match="at least 4; got 3"):
        mcc(normal(3, 2), normal(3, 2))
    with pytest.raises(ValueError, match="must be finite"):
        mcc(normal(5, 2), torch.full((5, 2), torch.nan))
