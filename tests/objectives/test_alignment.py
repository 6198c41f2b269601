import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.objectives import Objective, alignment, alignment_entropy, entropy, loss


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def standard_error(n: int, log_density_variance: float, neighbours: int) -> float:
    """Of the nearest-neighbour estimate: the spread of log p(x), and of the log of a ball's mass, psi'(j)."""
    spread = torch.special.polygamma(1, torch.tensor(float(neighbours))).item()
    return math.sqrt((log_density_variance + spread) / n)


def edge(n: int, k: int, neighbours: int) -> float:
    """Bias at the cube's 2k faces: within a ball's radius of them, up to half of the ball lies outside."""
    return 2 * k * (neighbours / n) ** (1 / k) * math.log(2)


@pytest.mark.parametrize("neighbours", [1, 4, 10])
@pytest.mark.parametrize("k", [1, 2])
def test_uniform_codes_have_the_entropy_of_the_cube(k, neighbours):
    n = 3000
    error = entropy(uniform(n, k), neighbours=neighbours).item()
    assert -4 * standard_error(n, 0.0, neighbours) < error
    assert error < 4 * standard_error(n, 0.0, neighbours) + edge(n, k, neighbours)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_gaussian_codes_have_the_closed_form_entropy(k):
    n, j = 3000, 4
    factor = torch.tril(normal(k, k, seed=7)) + 2 * torch.eye(k)
    codes = normal(n, k) @ factor.T + 5
    exact = k / 2 * math.log(2 * math.pi * math.e) + torch.linalg.slogdet(factor).logabsdet
    # Smooth density: the bias is of order (j/n)^(2/k), 1 % at k = 3.
    assert abs(entropy(codes, neighbours=j) - exact) < 4 * standard_error(n, k / 2, j) + (j / n) ** (2 / k)


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_scaling_adds_its_logarithm_per_coordinate_and_shifts_add_nothing(seed, scale, shift):
    codes = normal(60, 3, seed=seed)
    expected = entropy(codes) + 3 * math.log(scale)
    assert abs(entropy(scale * (codes + shift)) - expected) < 1e-8


def test_the_gradient_of_the_entropy_along_a_scaling_is_the_dimension():
    codes = normal(80, 3).requires_grad_()
    (gradient,) = torch.autograd.grad(entropy(codes), codes)
    assert (codes * gradient).sum().item() == pytest.approx(3, rel=1e-9)
    assert gradient.sum(0).abs().max() < 1e-9  # and along a shift nothing


def test_every_member_has_its_own_entropy():
    codes = torch.stack([normal(50, 2), 3 * normal(50, 2, seed=1)])
    together = entropy(codes)
    assert together.shape == (2,)
    for member, value in zip(codes, together, strict=True):
        assert abs(entropy(member) - value) < 1e-12


def test_coinciding_codes_have_a_very_low_but_finite_entropy():
    codes = torch.full((50, 2), 0.3, requires_grad=True)
    value = entropy(codes)
    assert value.isfinite()
    assert value < -50
    value.backward()
    assert codes.grad.isfinite().all()


@pytest.mark.parametrize("neighbours", [0, 10, 11])
def test_neighbours_must_exist(neighbours, refuses):
    with refuses("neighbours", neighbours):
        entropy(uniform(10, 2), neighbours=neighbours)


def test_alignment_is_the_mean_squared_distance_of_pairs():
    image = torch.tensor([[0.0, 0.0], [1.0, 2.0]])
    text = torch.tensor([[3.0, 4.0], [1.0, 1.0]])
    assert alignment(image, text) == (25 + 1) / 2
    assert alignment(image, image) == 0


def test_aligned_uniform_codes_reach_the_minimum_of_the_ideal_objective():
    n, k = 3000, 2
    codes = uniform(n, k)
    value = alignment_entropy(codes, codes).item()
    # Twice the entropy's error; its bias at the edges makes the estimate too low, never too high.
    assert value < 2 * 4 * standard_error(n, 0.0, 4)
    assert value > -2 * (4 * standard_error(n, 0.0, 4) + edge(n, k, 4))


def test_the_ideal_objective_punishes_misalignment_and_uneven_codes():
    codes = uniform(3000, 2)
    best = alignment_entropy(codes, codes)
    other = uniform(3000, 2, seed=1)
    # Independent uniforms differ by 1/6 per coordinate in mean square, with a standard error of 0.004.
    assert alignment_entropy(codes, other) - best == pytest.approx(1 / 3, abs=0.1)
    # u^2 has the entropy E log 2u = log 2 - 1 per coordinate.
    assert alignment_entropy(codes**2, codes**2) - best == pytest.approx(2 * 2 * (1 - math.log(2)), abs=0.2)


def test_the_spec_names_these_losses():
    image, text = uniform(3, 40, 2), uniform(3, 40, 2, seed=1)
    assert torch.equal(loss(Objective("alignment"), image, text), alignment(image, text))
    expected = alignment_entropy(image, text, neighbours=2)
    assert torch.equal(loss(Objective("alignment_entropy", neighbours=2), image, text), expected)
