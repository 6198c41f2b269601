from itertools import pairwise

import pytest
import torch

from scmlab.models import Encoder, EncoderSpec
from scmlab.scm import Shape, stream

VECTOR, TOKENS, WORDS = Shape((6,)), Shape((5, 3)), Shape((5,), 11)
CASES = {
    "mlp_vector": (EncoderSpec(4, width=16), VECTOR),
    "mlp_widths": (EncoderSpec(4, widths=(8, 24)), VECTOR),
    "mlp_tokens": (EncoderSpec(4, width=16), TOKENS),
    "mlp_words": (EncoderSpec(4, width=16), WORDS),
    "transformer_tokens": (EncoderSpec(4, "transformer", width=16, depth=2, heads=2), TOKENS),
    "transformer_words": (EncoderSpec(4, "transformer", width=16, depth=1), WORDS),
    "bag_tokens": (EncoderSpec(4, "bag", width=16), TOKENS),
    "bag_words": (EncoderSpec(4, "bag", width=16), WORDS),
}
# A batched product sums in another order than a single one: float32 rounding of sums of tens of terms of order 1.
ROUNDING = 2e-6


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request) -> tuple[EncoderSpec, Shape]:
    return request.param


def build(spec: EncoderSpec, shape: Shape, seeds=(0, 1, 2)) -> Encoder:
    return Encoder(spec, shape, generators=[stream(seed, "init") for seed in seeds])


def observe(shape: Shape, members: int = 3, n: int = 40, seed: int = 0) -> torch.Tensor:
    if shape.vocabulary:
        return torch.randint(shape.vocabulary, (members, n, *shape.dims), generator=stream(seed, "x"))
    return torch.randn(members, n, *shape.dims, generator=stream(seed, "x"))


def with_space(spec: EncoderSpec, space: str) -> EncoderSpec:
    return EncoderSpec(**{**vars(spec), "space": space})


def test_codes_have_one_row_per_pair_and_member(case):
    spec, shape = case
    encoder = build(*case)
    assert encoder(observe(shape)).shape == (3, 40, spec.out)
    assert encoder.members == 3


def test_codes_lie_in_the_space_of_the_spec(case):
    spec, shape = case
    x = observe(shape)
    real = build(spec, shape)(x)
    sphere = build(with_space(spec, "sphere"), shape)(x)
    cube = build(with_space(spec, "cube"), shape)(x)
    assert (sphere.norm(dim=-1) - 1).abs().max() < 1e-6
    assert 0 < cube.min() < cube.max() < 1
    torch.testing.assert_close(sphere * real.norm(dim=-1, keepdim=True), real, atol=1e-6, rtol=0)
    torch.testing.assert_close(cube.logit(), real, atol=1e-5, rtol=0)


def shuffled(x: torch.Tensor) -> torch.Tensor:
    """The tokens of every row in another order."""
    return x[:, :, torch.tensor([3, 0, 4, 1, 2])]


@pytest.mark.parametrize("shape", [TOKENS, WORDS], ids=["tokens", "words"])
def test_a_bag_is_blind_to_the_order_of_tokens_and_the_others_are_not(shape):
    x = observe(shape)
    change = {}
    for kind in ("bag", "transformer", "mlp"):
        encoder = build(EncoderSpec(4, kind, width=16, heads=2), shape)
        encoder.standardise(x + torch.arange(5)[:, None] if not shape.vocabulary else x)  # positions of unlike means
        change[kind] = (encoder(x) - encoder(shuffled(x))).abs().max().item()
    assert change["bag"] < ROUNDING
    assert min(change["transformer"], change["mlp"]) > 0.01


def test_a_member_starts_as_the_same_encoder_as_that_member_alone(case):
    together = build(*case)
    for i, seed in enumerate((0, 1, 2)):
        alone = build(*case, seeds=(seed,))
        for (name, a), (_, b) in zip(together.named_parameters(), alone.named_parameters(), strict=True):
            assert torch.equal(a[i], b[0]), name
        x = observe(case[1])
        torch.testing.assert_close(together(x)[i], alone(x[i : i + 1])[0], atol=ROUNDING, rtol=ROUNDING)
    assert not torch.equal(*(next(build(*case, seeds=(s,)).parameters()) for s in (0, 1)))


def test_a_member_reads_its_own_slice_and_weights_only(case):
    encoder, x = build(*case), observe(case[1])
    before = encoder(x)
    other = x.clone()
    other[2] = observe(case[1], seed=1)[2]
    with torch.no_grad():
        for p in encoder.parameters():
            p[2] += 1
    after = encoder(other)
    assert torch.equal(after[:2], before[:2])
    assert not torch.equal(after[2], before[2])


def test_a_member_gets_the_gradient_of_its_own_loss_only(case):
    encoder, x = build(*case), observe(case[1])
    encoder(x)[1].square().sum().backward()
    for name, p in encoder.named_parameters():
        assert not p.grad[[0, 2]].any(), name
        assert p.grad[1].any() or name.endswith("qkv.bias"), name


@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_standardising_gives_every_input_coordinate_mean_zero_and_variance_one(kind):
    encoder = build(EncoderSpec(2, kind, width=8, heads=2), TOKENS)
    x = observe(TOKENS, n=500) * torch.tensor([0.1, 1.0, 30.0]) + torch.arange(15.0).view(5, 3)
    x = x * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
    encoder.standardise(x)
    seen = (x - encoder.centre) / encoder.spread
    assert seen.mean(1).abs().max() < 1e-5  # float32 sums of 500
    assert (seen.std(1) - 1).abs().max() < 1e-5


def test_a_bag_standardises_all_positions_by_one_map():
    encoder = build(EncoderSpec(2, "bag", width=8), TOKENS)
    x = observe(TOKENS, n=500) + torch.arange(15.0).view(5, 3)
    encoder.standardise(x)
    seen = ((x - encoder.centre) / encoder.spread).flatten(1, 2)
    assert seen.mean(1).abs().max() < 1e-5
    assert (seen.std(1) - 1).abs().max() < 1e-5
    assert torch.equal(encoder.centre, encoder.centre[:, :, :1].expand_as(encoder.centre))
    assert torch.equal(encoder.spread, encoder.spread[:, :, :1].expand_as(encoder.spread))


def test_standardised_encoders_ignore_the_origin_and_units_of_observations():
    x = observe(VECTOR, n=500)
    moved = x * torch.tensor([1e-3, 1.0, 10.0, 7.0, 2.0, 50.0]) + 5.0
    a, b = build(EncoderSpec(4), VECTOR), build(EncoderSpec(4), VECTOR)
    assert not torch.allclose(a(x), b(moved), atol=0.1)
    a.standardise(x)
    b.standardise(moved)
    torch.testing.assert_close(a(x), b(moved), atol=2e-3, rtol=0)  # 5 +- 1e-3 keeps four digits in float32


def test_a_constant_coordinate_and_words_pass_the_standardisation():
    encoder = build(EncoderSpec(4), VECTOR)
    x = observe(VECTOR)
    x[..., 0] = 3.0
    encoder.standardise(x)
    assert encoder(x).isfinite().all()
    words = build(EncoderSpec(4), WORDS)
    words.standardise(observe(WORDS))
    assert torch.equal(words.centre, torch.zeros_like(words.centre))


def test_the_widths_of_an_mlp_are_those_of_the_spec():
    def sizes(spec: EncoderSpec) -> list[tuple[int, int]]:
        return [tuple(layer.weight.shape[1:]) for layer in build(spec, VECTOR).body.stack.layers]

    assert sizes(EncoderSpec(4, width=16, depth=2)) == list(pairwise((6, 16, 16, 4)))
    assert sizes(EncoderSpec(4, widths=(8, 24, 3))) == list(pairwise((6, 8, 24, 3, 4)))


def test_building_and_encoding_leave_the_global_random_state_as_it_was(case):
    before = torch.get_rng_state()
    build(*case)(observe(case[1]))
    assert torch.equal(torch.get_rng_state(), before)


NOT_COUNTS = (0, -1, 1.5, 2.0, float("nan"), True)
INVALID = [
    *(({name: value}, name) for name in ("out", "width", "depth", "heads") for value in NOT_COUNTS),
    ({"kind": "cnn"}, "kind"),
    ({"space": "ball"}, "space"),
    ({"kind": "transformer", "width": 10, "heads": 4}, "width"),
    ({"widths": (8, 0)}, "widths"),
    ({"widths": (8, 2.5)}, "widths"),
    ({"kind": "bag", "widths": (8,)}, "widths"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "name"), INVALID, ids=str)
def test_an_invalid_field_is_refused_by_name_and_value(fields, name, refuses):
    spec = EncoderSpec(4)
    for field, value in fields.items():
        object.__setattr__(spec, field, value)
    with refuses(f"`{name}`", fields[name]):
        spec.__post_init__()  # not EncoderSpec(**fields): the tests' own enforcement of annotations would come first


@pytest.mark.parametrize("kind", ["transformer", "bag"])
def test_encoders_of_tokens_refuse_vectors(kind, refuses):
    with refuses("kind", "mlp", (6,)):
        build(EncoderSpec(4, kind), VECTOR)


def test_a_member_can_be_taken_out_and_lives_on_its_own(case):
    encoder, x = build(*case), observe(case[1])
    encoder.standardise(x)
    alone = encoder.alone(1)
    assert alone.members == 1
    torch.testing.assert_close(alone(x[1:2]), encoder(x)[1:2], atol=ROUNDING, rtol=ROUNDING)
    with torch.no_grad():
        for p in alone.parameters():
            p.zero_()
    assert all(p.any() for name, p in encoder.named_parameters() if "offset" not in name)


@pytest.mark.parametrize(("activation", "function"), [("silu", torch.nn.SiLU()), ("leaky_relu", torch.nn.LeakyReLU())])
def test_the_activation_stands_between_the_layers_of_an_mlp_and_not_after_the_last(activation, function):
    spec = EncoderSpec(2, widths=(4, 3), activation=activation)
    encoder = Encoder(spec, Shape((5,)), generators=[stream(0)])
    x = torch.randn(7, 5, generator=stream(1))
    plain = x
    for i, layer in enumerate(encoder.body.stack.layers):
        plain = plain @ layer.weight[0] + layer.bias[0]
        plain = function(plain) if i < 2 else plain
    torch.testing.assert_close(encoder(x[None])[0], plain)
    assert (plain < 0).any()
