import pytest
import torch
from scipy import stats

from scmlab import identify
from scmlab.objectives import Objective, alignment_entropy, entropy, loss
from scmlab.scm import DiscreteTokenSCM, Mixing, SentenceSCM, TokenSCM, cast, draw_world, noise, own_noise, push, stream
from scmlab.scm.equations import part
from scmlab.theory import darmois, optimum

N = 4096
WORLDS = [
    pytest.param(SentenceSCM(density=density, covariance="wishart", mixing=Mixing(mixing)), id=f"{density}-{mixing}")
    for density in ("normal", "uniform", "mixture")
    for mixing in ("coupling", "leaky_mlp")
] + [pytest.param(TokenSCM(density=density), id=f"tokens-{density}") for density in ("normal", "mixture")]


def drawn(spec, seed=0, n=N):
    world = cast(draw_world(spec, generator=stream(seed, "world")), torch.float64)
    u = cast(noise(spec, n, generator=stream(seed, "noise")), torch.float64)
    return world, u, push(spec, world, u)


@pytest.mark.parametrize("spec", WORLDS)
def test_the_optimum_is_aligned_to_rounding_and_ignores_all_noise_but_that_of_z_inv(spec):
    world, u, sample = drawn(spec)
    encode = optimum(spec, world)
    image, text = encode["image"](sample.image), encode["text"](sample.text)
    assert (image - text).abs().max() < 1e-9
    own = own_noise(spec)
    other = cast(noise(spec, N, generator=stream(1, "fresh")), torch.float64)
    moved = push(spec, world, {name: u[name] if name in own["z_inv"] else other[name] for name in u})
    assert identify.total_effect(image, encode["image"](moved.image)).index < 1e-18
    assert identify.total_effect(text, encode["text"](moved.text)).index < 1e-18


@pytest.mark.parametrize("spec", WORLDS)
def test_the_codes_of_the_optimum_are_independent_and_uniform_on_the_cube(spec):
    world, _, sample = drawn(spec)
    code = optimum(spec, world)["image"](sample.image)
    assert code.min() > 0
    assert code.max() < 1
    # seven tests per world over eight worlds: level 1e-3 / 56 keeps the chance of a false alarm at one in a thousand
    for column in code.T:
        assert stats.kstest(column.numpy(), "uniform").pvalue > 1e-3 / 56
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert stats.spearmanr(code[:, i].numpy(), code[:, j].numpy()).pvalue > 1e-3 / 56
        # dependence that correlation does not see: distance of both from the middle
        assert stats.spearmanr(*(code[:, c].sub(0.5).abs().numpy() for c in (i, j))).pvalue > 1e-3 / 56


def test_its_estimated_loss_is_what_the_estimator_says_of_uniform_samples():
    spec = SentenceSCM()
    world, _, sample = drawn(spec, n=2048)
    encode = optimum(spec, world)
    value = alignment_entropy(encode["image"](sample.image), encode["text"](sample.text))
    uniform = torch.rand(20, 2048, 3, dtype=torch.float64, generator=stream(0, "uniform"))
    reference = -2 * entropy(uniform)
    assert abs(value - reference.mean()) < 4 * reference.std()
    ideal = Objective("alignment_entropy")
    assert loss(ideal, encode["image"](sample.image), encode["text"](sample.text)) == value


def test_misaligned_or_non_uniform_codes_lose_to_the_optimum_by_their_divergence():
    generator = stream(0, "codes")
    uniform = torch.rand(4096, 2, dtype=torch.float64, generator=generator)
    best = alignment_entropy(uniform, uniform).item()
    # v = (u + u^2) / 2 has E log dv/du = (3 log 3 - 2) / 2 - log 2 = -.0452 for each of 2 x 2 coordinates.
    # The same points under a smooth map: the estimator's error nearly cancels
    warped = (uniform + uniform**2) / 2
    assert alignment_entropy(warped, warped).item() - best == pytest.approx(4 * 0.0452, abs=0.02)
    shifted = (uniform + 0.1) % 1  # uniform too, so only the alignment term moves
    expected = (shifted - uniform).square().sum(1).mean().item()
    assert alignment_entropy(uniform, shifted).item() - best == pytest.approx(expected, abs=0.02)


def test_darmois_is_the_rosenblatt_transform_of_a_correlated_normal():
    covariance = torch.tensor([[2.0, 0.8], [0.8, 1.0]], dtype=torch.float64)
    z = torch.tensor([[0.3, -1.2], [2.0, 0.1]], dtype=torch.float64)
    u = darmois("normal", {"cholesky": torch.linalg.cholesky(covariance)}, z)
    first = stats.norm.cdf(z[:, 0].numpy(), scale=2**0.5)
    second = stats.norm.cdf(z[:, 1].numpy(), loc=0.4 * z[:, 0].numpy(), scale=(1 - 0.32) ** 0.5)
    assert u[:, 0].tolist() == pytest.approx(first.tolist(), abs=1e-12)
    assert u[:, 1].tolist() == pytest.approx(second.tolist(), abs=1e-12)


def test_darmois_of_a_mixture_is_its_conditional_cdf_by_integration():
    spec = SentenceSCM(inv=2, density="mixture", covariance="wishart")
    weights = cast(part(draw_world(spec, generator=stream(3, "world")), "inv"), torch.float64)
    z = torch.tensor([[0.2, -0.4]], dtype=torch.float64)
    covariance = weights["cholesky"] @ weights["cholesky"].T
    odds = weights["log_odds"].softmax(0)
    grid = torch.linspace(-12, z[0, 1].item(), 200_001, dtype=torch.float64)
    points = torch.stack((z[0, 0].expand_as(grid), grid), 1)
    joint = sum(
        p * torch.distributions.MultivariateNormal(m, covariance).log_prob(points).exp()
        for p, m in zip(odds, weights["centres"], strict=True)
    )
    marginal = sum(
        p * torch.distributions.Normal(m[0], covariance[0, 0].sqrt()).log_prob(z[0, 0]).exp()
        for p, m in zip(odds, weights["centres"], strict=True)
    )
    assert darmois("mixture", weights, z)[0, 1] == pytest.approx(
        (torch.trapezoid(joint, grid) / marginal).item(), abs=1e-7
    )


@pytest.mark.parametrize(
    "spec",
    [DiscreteTokenSCM(), SentenceSCM(dropped=1), SentenceSCM(corruption=0.5)],
    ids=["discrete", "drop", "corrupt"],
)
def test_worlds_without_a_common_continuous_z_inv_have_no_optimum(spec):
    with pytest.raises(ValueError, match="`spec` must"):
        optimum(spec, {})
