import itertools

import pytest
import torch
from scipy.stats import kstest, norm, uniform

from scmlab.scm import DiscreteTokenSCM, SentenceSCM, TokenSCM, draw_world, push, sample, stream
from scmlab.scm import noise as draw_noise
from scmlab.scm.density import draw_cholesky, draw_density
from scmlab.scm.tokens import RADIUS

N = 20_000
CHANCE = 1e-4  # of a Kolmogorov-Smirnov test to fail under its null hypothesis; the seeds are fixed


def pairs(spec, n: int = N, do=None):
    world = draw_world(spec, generator=stream(0, "world"))
    return world, sample(spec, world, n, generator=stream(0, "noise"), do=do)


def correlations_in_se(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Correlations of z, z^2 and |z| of x with those of y, in standard errors 1 / sqrt(n) of independence."""

    def features(z: torch.Tensor) -> torch.Tensor:
        f = torch.cat((z, z.square(), z.abs()), 1).double()
        return (f - f.mean(0)) / f.std(0)

    return features(x).T @ features(y) / len(x) ** 0.5


def test_private_blocks_are_independent_of_everything():
    _, s = pairs(SentenceSCM(covariance="wishart"))
    for private in ("z_pr_img", "z_pr_tex"):
        others = torch.cat([z for name, z in s.latents.items() if name != private], 1)
        assert correlations_in_se(s.latents[private], others).abs().max() < 4.5  # 324 pairs: 0.2 % by chance
    _, s = pairs(SentenceSCM(private="shared"))
    assert torch.equal(s.latents["z_pr_img"], s.latents["z_pr_tex"])


def test_dependent_blocks_are_independent_of_each_other_given_z_inv():
    given_z_inv = {"z_inv": torch.tensor([0.5, -1.0, 0.3])}
    _, s = pairs(SentenceSCM(causal="nonlinear", covariance="wishart"), do=given_z_inv)
    assert correlations_in_se(s.latents["z_dp_img"], s.latents["z_dp_tex"]).abs().max() < 4
    for dp in ("perturbed", "equal"):
        _, s = pairs(SentenceSCM(dp=dp), do=given_z_inv)
        assert correlations_in_se(s.latents["z_dp_img"], s.latents["z_dp_tex"]).abs().max() > 50


def test_z_inv_causes_the_dependent_blocks():
    for causal in ("linear", "nonlinear"):
        _, s = pairs(SentenceSCM(causal=causal))
        for name in ("z_dp_img", "z_dp_tex"):
            assert correlations_in_se(s.latents["z_inv"], s.latents[name]).abs().max() > 20
    _, s = pairs(SentenceSCM(causal="none"))
    assert correlations_in_se(s.latents["z_inv"], s.latents["z_dp_img"]).abs().max() < 4


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_a_linear_block_is_an_affine_map_of_z_inv_plus_scaled_correlated_noise(noise):
    spec = SentenceSCM(causal="linear", covariance="wishart", noise=noise)
    world = draw_world(spec, generator=stream(0, "world"))
    u = draw_noise(spec, 1000, generator=stream(0, "noise"))
    z = push(spec, world, u).latents
    for name in ("dp_img", "dp_tex"):
        mean = world[f"{name}.offset"] + z["z_inv"] @ world[f"{name}.matrix"]
        expected = mean + noise * u[f"u_{name}"] @ world[f"{name}.cholesky"].T
        torch.testing.assert_close(z[f"z_{name}"], expected, atol=1e-5, rtol=1e-5)  # float32 sums of a few terms


@pytest.mark.parametrize("covariance", ["identity", "wishart"])
@pytest.mark.parametrize("model", [SentenceSCM, TokenSCM])
def test_a_normal_z_inv_has_the_covariance_of_its_world(model, covariance):
    world, s = pairs(model(covariance=covariance))
    z = s.latents["z_inv"].double()
    expected = world["inv.cholesky"].double() @ world["inv.cholesky"].double().T
    se = ((expected.diag()[:, None] * expected.diag() + expected.square()) / N).sqrt()
    assert ((z.T @ z / N - expected).abs() < 4 * se).all()
    for i in range(3):
        assert kstest((z[:, i] / expected[i, i].sqrt()).numpy(), norm.cdf).pvalue > CHANCE


@pytest.mark.parametrize("covariance", ["identity", "wishart"])
def test_a_uniform_z_inv_has_margins_of_variance_one_between_plus_and_minus_root_three(covariance):
    _, s = pairs(SentenceSCM(density="uniform", covariance=covariance))
    z = s.latents["z_inv"].double()
    root = 3**0.5
    assert z.abs().max() <= root + 1e-6  # rounding of float32 at 1.7
    assert ((z.var(0) - 1).abs() < 4 * (0.8 / N) ** 0.5).all()  # a uniform's kurtosis is 1.8
    for i in range(3):
        assert kstest(z[:, i].numpy(), uniform(-root, 2 * root).cdf).pvalue > CHANCE
    rank = correlations_in_se(z[:, :1], z[:, 1:2])[0, 0].abs()
    assert rank > 4 if covariance == "wishart" else rank < 4


def test_a_mixture_z_inv_has_the_closed_form_margins():
    world, s = pairs(SentenceSCM(density="mixture", components=4, covariance="wishart"))
    weight, centre = world["inv.log_odds"].double().softmax(-1), world["inv.centres"].double()
    sd = world["inv.cholesky"].double().square().sum(-1).sqrt()
    for i in range(3):

        def cdf(x, i=i):
            return sum(float(w) * norm.cdf(x, float(m[i]), float(sd[i])) for w, m in zip(weight, centre, strict=True))

        assert kstest(s.latents["z_inv"][:, i].double().numpy(), cdf).pvalue > CHANCE


def test_mixtures_have_a_second_moment_of_one_on_average_over_worlds():
    moments = []
    for seed in range(1000):
        w = draw_density("mixture", "identity", 1, 3, generator=stream(seed, "world"))
        within = w["cholesky"].square().squeeze()
        moments.append(within + (w["log_odds"].softmax(-1) * w["centres"].square()[:, 0]).sum())
    moments = torch.stack(moments)
    assert abs(moments.mean() - 1) < 4 * moments.std() / 1000**0.5


@pytest.mark.parametrize("change", [0.25, 0.75])
def test_the_share_of_perturbed_coordinates_is_the_probability_of_change(change):
    world, s = pairs(SentenceSCM(dp="perturbed", change=change, covariance="wishart", noise=0.7))
    step = (s.latents["z_dp_tex"] - s.latents["z_dp_img"]).double()
    changed = step != 0
    # Coordinates change independently of each other and of the image.
    assert ((changed.double().mean(0) - change).abs() < 4 * (change * (1 - change) / N) ** 0.5).all()
    together = (changed[:, 0] & changed[:, 1]).double().mean()
    assert abs(together - change**2) < 4 * (change**2 * (1 - change**2) / N) ** 0.5
    # Where they do, they move by noise * L u.
    expected = 0.7 * world["dp_tex.cholesky"].double().square().sum(-1).sqrt()
    for i in range(3):
        assert kstest((step[changed[:, i], i] / expected[i]).numpy(), norm.cdf).pvalue > CHANCE


def test_no_change_leaves_the_dependent_latents_equal_and_full_change_moves_them_all():
    _, s = pairs(SentenceSCM(dp="perturbed", change=0.0))
    assert torch.equal(s.latents["z_dp_tex"], s.latents["z_dp_img"])
    _, s = pairs(SentenceSCM(dp="perturbed", change=1.0))
    assert (s.latents["z_dp_tex"] != s.latents["z_dp_img"]).double().mean() > 0.9999  # but for steps lost to rounding
    _, s = pairs(SentenceSCM(dp="equal"))
    assert torch.equal(s.latents["z_dp_tex"], s.latents["z_dp_img"])


@pytest.mark.parametrize("dim", [1, 3, 5])
def test_wishart_covariances_have_the_moments_of_the_wishart_law(dim):
    draws = 3000
    factors = [draw_cholesky("wishart", dim, generator=stream(seed, "world")).double() for seed in range(draws)]
    factors = torch.stack(factors)
    assert torch.equal(factors, factors.tril())
    covariance = factors @ factors.mT
    # Wishart(I, d): mean d I, variance 2 d on and d off the diagonal.
    variance = dim * (torch.ones(dim, dim) + torch.eye(dim))
    error = (covariance.mean(0) - dim * torch.eye(dim)).abs()
    assert (error < 4 * (variance / draws) ** 0.5).all()
    assert torch.equal(draw_cholesky("identity", dim, generator=stream(0)), torch.eye(dim))


@pytest.mark.parametrize("spec", [TokenSCM(), TokenSCM(inv=8, tokens=9, token_dim=2), TokenSCM(tokens=5, token_dim=1)])
def test_tokens_live_in_disjoint_balls(spec):
    world, s = pairs(spec)
    centres = world["centres"]
    for i, name in enumerate(spec.names):
        assert (s.latents[name] - centres[i]).norm(dim=-1).max() < RADIUS
    for i, j in itertools.combinations(range(spec.tokens), 2):
        assert (centres[i] - centres[j]).norm() > 2 * RADIUS


@pytest.mark.parametrize("spec", [TokenSCM(), TokenSCM(inv=5, tokens=3), TokenSCM(inv=2, tokens=5, token_dim=1)])
def test_tokens_carry_z_inv_and_their_own_noise_without_loss_or_surplus(spec):
    noise = draw_noise(spec, 2, generator=stream(0))
    own = [noise[f"u_{i + 1}"].shape[1] for i in range(spec.tokens)]
    assert spec.inv + sum(own) == spec.tokens * spec.token_dim
    assert sum(spec.chunks) == spec.inv
    assert max(spec.chunks) - min(spec.chunks) <= 1


def test_tokens_depend_on_the_tokens_before_them_beyond_z_inv():
    _, s = pairs(TokenSCM(), do={"z_inv": torch.zeros(3)})
    assert correlations_in_se(s.latents["z_1"], s.latents["z_2"]).abs().max() > 10


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_concepts_of_a_scene_have_the_odds_of_the_world_and_are_independent(spread):
    spec = DiscreteTokenSCM(odds_spread=spread, objects=4)
    world, s = pairs(spec)
    scene = s.latents["z_inv"]
    for slot, size in enumerate(spec.sizes):
        p = world[f"log_odds.{slot}"].double().softmax(-1)
        found = torch.bincount(scene[:, slot], minlength=size) / N
        assert ((found - p).abs() < 4 * (p * (1 - p) / N).sqrt()).all()
        if not spread:
            torch.testing.assert_close(p, torch.full_like(p, 1 / size))
    one = [torch.nn.functional.one_hot(scene[:, slot])[:, 1:].double() for slot in range(5)]
    for a, b in itertools.combinations(one, 2):
        a, b = (a - a.mean(0)) / a.std(0), (b - b.mean(0)) / b.std(0)
        assert (a.T @ b / N**0.5).abs().max() < 4.5
    image = torch.nn.functional.one_hot(s.latents["z_1"]).double().mean(0)
    assert ((image - 1 / 4).abs() < 4 * (3 / 16 / N) ** 0.5).all()  # two words for each of two templates


def test_concepts_lie_evenly_on_a_circle():
    world = draw_world(DiscreteTokenSCM(objects=5), generator=stream(0, "world"))
    points = world["points.1"].double()
    torch.testing.assert_close(points.norm(dim=1), torch.full((5,), 1.5, dtype=torch.float64), atol=1e-6, rtol=0)
    chord = 2 * 1.5 * torch.sin(torch.tensor(torch.pi / 5, dtype=torch.float64))
    neighbours = (points - points.roll(1, 0)).norm(dim=1)
    torch.testing.assert_close(neighbours, chord.expand(5), atol=1e-5, rtol=0)
