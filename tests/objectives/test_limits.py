import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize, one_hot

from scmlab.objectives import Objective, discrete_floor, floor, infonce, loss, uniform_sphere_limit

SPACES = {"real": lambda x: 3 * x, "sphere": lambda x: normalize(x, dim=-1), "cube": torch.sigmoid}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kind", ["infonce", "infonce_within", "alignment"])
@pytest.mark.parametrize("similarity", ["cosine", "distance"])
@pytest.mark.parametrize("space", SPACES)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 8),
    out=st.integers(1, 5),
    temperature=st.floats(0.05, 3),
    scale=st.sampled_from([0.1, 1.0, 30.0]),
    agree=st.booleans(),
)
def test_no_codes_undercut_the_floor(kind, similarity, space, seed, n, out, temperature, scale, agree):
    spec = Objective(kind, similarity, temperature)
    image = SPACES[space](scale * normal(spec.batches * n, out, seed=seed))
    text = image if agree else SPACES[space](scale * normal(spec.batches * n, out, seed=seed + 1))
    if kind == "infonce_within":  # the best negatives are the opposite codes
        opposite = 1 - image[:n] if space == "cube" else -image[:n]
        image, text = (torch.cat((codes[:n], opposite)) for codes in (image, text))
    assert loss(spec, image, text) >= floor(spec, space=space, out=out, batch=n) - 1e-9


def simplex(n: int) -> torch.Tensor:
    """n unit vectors in R^(n-1), equally far apart."""
    centred = torch.eye(n, dtype=torch.float64) - 1 / n
    return normalize(centred @ torch.linalg.svd(centred).Vh[: n - 1].T, dim=-1)


@pytest.mark.parametrize("similarity", ["cosine", "distance"])
@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_a_simplex_attains_the_floor_on_the_sphere(similarity, n, temperature):
    spec, codes = Objective("infonce", similarity, temperature), simplex(n)
    assert loss(spec, codes, codes).item() == pytest.approx(
        floor(spec, space="sphere", out=n - 1, batch=n), rel=1e-9, abs=1e-12
    )


def test_opposite_corners_attain_the_floor_in_the_cube():
    spec, corners = Objective("infonce", "distance", 1.5), torch.tensor([[0.0] * 4, [1.0] * 4], dtype=torch.float64)
    assert loss(spec, corners, corners).item() == pytest.approx(floor(spec, space="cube", out=4, batch=2), rel=1e-12)


@pytest.mark.parametrize(
    ("space", "similarity", "low", "high"),
    [("sphere", "cosine", -1, 1), ("sphere", "distance", -1, 1), ("real", "cosine", -1, 1), ("cube", "distance", 0, 1)],
)
def test_two_opposite_points_attain_the_floor_of_the_literatures_form(space, similarity, low, high):
    spec, out = Objective("infonce_within", similarity, 0.8), 1
    codes = torch.cat((torch.full((5, out), float(high)), torch.full((5, out), float(low)))).double()
    assert loss(spec, codes, codes).item() == pytest.approx(floor(spec, space=space, out=out, batch=5), rel=1e-12)


def test_distances_in_an_unbounded_space_approach_zero():
    codes = normal(10, 3)
    values = [infonce(scale * codes, scale * codes).item() for scale in (1, 10, 100)]
    assert values[0] > 0.1
    assert max(map(abs, values[1:])) < 1e-9  # rounding of scores of size 1e5
    assert floor(Objective(), space="real", out=3, batch=10) == 0


def test_the_ideal_objective_has_a_floor_in_the_cube_and_none_in_an_unbounded_space():
    spec = Objective("alignment_entropy")
    assert floor(spec, space="cube", out=2, batch=100) == 0
    codes = normal(100, 2)
    assert loss(spec, 1e6 * codes, 1e6 * codes) < -50
    assert floor(spec, space="real", out=2, batch=100) == -math.inf


@pytest.mark.parametrize("temperature", [0.05, 0.5, 2.0])
def test_the_sphere_limit_has_its_closed_forms_in_two_and_three_dimensions(temperature):
    kappa = 1 / temperature
    sinh = kappa + math.log1p(-math.exp(-2 * kappa)) - math.log(2)  # log sinh(kappa)
    assert uniform_sphere_limit(3, temperature) == pytest.approx(-kappa + sinh + math.log(temperature), rel=1e-12)
    bessel = torch.special.i0e(torch.tensor(kappa, dtype=torch.float64)).log().item()
    assert uniform_sphere_limit(2, temperature) == pytest.approx(bessel, rel=1e-10)


@pytest.mark.parametrize(("out", "temperature"), [(2, 0.5), (4, 0.3), (16, 0.2), (512, 1.0), (512, 0.07)])
def test_the_sphere_limit_agrees_with_monte_carlo(out, temperature):
    n = 20_000
    cosine = normalize(normal(n, out), dim=-1)[:, 0]
    weight = (cosine / temperature).exp()
    se = (weight.std() / weight.mean() / n**0.5).item()  # of the logarithm of the mean
    assert abs(uniform_sphere_limit(out, temperature) - (weight.mean().log().item() - 1 / temperature)) < 4 * se


def test_the_loss_of_aligned_uniform_codes_approaches_the_sphere_limit():
    n, batches = 256, 40
    codes = normalize(normal(batches, n, 3), dim=-1)
    excess = infonce(codes, codes, similarity="cosine") - math.log(n - 1) - uniform_sphere_limit(3, 1.0)
    # The mean deviation with M = n - 1 negatives is c1 / M, c1 = e / mu - Var / (2 mu^2), up to terms in 1 / M^2.
    mu, second = math.sinh(1), math.sinh(2) / 2
    rate = (math.e / mu - (second - mu**2) / (2 * mu**2)) / (n - 1)
    assert abs(excess.mean() - rate) < 4 * excess.std() / batches**0.5 + 10 / n**2


def brute_force(p: list[float], batch: int) -> float:
    """E log (how often the first item's value occurs), over all batches."""
    return sum(
        math.prod(p[z] for z in items) * math.log(items.count(items[0]))
        for items in itertools.product(range(len(p)), repeat=batch)
    )


@pytest.mark.parametrize("p", [[1.0], [0.5, 0.5], [0.2, 0.3, 0.5], [0.7, 0.1, 0.1, 0.1], [0.0, 0.4, 0.6]])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_the_discrete_floor_is_the_expectation_over_all_batches(p, batch):
    found = discrete_floor(torch.tensor(p, dtype=torch.float64), batch)
    assert found == pytest.approx(brute_force(p, batch), rel=1e-10, abs=1e-12)


def test_a_law_that_sums_to_one_up_to_rounding_has_a_floor():
    for p in ([1.0000001], [0.1] * 10, [1 / 3] * 3):
        assert math.isfinite(discrete_floor(torch.tensor(p), 64))


@pytest.mark.parametrize("batch", [4, 64])
def test_a_perfect_critic_of_a_discrete_latent_attains_the_discrete_floor(batch):
    p = torch.tensor([0.5, 0.25, 0.15, 0.1], dtype=torch.float64)
    batches = 400
    z = torch.multinomial(p, batches * batch, replacement=True, generator=torch.Generator().manual_seed(0))
    codes = 20 * one_hot(z, 4).double().view(batches, batch, 4)  # other values are exp(-800) away
    losses = infonce(codes, codes)
    expected = discrete_floor(p, batch)
    assert abs(losses.mean() - expected) < 4 * losses.std() / batches**0.5
    # A critic that confuses two values loses; so does one of finite scale.
    merged = 20 * one_hot(z.clamp(max=2), 3).double().view(batches, batch, 3)
    for worse in (infonce(merged, merged), infonce(codes / 20, codes / 20)):
        assert (worse - losses).min() > -1e-9
        assert (worse - losses).mean() > 0.02


INVALID = [
    (lambda: uniform_sphere_limit(1, 1.0), ("out", 1)),
    (lambda: uniform_sphere_limit(3, 0.0), ("temperature", 0.0)),
    (lambda: uniform_sphere_limit(3, math.nan), ("temperature", "nan")),
    (lambda: uniform_sphere_limit(3, math.inf), ("temperature", "inf")),
    (lambda: discrete_floor(torch.tensor([0.5, 0.5]), 0), ("batch", 0)),
    (lambda: discrete_floor(torch.tensor([0.5, 0.4]), 5), ("probabilities", 0.9)),
    (lambda: discrete_floor(torch.tensor([1.5, -0.5]), 5), ("probabilities",)),
    (lambda: discrete_floor(torch.tensor([1.0, math.nan]), 5), ("probabilities", "nan")),
]


@pytest.mark.parametrize(("call", "named"), INVALID)
def test_arguments_out_of_range_are_refused(call, named, refuses):
    with refuses(*named):
        call()


FIELDS = [
    *(("kind", value) for value in ("nce", "")),
    *(("similarity", value) for value in ("dot", "")),
    *(("temperature", value) for value in (0.0, -1.0, math.nan, math.inf)),
    *(("neighbours", value) for value in (0, -1, 1.5, math.nan, True)),
]


@pytest.mark.parametrize(("name", "value"), FIELDS)
def test_an_invalid_field_of_an_objective_is_refused_by_name_and_value(name, value, refuses):
    spec = Objective()
    object.__setattr__(spec, name, value)
    with refuses(f"`{name}`", value):
        spec.__post_init__()  # not Objective(...): the tests' own enforcement of annotations would come first
