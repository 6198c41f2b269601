import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.identify import CodeStatistics, code_statistics, effective_rank, total_variance


def _cross(*lengths: float) -> torch.Tensor:
    """Plus and minus each axis vector: centred, with a diagonal covariance proportional to the squared lengths."""
    axes = torch.diag(torch.tensor(lengths, dtype=torch.float64))
    return torch.cat([axes, -axes])


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_white_code_uses_all_its_directions(k):
    assert effective_rank(_cross(*[3.0] * k)) == pytest.approx(k)


def test_a_code_on_a_line_uses_one_direction(normal):
    assert effective_rank(normal(50, 1) @ normal(1, 4, seed=1)) == pytest.approx(1.0, abs=1e-9)


def test_two_directions_count_by_the_entropy_of_their_variances():
    # Variances 9 : 1.
    assert effective_rank(_cross(3.0, 1.0)) == pytest.approx(math.exp(-0.9 * math.log(0.9) - 0.1 * math.log(0.1)))


@pytest.mark.parametrize("n", [2, 7, 40, 77])  # the mean of 7, 40 or 77 times 0.1 is rounded
def test_a_constant_code_has_no_variance_and_no_direction(n):
    assert code_statistics(torch.full((n, 3), 0.1, dtype=torch.float64)) == CodeStatistics(0.0, 0.0)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_rank_of_a_nearly_collapsed_or_exploded_code_is_still_its_own(scale):
    assert effective_rank(scale * _cross(1.0, 1.0)) == pytest.approx(2.0)


def test_a_duplicated_code_doubles_the_variance_and_keeps_the_rank(normal):
    code = normal(50, 3)
    once, twice = code_statistics(code), code_statistics(torch.cat([code, code], 1))
    assert twice.total_variance == pytest.approx(2 * once.total_variance)
    assert twice.effective_rank == pytest.approx(once.effective_rank)


def test_total_variance_is_half_the_mean_squared_distance_of_two_samples(normal):
    code = normal(40, 3)
    squared = torch.pdist(code).square()
    assert total_variance(code) == pytest.approx(squared.mean().item() / 2)


@given(seed=st.integers(0, 10_000), scale=st.floats(1e-100, 1e100))
def test_rotations_leave_both_statistics_and_scaling_only_the_rank(seed, scale):
    g = torch.Generator().manual_seed(seed)
    code = torch.randn(30, 3, generator=g, dtype=torch.float64) * torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=g, dtype=torch.float64)).Q
    before, after = code_statistics(code), code_statistics(scale * (code @ rotation + 1.0))
    assert after.effective_rank == pytest.approx(before.effective_rank)
    assert after.total_variance == pytest.approx(scale**2 * before.total_variance)


@pytest.mark.parametrize("code", [torch.zeros(1, 2), torch.zeros(3, 0), torch.full((3, 2), torch.nan)])
def test_codes_without_a_covariance_are_refused(code):
    with pytest.raises(ValueError, match="`code` must be finite"):
        code_statistics(code)
