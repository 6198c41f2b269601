import math
from itertools import pairwise

import pytest
import torch

from scmlab.models import EncoderSpec
from scmlab.objectives import Objective, alignment, discrete_floor
from scmlab.scm import DiscreteTokenSCM, SentenceSCM, TokenSCM, sample, stream
from scmlab.training import Trained, TrainSpec, loop, member, train
from scmlab.training.loop import clip_members
from scmlab.training.members import build_pair
from scmlab.training.spec import learning_rate


def same(a: Trained, b: Trained) -> bool:
    left, right = a.pair.state_dict(), b.pair.state_dict()
    return torch.equal(a.history, b.history) and all(torch.equal(left[name], right[name]) for name in left)


def test_the_same_call_gives_the_same_weights_and_losses_bit_for_bit(fit):
    before = torch.get_rng_state()
    once = fit()
    assert same(once, fit())
    assert not same(once, fit(seeds=(0, 2)))
    assert torch.equal(torch.get_rng_state(), before)  # and does not touch the global random state


@pytest.mark.parametrize(
    "objective", [Objective(), Objective("infonce_within", "cosine", 0.5)], ids=["cross", "within"]
)
@pytest.mark.parametrize("kind", ["mlp", "transformer"])
def test_a_member_of_an_ensemble_is_the_model_that_it_would_be_alone(fit, objective, kind):
    scm = TokenSCM() if kind == "transformer" else SentenceSCM()
    image, text = EncoderSpec(2, width=16, depth=1), EncoderSpec(2, kind, width=16, depth=1, heads=2)

    def run(seeds):
        members = [member(seed, scm) for seed in seeds]
        return train(members, image, text, objective, TrainSpec(steps=40, batch=32, block=8, lr=1e-3))

    together = run((0, 1, 2))
    for i, seed in enumerate((0, 1, 2)):
        alone = run((seed,))
        # Batched products sum in another order. Adam divides a gradient by its own size, so that rounding of 1e-7 in a
        # small gradient may move a weight by up to lr = 1e-3 per step; the losses feel far less of it.
        torch.testing.assert_close(together.history[:1, i], alone.history[:1, 0], atol=0, rtol=2e-6)
        torch.testing.assert_close(together.history[:, i], alone.history[:, 0], atol=0, rtol=1e-3)
        for a, b in zip(together.pair.parameters(), alone.pair.parameters(), strict=True):
            assert (a[i] - b[0]).abs().mean() < 1e-4
    assert (together.history[:, 0] - together.history[:, 1]).abs().max() > 0.05


def test_one_members_data_do_not_reach_another(fit):
    a, b = fit(seeds=(0, 1, 2)), fit(seeds=(0, 5, 2))
    assert torch.equal(a.history[:, [0, 2]], b.history[:, [0, 2]])
    for p, q in zip(a.pair.parameters(), b.pair.parameters(), strict=True):
        assert torch.equal(p[[0, 2]], q[[0, 2]])
    assert not torch.equal(a.history[:, 1], b.history[:, 1])


def test_history_has_a_row_per_step_and_every_block_is_announced(fit):
    announced = []
    done = fit(seeds=(0, 1, 2), on_block=announced.append)
    assert done.history.shape == (44, 3)
    assert announced == [8, 16, 24, 32, 40, 44]


def test_the_first_loss_is_that_of_the_fresh_encoders_on_the_first_batch(fit):
    members = [member(seed, SentenceSCM()) for seed in (0, 1)]
    encoder = EncoderSpec(2, width=16, depth=1)
    done = train(members, encoder, encoder, Objective("alignment"), TrainSpec(steps=1, batch=32, block=1))
    pair = build_pair(members, encoder, encoder)
    for i, m in enumerate(members):
        s = sample(m.scm, m.world, 32, generator=stream(m.seed, "train"))
        codes = pair(s.image.expand(2, -1, -1), s.text.expand(2, -1, -1))
        torch.testing.assert_close(done.history[0, i], alignment(*codes)[i].detach(), atol=0, rtol=1e-5)


def test_the_first_step_moves_every_weight_by_the_first_learning_rate_at_most(fit):
    for clip in (0.0, 1e-3):  # Adam's first step is the sign of the gradient, clipped or not
        done = fit(steps=1, lr=0.01, warmup=0.0, clip=clip)
        start = build_pair([member(seed, done_scm()) for seed in (0, 1)], *(EncoderSpec(2, width=16, depth=1),) * 2)
        moves = torch.cat(
            [(a - b).abs().flatten() for a, b in zip(done.pair.parameters(), start.parameters(), strict=True)]
        )
        assert moves.max().item() == pytest.approx(0.01, rel=1e-3)


def done_scm():
    return SentenceSCM(inv=2, dp_img=1, dp_tex=1, pr_img=1, pr_tex=1)


def test_the_encoders_of_a_pair_start_unlike_and_standardised():
    members = [member(seed, SentenceSCM()) for seed in (0, 1)]
    encoder = EncoderSpec(2, width=16, depth=1)
    pair = build_pair(members, encoder, encoder)
    assert not torch.equal(next(pair.image.parameters()), next(pair.text.parameters()))
    for i, m in enumerate(members):
        s = sample(m.scm, m.world, 4096, generator=stream(100, "other"))
        for encoder, x in ((pair.image, s.image), (pair.text, s.text)):
            seen = (x - encoder.centre[i]) / encoder.spread[i]
            # Two independent samples of 4,096 differ by sqrt(2 / 4096) = 2 % in standard errors of their means.
            assert seen.mean(0).abs().max() < 4 * (2 / 4096) ** 0.5
            assert (seen.std(0) - 1).abs().max() < 0.1  # heavier tails than a Gaussian's


def test_members_of_unlike_observations_are_refused(refuses):
    members = [member(0, SentenceSCM()), member(1, SentenceSCM(inv=4))]
    with refuses("members", 9, 10):
        build_pair(members, EncoderSpec(2), EncoderSpec(2))


def test_a_short_training_of_the_sentence_model_improves_the_loss_by_a_wide_margin():
    scm = SentenceSCM(inv=2, dp_img=1, dp_tex=1, pr_img=1, pr_tex=1)
    encoder = EncoderSpec(2, width=64, depth=2)
    done = train([member(s, scm) for s in (0, 1)], encoder, encoder, Objective(), TrainSpec(steps=300, batch=128))
    first, last = done.history[:10].mean(0), done.history[-10:].mean(0)
    assert (first > math.log(128) - 1).all()  # about that of guessing
    assert (last < first - 1.5).all()  # 4.5 times fewer candidates left


def test_a_short_training_of_the_discrete_model_approaches_its_floor_from_above():
    scm = DiscreteTokenSCM(attributes=2, objects=2, relations=2, odds_spread=0.0)
    text = EncoderSpec(8, width=64, depth=2)
    done = train([member(0, scm)], text, text, Objective(), TrainSpec(steps=300, batch=64))
    bound = discrete_floor(torch.full((32,), 1 / 32), 64)
    last = done.history[-20:].mean()
    assert bound - 0.05 < last < bound + 1  # 20 batches, whose floors differ by 0.05 each
    assert done.history[0] > bound + 2.5  # about log 64 - 1


def gradients(members: int, scale=(0.01, 1.0, 100.0)) -> list[torch.Tensor]:
    g = torch.Generator().manual_seed(0)
    sizes = torch.tensor(scale)[:members]
    return [
        torch.randn(members, *shape, generator=g) * sizes.view(-1, *[1] * len(shape))
        for shape in ((3, 4), (1, 4), (5, 2, 2))
    ]


def test_clipping_scales_each_members_gradient_as_alone():
    found = gradients(3)
    expected = [g.clone() for g in found]
    clip_members(found, 2.0)
    for i in range(3):
        norm = torch.cat([g[i].flatten() for g in expected]).norm()
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a[i], b[i] * min(1.0, 2.0 / norm.item()), rtol=1e-6, atol=0)
            if norm < 2:
                assert torch.equal(a[i], b[i])  # untouched
        limited = torch.cat([g[i].flatten() for g in found]).norm()
        assert limited <= 2.0 * (1 + 1e-6)
    assert torch.cat([g[2].flatten() for g in found]).norm().item() == pytest.approx(2.0, rel=1e-6)


def test_clipping_leaves_zero_gradients_and_the_neighbours_of_infinite_ones():
    found = gradients(3, scale=(0.0, 0.01, 1.0))
    found[0][2, 0, 0] = torch.inf
    before = [g.clone() for g in found]
    clip_members(found, 2.0)
    for a, b in zip(found, before, strict=True):
        assert torch.equal(a[:2], b[:2])
    assert not torch.cat([g[2].flatten() for g in found]).isfinite().all()  # not hidden


def test_training_clips_by_the_limit_of_the_spec(fit, monkeypatch):
    limits = []
    monkeypatch.setattr(loop, "clip_members", lambda grads, limit: limits.append(limit))
    fit(clip=0.7)
    assert limits == [0.7] * 44
    fit(clip=0.0)
    assert len(limits) == 44


@pytest.mark.parametrize(("steps", "warmup"), [(100, 0.05), (100, 0.5), (7, 0.3), (10, 0.05)])
def test_the_learning_rate_rises_to_its_peak_and_falls_to_zero(steps, warmup):
    spec = TrainSpec(steps=steps, warmup=warmup, lr=3e-3)
    rates = [learning_rate(spec, step) for step in range(steps)]
    warm = math.ceil(warmup * steps)
    assert rates[0] == pytest.approx(3e-3 / (warmup * steps + 1))
    assert all(a < b for a, b in pairwise(rates[:warm]))
    assert all(a > b for a, b in pairwise(rates[warm:]))
    assert min(rates) > 0
    assert max(rates) <= 3e-3
    if warm == warmup * steps:
        assert rates[warm] == 3e-3
    last = steps - warmup * steps
    assert rates[-1] == pytest.approx(3e-3 * math.sin(math.pi / (2 * last)) ** 2)  # one step before 0
    assert learning_rate(spec, steps) == pytest.approx(0, abs=1e-15)


def test_the_learning_rate_can_do_without_a_warm_up_and_without_a_fall():
    assert learning_rate(TrainSpec(warmup=0.0, lr=0.1), 0) == 0.1
    rates = [learning_rate(TrainSpec(steps=10, warmup=1.0, lr=0.1), step) for step in range(10)]
    assert rates == pytest.approx([0.1 * (step + 1) / 11 for step in range(10)])


def test_training_follows_the_learning_rate_of_the_spec(fit, monkeypatch):
    steps = []
    monkeypatch.setattr(loop, "learning_rate", lambda spec, step: steps.append(step) or 0.0)
    done = fit()
    assert steps == list(range(44))
    start = build_pair([member(seed, done_scm()) for seed in (0, 1)], *(EncoderSpec(2, width=16, depth=1),) * 2)
    assert all(torch.equal(a, b) for a, b in zip(done.pair.parameters(), start.parameters(), strict=True))


def test_bfloat16_encoders_learn_the_same_up_to_its_precision(fit):
    full, half = fit(), fit(precision="bfloat16")
    assert not torch.equal(full.history, half.history)
    torch.testing.assert_close(half.history, full.history, atol=0, rtol=0.05)  # 8 bits: 0.4 % per product
    assert half.history.dtype == torch.float32


NOT_COUNTS = (0, -1, 1.5, 2.0, math.nan, True)
INVALID = [
    *((name, value) for name in ("steps", "block") for value in NOT_COUNTS),
    *(("batch", value) for value in (1, *NOT_COUNTS)),
    *(("lr", value) for value in (0.0, -1e-3, math.nan, math.inf)),
    *(("warmup", value) for value in (-0.1, 1.1, math.nan)),
    *((name, value) for name in ("clip", "weight_decay") for value in (-1.0, math.nan, math.inf)),
    ("precision", "float16"),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_an_invalid_field_is_refused_by_name_and_value(name, value, refuses):
    spec = TrainSpec()
    object.__setattr__(spec, name, value)
    with refuses(f"`{name}`", value):
        spec.__post_init__()  # not TrainSpec(...): the tests' own enforcement of annotations would come first
