import dataclasses

import pytest
import torch

from scmlab.scm import (
    DiscreteTokenSCM,
    Mixing,
    SentenceSCM,
    TokenSCM,
    describe,
    draw_world,
    own_noise,
    push,
    sample,
    sides,
    stream,
)
from scmlab.scm import noise as draw_noise

NAN, INF = float("nan"), float("inf")
NOT_COUNTS = (-1, 1.0, 2.5, NAN, INF, True)  # a bool is no dimension, and neither is a float
NOT_SIZES = (-0.1, NAN, INF)


def every(model, fields: str, values, **valid):
    return [(model, {**valid, field: value}, field) for field in fields.split() for value in values]


INVALID = [
    *every(SentenceSCM, "inv components", (0, *NOT_COUNTS)),
    *every(SentenceSCM, "dp_img dp_tex pr_img pr_tex dropped", NOT_COUNTS),
    *every(SentenceSCM, "noise corruption", NOT_SIZES),
    *every(SentenceSCM, "change", (1.01, *NOT_SIZES)),
    *every(SentenceSCM, "density covariance causal dp private", ("nope", "")),
    *every(SentenceSCM, "dropped", (3, 4)),
    *every(SentenceSCM, "dp_tex", (2,), dp="equal"),
    *every(SentenceSCM, "dp_tex", (2,), dp="perturbed"),
    *every(SentenceSCM, "pr_tex", (2,), private="shared"),
    *every(TokenSCM, "inv tokens token_dim components", (0, *NOT_COUNTS)),
    *every(TokenSCM, "dp_img pr_img", NOT_COUNTS),
    *every(TokenSCM, "noise", NOT_SIZES),
    *every(TokenSCM, "density covariance causal", ("nope", "")),
    *every(TokenSCM, "tokens", (2,), inv=7),
    *every(TokenSCM, "token_dim", (1,), inv=5),
    *every(DiscreteTokenSCM, "attributes objects relations", (0, 1, *NOT_COUNTS)),
    *every(DiscreteTokenSCM, "synonyms function_words", (0, *NOT_COUNTS)),
    *every(DiscreteTokenSCM, "dp_img pr_img", NOT_COUNTS),
    *every(DiscreteTokenSCM, "noise odds_spread", NOT_SIZES),
    *every(DiscreteTokenSCM, "covariance causal", ("nope", "")),
    *every(Mixing, "layers hidden", (0, *NOT_COUNTS)),
    *every(Mixing, "log_scale", (3.1, *NOT_SIZES)),
    *every(Mixing, "condition", (0.9, *NOT_SIZES)),
    *every(Mixing, "kind", ("nope",)),
]


@pytest.mark.parametrize(("model", "fields", "name"), INVALID, ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_invalid_field_is_refused_by_name_and_value(model, fields, name, refuses):
    spec = model()
    for field, value in fields.items():
        object.__setattr__(spec, field, value)
    with refuses(f"{name}`", fields[name]):
        spec.__post_init__()  # not model(**fields): the tests' own enforcement of annotations would come first


def test_a_shared_mixing_needs_observations_of_one_dimension(refuses):
    with refuses("shared_mixing", 9, 8):
        SentenceSCM(shared_mixing=True, pr_tex=2)


EDGES = [
    SentenceSCM(inv=1, dp_img=0, dp_tex=0, pr_img=0, pr_tex=0),
    SentenceSCM(noise=0.0, dropped=2, dp_img=0, dp_tex=0),
    SentenceSCM(dp_img=0, pr_tex=0, covariance="wishart", causal="linear"),
    TokenSCM(inv=12),
    TokenSCM(inv=1, tokens=1, token_dim=1, dp_img=0, pr_img=0),
    DiscreteTokenSCM(attributes=2, objects=2, relations=2, synonyms=1, function_words=1, dp_img=0, pr_img=0),
]


@pytest.mark.parametrize("spec", EDGES, ids=str)
def test_specs_at_the_edge_of_their_range_can_be_sampled(spec):
    world = draw_world(spec, generator=stream(0, "world"))
    s = sample(spec, world, 5, generator=stream(0, "train"))
    assert s.image.isfinite().all()
    assert len(s.text) == 5


@pytest.mark.parametrize("spec", EDGES, ids=str)
def test_the_sides_name_the_blocks_that_have_noise_of_their_own(spec):
    world = draw_world(spec, generator=stream(0, "world"))
    noise, fresh = (draw_noise(spec, 50, generator=stream(seed, "noise")) for seed in (0, 1))
    fact = push(spec, world, noise)
    for side, names in sides(spec).items():
        assert names[0] == "z_inv"
        for name in fact.latents:
            if name == "z_inv" or name.endswith("img") == (side == "image"):
                redrawn = noise | {term: fresh[term] for term in own_noise(spec)[name]}
                moves = not torch.equal(getattr(push(spec, world, redrawn), side), getattr(fact, side))
                assert (name in names) == moves, name


def test_a_spec_is_a_value(spec):
    assert dataclasses.replace(spec) == spec
    assert hash(dataclasses.replace(spec)) == hash(spec)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.noise = 2.0


def test_the_description_mentions_every_latent_noise_and_observation(spec, drawn):
    world, noise = drawn(spec, 2)
    text = describe(spec)
    for name in push(spec, world, noise).latents:
        if isinstance(spec, DiscreteTokenSCM) and name not in ("z_1",) and name[2:].isdigit():
            name = "z_i"  # tokens after the first share one line
        assert f"{name} " in text
    assert "x_img" in text
    assert "x_tex" in text
    assert str(spec.image_dim) in text


CHANGES = [
    *((SentenceSCM(), change) for change in (
        {"inv": 4}, {"dp_img": 4}, {"dp_tex": 4}, {"pr_img": 4}, {"pr_tex": 4}, {"density": "uniform"},
        {"density": "mixture"}, {"causal": "none"}, {"causal": "linear"}, {"noise": 0.5}, {"dp": "perturbed"},
        {"dp": "equal"}, {"private": "shared"}, {"dropped": 1}, {"corruption": 0.2}, {"shared_mixing": True},
    )),
    (SentenceSCM(density="mixture"), {"components": 4}),
    (SentenceSCM(dp="perturbed"), {"change": 0.5}),
    *((TokenSCM(), change) for change in (
        {"inv": 4}, {"dp_img": 4}, {"pr_img": 4}, {"tokens": 5}, {"token_dim": 4}, {"density": "uniform"},
        {"causal": "none"}, {"noise": 0.5}, {"shared_mixing": False},
    )),
    *((DiscreteTokenSCM(), change) for change in (
        {"attributes": 5}, {"objects": 5}, {"relations": 5}, {"synonyms": 5}, {"function_words": 5}, {"dp_img": 4},
        {"pr_img": 4}, {"causal": "none"}, {"noise": 0.5},
    )),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "change"), CHANGES)
def test_the_description_changes_with_the_options(spec, change):
    assert describe(dataclasses.replace(spec, **change)) != describe(spec)
