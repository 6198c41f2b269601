import pytest
import torch

from scmlab.scm import DiscreteTokenSCM, Mixing, Sample, SentenceSCM, TokenSCM, invert, push, stream
from scmlab.scm import noise as draw_noise


def same(a: Sample, b: Sample) -> bool:
    latents = a.latents.keys() == b.latents.keys() and all(torch.equal(a.latents[k], b.latents[k]) for k in a.latents)
    return latents and torch.equal(a.image, b.image) and torch.equal(a.text, b.text)


def moved(a: Sample, b: Sample) -> set[str]:
    """The names of what differs in any bit."""
    changed = {name for name in a.latents if not torch.equal(a.latents[name], b.latents[name])}
    return changed | {side for side in ("image", "text") if not torch.equal(getattr(a, side), getattr(b, side))}


def test_do_of_the_factual_value_returns_the_factual_sample_bit_for_bit(spec, drawn):
    world, noise = drawn(spec)
    fact = push(spec, world, noise)
    for name, value in fact.latents.items():
        assert same(push(spec, world, noise, {name: value}), fact), name
        assert same(push(spec, world, noise, {name: lambda z, name=name: z[name]}), fact), name
    assert same(push(spec, world, noise, fact.latents), fact)
    assert same(push(spec, world, noise, {}), fact)


def test_do_replaces_the_equation_and_the_rest_follows(spec, drawn):
    world, noise = drawn(spec)
    other = push(spec, world, draw_noise(spec, 64, generator=stream(1, "noise")))
    fact = push(spec, world, noise)
    for name, value in other.latents.items():
        after = push(spec, world, noise, {name: value})
        assert torch.equal(after.latents[name], value)
        assert name in moved(fact, after)
        # what the intervention left behind is the factual sample of its own latents
        assert same(push(spec, world, noise, after.latents), after)


@pytest.mark.parametrize("model", [SentenceSCM(), TokenSCM()], ids=["sentence", "tokens"])
def test_a_function_sees_the_natural_value_of_its_latent_and_those_before_it(model, drawn):
    world, noise = drawn(model)
    fact = push(model, world, noise)
    by_function = push(model, world, noise, {"z_inv": lambda z: z["z_inv"] + 1})
    assert same(by_function, push(model, world, noise, {"z_inv": fact.latents["z_inv"] + 1}))
    seen = {}

    def copy_first(z):
        seen.update(z)
        return z["z_inv"][:, :1].expand_as(z["z_dp_img"])

    after = push(model, world, noise, {"z_inv": fact.latents["z_inv"] + 1, "z_dp_img": copy_first})
    assert set(seen) == {"z_inv", "z_dp_img"}
    assert torch.equal(seen["z_inv"], fact.latents["z_inv"] + 1)  # the intervened parent,
    assert torch.equal(seen["z_dp_img"], by_function.latents["z_dp_img"])  # and the value natural under it
    assert torch.equal(after.latents["z_dp_img"], fact.latents["z_inv"][:, :1].expand(-1, model.dp_img) + 1)


def test_values_broadcast_over_the_pairs(drawn):
    world, noise = drawn(SentenceSCM())
    value = torch.tensor([1.0, -2.0, 0.5])
    for shape in ((3,), (1, 3)):
        after = push(SentenceSCM(), world, noise, {"z_inv": value.view(shape)})
        assert same(after, push(SentenceSCM(), world, noise, {"z_inv": value.expand(64, 3)}))
    zero = push(SentenceSCM(), world, noise, {"z_pr_img": torch.tensor(0)})
    assert torch.equal(zero.latents["z_pr_img"], torch.zeros(64, 3))
    spec = DiscreteTokenSCM()
    world, noise = drawn(spec)
    scene = push(spec, world, noise, {"z_inv": torch.tensor([1, 2, 0, 0, 1])})
    assert torch.equal(invert(spec, world, "text", scene.text), torch.tensor([1, 2, 0, 0, 1]).expand(64, 5))


def test_an_unknown_latent_or_a_shape_that_does_not_broadcast_is_refused(spec, drawn, refuses):
    world, noise = drawn(spec)
    with refuses("do", "z_style", "z_inv, z_dp_img"):
        push(spec, world, noise, {"z_style": torch.zeros(1)})
    for shape in ((7,), (63, 1), (2, 64, 1)):
        with refuses("do['z_inv']", shape, tuple(push(spec, world, noise).latents["z_inv"].shape)):
            push(spec, world, noise, {"z_inv": torch.zeros(shape)})
    with refuses("z_pr_img", (7,)):
        push(spec, world, noise, {"z_pr_img": lambda z: torch.zeros(7)})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.5, -1, 3, 999])
@pytest.mark.parametrize("name", ["z_inv", "z_1"])
def test_a_discrete_latent_takes_no_value_that_it_does_not_have(name, value, drawn, refuses):
    spec = DiscreteTokenSCM()
    world, noise = drawn(spec)
    action = {name: torch.tensor(value)}
    if (name, value) == ("z_1", 3):  # a function word: there are four of them
        assert (push(spec, world, noise, action).latents[name] == value).all()
        return
    with refuses(f"do['{name}']", "whole"):
        push(spec, world, noise, action)


def test_each_slot_of_a_scene_has_its_own_values(drawn, refuses):
    spec = DiscreteTokenSCM(attributes=2, objects=3)
    world, noise = drawn(spec)
    push(spec, world, noise, {"z_inv": torch.tensor([1, 2, 0, 1, 2])})
    with refuses("do['z_inv']", "got 2"):
        push(spec, world, noise, {"z_inv": torch.tensor([2, 2, 0, 1, 2])})


DESCENDANTS = [
    (SentenceSCM(), "z_dp_img", {"z_dp_img", "image"}),
    (SentenceSCM(), "z_pr_img", {"z_pr_img", "image"}),
    (SentenceSCM(), "z_dp_tex", {"z_dp_tex", "text"}),
    (SentenceSCM(), "z_pr_tex", {"z_pr_tex", "text"}),
    (SentenceSCM(), "z_inv", {"z_inv", "z_dp_img", "z_dp_tex", "image", "text"}),
    (SentenceSCM(causal="linear"), "z_inv", {"z_inv", "z_dp_img", "z_dp_tex", "image", "text"}),
    (SentenceSCM(causal="none"), "z_inv", {"z_inv", "image", "text"}),
    (SentenceSCM(dp="perturbed"), "z_dp_img", {"z_dp_img", "z_dp_tex", "image", "text"}),
    (SentenceSCM(dp="equal"), "z_dp_img", {"z_dp_img", "z_dp_tex", "image", "text"}),
    (SentenceSCM(dp="equal"), "z_dp_tex", {"z_dp_tex", "text"}),
    (SentenceSCM(private="shared"), "z_pr_img", {"z_pr_img", "z_pr_tex", "image", "text"}),
    (SentenceSCM(private="shared"), "z_pr_tex", {"z_pr_tex", "text"}),
    (TokenSCM(), "z_dp_img", {"z_dp_img", "image"}),
    (TokenSCM(), "z_2", {"z_2", "z_3", "z_4", "text"}),
    (TokenSCM(), "z_4", {"z_4", "text"}),
    (TokenSCM(), "z_inv", {"z_inv", "z_dp_img", "z_2", "z_3", "z_4", "image", "text"}),  # 3 coordinates in 4 tokens
    (DiscreteTokenSCM(), "z_1", {"z_1", "z_2", "z_3", "z_4", "z_5", "z_6", "text"}),
    (DiscreteTokenSCM(), "z_3", {"z_3", "text"}),
    (DiscreteTokenSCM(), "z_dp_img", {"z_dp_img", "image"}),
    (DiscreteTokenSCM(), "z_inv", {"z_inv", "z_dp_img", "z_2", "z_3", "z_4", "z_5", "z_6", "image", "text"}),
]


@pytest.mark.parametrize(("model", "name", "descendants"), DESCENDANTS)
def test_an_intervention_moves_exactly_its_descendants(model, name, descendants, drawn):
    world, noise = drawn(model)
    fact = push(model, world, noise)
    value = push(model, world, draw_noise(model, 64, generator=stream(1, "noise"))).latents[name]
    assert moved(fact, push(model, world, noise, {name: value})) == descendants


def test_dropped_coordinates_of_z_inv_reach_the_text_only(drawn):
    spec = SentenceSCM(dropped=2, causal="none")
    world, noise = drawn(spec)
    fact = push(spec, world, noise)

    def shift(coordinate: int):
        one = torch.zeros(3)
        one[coordinate] = 1.0
        return push(spec, world, noise, {"z_inv": lambda z: z["z_inv"] + one})

    assert moved(fact, shift(0)) == {"z_inv", "image", "text"}
    assert moved(fact, shift(1)) == moved(fact, shift(2)) == {"z_inv", "text"}


@pytest.mark.parametrize("model", [TokenSCM(), TokenSCM(shared_mixing=False, mixing=Mixing(kind="leaky_mlp"))])
def test_a_token_never_reaches_the_words_before_it_and_always_those_after_it(model, drawn):
    world, noise = drawn(model)
    fact = push(model, world, noise)
    for i, name in enumerate(model.names):
        after = push(model, world, noise, {name: lambda z, name=name: z[name] + 0.5})
        assert torch.equal(after.text[:, :i], fact.text[:, :i])
        assert not (after.text[:, i:] == fact.text[:, i:]).flatten(2).all(-1).any(), "a later word did not move"


def test_redrawing_a_noise_term_moves_its_latent_and_what_follows_only(spec, drawn):
    world, noise = drawn(spec)
    fresh = draw_noise(spec, 64, generator=stream(1, "noise"))
    fact = push(spec, world, noise)
    first = {"u_component": "z_inv", "u_change": "z_dp_tex"}
    for term in noise:
        changed = moved(fact, push(spec, world, {**noise, term: fresh[term]}))
        name = first.get(term, term.replace("u", "z", 1))
        if term == "u_corruption":
            assert changed == {"text"}
        elif not changed:  # dimension 0, or an equation that does not use its noise
            assert fresh[term].numel() == 0 or spec.dp == "equal" or spec.private == "shared"
        else:
            assert name in changed
            order = list(fact.latents)
            assert not changed & set(order[: order.index(name)])


def test_a_function_that_reads_what_is_not_solved_yet_or_returns_no_numbers_is_refused(drawn, refuses):
    spec = SentenceSCM()
    world, noise = drawn(spec)
    with refuses("do['z_inv']", "solved by then", "z_dp_img"):
        push(spec, world, noise, {"z_inv": lambda z: z["z_dp_img"]})
    with refuses("do['z_inv']", "must be numbers", "None"):
        push(spec, world, noise, {"z_inv": lambda z: None})
