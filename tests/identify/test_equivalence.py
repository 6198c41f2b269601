import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from scmlab.identify import equivalence


def _with_p(p: list[float], margin: float = 0.05, se: float = 0.01):
    """Estimates whose one-sided p-values are the given ones."""
    estimates = torch.tensor([margin + se * norm.ppf(v) for v in p], dtype=torch.float64)
    return equivalence(estimates, torch.full_like(estimates, se), margin)


def test_holm_agrees_with_the_calculation_by_hand():
    found = _with_p([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(found.p, [0.01, 0.04, 0.03, 0.005], rtol=1e-9)
    # In order .005, .01, .03, .04: times 4, 3, 2, 1 gives .02, .03, .06, .04; the last may not fall below .06.
    np.testing.assert_allclose(found.adjusted, [0.03, 0.06, 0.06, 0.02], rtol=1e-9)
    assert found.below.tolist() == [True, False, False, True]
    assert not found.held


@given(p=st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=5))
def test_holm_is_the_closed_test_of_bonferroni(p):
    found = _with_p(p)
    p = found.p.tolist()
    for i, adjusted in enumerate(found.adjusted.tolist()):
        subsets = (s for r in range(1, len(p) + 1) for s in itertools.combinations(range(len(p)), r) if i in s)
        assert adjusted == pytest.approx(max(min(1.0, len(s) * min(p[j] for j in s)) for s in subsets), rel=1e-9)


def test_entries_at_the_margin_are_called_small_no_more_often_than_the_level():
    repetitions, margin, level = 4000, 0.05, 0.05
    draws = torch.randn(repetitions, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    se = torch.full((3, 2), 0.01, dtype=torch.float64)
    found = [equivalence(margin + se * d, se, margin, level) for d in draws]
    # Independent entries: any error has probability 1 - (1 - level / 6)^6 = .049; three binomial standard errors.
    room = 3 * math.sqrt(level * (1 - level) / repetitions)
    exact = 1 - (1 - level / 6) ** 6
    assert abs(np.mean([bool(f.below.any()) for f in found]) - exact) < room
    assert abs(np.mean([bool((f.upper < margin).any()) for f in found]) - exact) < room


@given(seed=st.integers(0, 10_000))
def test_a_bound_below_the_margin_implies_the_verdict(seed):
    g = torch.Generator().manual_seed(seed)
    estimates, ses = 0.05 * torch.rand(2, 4, generator=g, dtype=torch.float64)
    found = equivalence(estimates, 0.3 * ses, 0.05)
    assert (found.below | (found.upper >= 0.05)).all()
    assert (found.adjusted >= found.p).all()


def test_the_bound_of_a_single_entry_is_the_one_sided_normal_bound():
    found = equivalence(torch.tensor([0.02]), torch.tensor([0.01]), 0.05)
    assert found.upper.item() == pytest.approx(0.02 + 1.6448536269514722 * 0.01, rel=1e-6)


def test_certainty_is_decided_and_ignorance_never_held():
    nan = math.nan
    found = equivalence(torch.tensor([0.0, 0.05, 0.01, nan]), torch.tensor([0.0, 0.0, nan, 0.01]), 0.05)
    assert found.p.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert found.below.tolist() == [True, False, False, False]
    assert found.upper.tolist() == [0.0, pytest.approx(0.05), math.inf, math.inf]
    assert not found.held


def test_all_small_entries_hold_in_their_shape():
    found = equivalence(torch.full((3, 2), 0.001), torch.full((3, 2), 0.001), 0.05)
    assert found.held
    assert found.upper.shape == found.adjusted.shape == (3, 2)


def test_noise_that_is_merely_insignificant_does_not_hold():
    # 0 is well inside the interval .04 +- .1, yet so is twice the margin.
    assert not equivalence(torch.tensor([0.04]), torch.tensor([0.1]), 0.05).held


@pytest.mark.parametrize(
    ("estimates", "ses", "margin", "level", "message"),
    [
        ([], [], 0.1, 0.05, "not empty"),
        ([0.1], [-0.1], 0.1, 0.05, "`ses` must be non-negative"),
        ([0.1], [0.1], 0.0, 0.05, "`margin` must be positive"),
        ([0.1], [0.1], 0.1, 1.0, r"`level` must be in \(0, 1\)"),
    ],
)
def test_arguments_that_break_a_rule_are_refused(estimates, ses, margin, level, message):
    with pytest.raises(ValueError, match=message):
        equivalence(torch.tensor(estimates), torch.tensor(ses), margin, level)
