import copy
import dataclasses
import math
import os

import pytest
import torch
from safetensors.torch import load_file

from scmlab.attribution import METHODS
from scmlab.models.clip import (
    ClipSpec,
    build_clip,
    embed_images,
    embed_texts,
    normalise_pixels,
    tokenize,
    train_tokenizer,
)
from scmlab.objectives import ClipObjective
from scmlab.scm import stream
from scmlab.training import TrainingDiverged
from scmlab.training.clip import (
    ClipBatch,
    ClipTrainSpec,
    Edits,
    FalseTexts,
    accumulate,
    caption_ids,
    clip_learning_rate,
    decays,
    interpolate,
    train_clip,
)
from scmlab.training.clip.step import columns, take_step

WORDS = ["a", "red", "blue", "dog", "cat", "ball", "left", "of", "right", "near", "the", "small"]
SMALL = ClipSpec(
    image_size=16, image_width=16, image_layers=1, image_heads=2, text_width=16, text_layers=2, text_heads=2,
    context=12, dim=8,
)  # fmt: skip
SPEC = ClipTrainSpec(steps=12, batch=8, learning_rate=1e-2, warmup=3, checkpoint_every=5)


def captions(n: int, seed: int) -> list[str]:
    picks = torch.randint(len(WORDS), (n, 5), generator=stream(seed, "words"))
    return [" ".join(WORDS[i] for i in row) for row in picks]


@pytest.fixture(scope="module")
def clip():
    tokenizer = train_tokenizer([" ".join(WORDS)], vocabulary=560, context=12)
    return build_clip(SMALL, tokenizer, generator=stream(0, "init"))


def pixels(n: int, seed: int):
    return torch.randint(0, 256, (n, 3, 16, 16), dtype=torch.uint8, generator=stream(seed, "pixels"))


@pytest.fixture(scope="module")
def data(clip):
    """data(n, seed=, negatives=, edited=, alternatives=): pairs with repeated captions and images."""

    def make(n: int, seed: int = 0, *, negatives: int = 0, edited: int = 0, alternatives: bool = False) -> ClipBatch:
        texts = captions(n, seed)
        texts[1] = texts[0].upper()
        tokens = tokenize(clip, texts, length=9)

        def further(k: int, name: int):
            said = captions(n * k, 100 * seed + name)
            mask = torch.rand(n, k, generator=stream(seed, "mask", name)) < 0.8
            return tokenize(clip, said), caption_ids(said).view(n, k), mask

        words = (tokens.content.cumsum(1) - 1).where(tokens.content, torch.tensor(-1))
        return ClipBatch(
            pixels(n, seed),
            tokens,
            torch.arange(n) // 2 * 2 if seed == 0 else 50 + torch.arange(n),
            caption_ids(texts),
            FalseTexts(*further(negatives, 1)) if negatives else None,
            Edits(pixels(n * edited, seed + 7), *further(edited, 2)) if edited else None,
            make(n, seed + 1, negatives=negatives, edited=edited) if alternatives else None,
            words,
            (words % 4).where(words >= 0, torch.tensor(0)),
        )

    return make


def in_order(whole: ClipBatch, batch: int = 8):
    return lambda step, generator: whole[torch.randperm(len(whole), generator=generator)[:batch]]


def same(a, b) -> bool:
    left, right = a.clip.model.state_dict(), b.clip.model.state_dict()
    histories = all(torch.equal(a.history[name], b.history[name]) for name in a.history if name != "images_per_second")
    return histories and all(torch.equal(left[name], right[name]) for name in left)


class KilledError(Exception):
    pass


def kill_at(step: int):
    def progress(done: int) -> None:
        if done >= step:
            raise KilledError

    return progress


OBJECTIVES = {
    "plain": (ClipObjective(), {}, None),
    "negclip": (ClipObjective(negatives="shared", alternatives=True), {"negatives": 1, "alternatives": True}, None),
    "own": (ClipObjective(negatives="own"), {"negatives": 2}, None),
    "edited": (ClipObjective(edited="pairs"), {"edited": 1}, None),
    "edits as negatives": (ClipObjective(edited="negatives"), {"edited": 2}, None),
    **{
        f"cae {name}": (ClipObjective(attribution=3.0, margin=1.0, over=over, normalise="abs"), {}, METHODS[name])
        for name, over in zip(METHODS, ("batch", "caption", "batch", "caption"), strict=True)
    },
    "all": (
        ClipObjective("shared", True, "pairs", attribution=0.5, margin=1.0),
        {"negatives": 1, "edited": 1, "alternatives": True},
        METHODS["attention"],
    ),
}


def gradients(clip, batch, objective, spec, attribute):
    clip.model.zero_grad(set_to_none=True)
    parts = accumulate(clip, batch, objective, spec, attribute=attribute)
    found = {name: p.grad.clone() for name, p in clip.model.named_parameters() if p.grad is not None}
    clip.model.zero_grad(set_to_none=True)
    return parts, found


@pytest.mark.parametrize("chunk", [1, 3, 4])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_batch_in_chunks_has_the_loss_and_the_gradient_of_the_whole_batch(clip, data, name, chunk):
    objective, shape, attribute = OBJECTIVES[name]
    batch = data(8, **shape)
    parts, whole = gradients(clip, batch, objective, SPEC, attribute)
    chunked, found = gradients(clip, batch, objective, dataclasses.replace(SPEC, chunk=chunk), attribute)
    assert set(found) == set(whole) == {name for name, _ in clip.model.named_parameters()}
    for part in parts:
        torch.testing.assert_close(chunked[part], parts[part], atol=1e-5, rtol=1e-5)
    for parameter in whole:
        torch.testing.assert_close(found[parameter], whole[parameter], atol=1e-5, rtol=1e-5)
    assert max(gradient.abs().max() for gradient in whole.values()) > 1e-2


def test_the_loss_is_the_mean_cross_entropy_without_equal_captions_and_images_among_the_negatives(clip, data):
    batch = data(6)
    parts, _ = gradients(clip, batch, ClipObjective(), SPEC, None)
    with torch.no_grad():
        images = embed_images(clip, normalise_pixels(batch.pixels, clip.preprocessing))
        scores = clip.model.logit_scale.exp() * images @ embed_texts(clip, batch.tokens).T
    total = 0.0
    for i in range(6):
        rivals = [j for j in range(6) if j == i or (i // 2 != j // 2 and {i, j} != {0, 1})]
        for line in (scores[i], scores[:, i]):
            total += math.log(sum(math.exp(line[j]) for j in rivals)) - line[i].item()
    assert parts["loss"].item() == pytest.approx(total / 12, abs=1e-5)
    assert batch.text_ids[0] == batch.text_ids[1]
    assert len(set(batch.text_ids.tolist())) == 5


def test_training_falls_and_leaves_the_start_as_it_was(clip, data):
    before = {name: value.clone() for name, value in clip.model.state_dict().items()}
    trained = train_clip(clip, in_order(data(16)), dataclasses.replace(SPEC, steps=60), seed=0)
    assert trained.history["loss"][-10:].mean() < 0.7 * trained.history["loss"][:5].mean()
    assert all(torch.equal(before[name], value) for name, value in clip.model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in trained.clip.model.parameters())
    assert not trained.clip.model.training
    expected = torch.tensor([clip_learning_rate(dataclasses.replace(SPEC, steps=60), s) for s in range(60)])
    torch.testing.assert_close(trained.history["learning_rate"], expected)
    assert (trained.history["images_per_second"] > 0).all()


def test_a_step_is_adamw_by_its_formula_with_decay_on_matrices_only(clip, data):
    spec = dataclasses.replace(SPEC, steps=1, warmup=0, weight_decay=0.5, learning_rate=1e-3)
    batch = data(8)
    _, gradient = gradients(clip, batch, ClipObjective(), spec, None)
    trained = train_clip(clip, lambda step, generator: batch, spec, seed=0)
    after = dict(trained.clip.model.named_parameters())
    for name, p in clip.model.named_parameters():
        norm_or_embedding = any(part in name for part in ("norm", "layrnorm", "embeddings.", "logit_scale"))
        decay = 0.0 if (norm_or_embedding and "patch" not in name) or name.endswith("bias") else 0.5
        g = gradient[name]
        step = p.detach() * (1 - 1e-3 * decay) - 1e-3 * g / (g.abs() + spec.epsilon)
        torch.testing.assert_close(after[name].detach(), step, atol=2e-6, rtol=1e-5)
        assert (name in decays(clip)) == (decay > 0)


def test_the_schedule_rises_linearly_and_falls_as_half_a_cosine():
    rates = [clip_learning_rate(dataclasses.replace(SPEC, steps=11), step) for step in range(12)]
    assert rates[:4] == pytest.approx([1e-2 / 3, 2e-2 / 3, 1e-2, 1e-2])
    assert rates[7] == pytest.approx(0.5e-2)
    assert rates[11] == pytest.approx(0.0, abs=1e-12)


def test_the_gradient_is_clipped_as_a_whole(clip, data):
    batch, plain = data(8), dataclasses.replace(SPEC, steps=1, epsilon=1e3, warmup=0, weight_decay=0.0)
    steps = []
    for limit in (0.0, 1e-3):
        trained = train_clip(clip, lambda s, g: batch, dataclasses.replace(plain, clip_norm=limit), seed=0)
        pairs = zip(trained.clip.model.parameters(), clip.model.parameters(), strict=True)
        steps.append(torch.cat([(a - b).detach().double().flatten() for a, b in pairs]))
    _, gradient = gradients(clip, batch, ClipObjective(), plain, None)
    norm = torch.cat([g.flatten() for g in gradient.values()]).norm()
    assert (steps[0].norm() / steps[1].norm()).item() == pytest.approx(norm.item() / 1e-3, rel=0.2)


@pytest.mark.parametrize(("tower", "kept", "moved"), [("image", "vis", "text"), ("text", "text", "vis")])
@pytest.mark.parametrize("chunk", [None, 3])
def test_a_frozen_tower_keeps_its_weights_and_the_other_moves(clip, data, tower, kept, moved, chunk):
    spec = dataclasses.replace(SPEC, steps=3, freeze=tower, chunk=chunk)
    trained = train_clip(clip, in_order(data(8)), spec, seed=0)
    before = dict(clip.model.named_parameters())
    for name, p in trained.clip.model.named_parameters():
        if name.startswith(kept):
            assert torch.equal(p, before[name])
        elif name.startswith(moved) and "token_embedding" not in name:
            assert not torch.equal(p, before[name]), name
        assert p.requires_grad


def test_the_logit_scale_never_passes_ln_100(clip, data):
    spec = dataclasses.replace(SPEC, steps=8, learning_rate=0.5, freeze="image")
    hot = dataclasses.replace(clip, model=type(clip.model)(clip.model.config))
    hot.model.load_state_dict(clip.model.state_dict())
    with torch.no_grad():
        hot.model.logit_scale.fill_(7.0)
    trained = train_clip(hot, in_order(data(8)), spec, seed=0)
    assert trained.history["scale"][0].item() == pytest.approx(100.0, rel=1e-5)
    assert trained.history["scale"].max() <= 100.001
    assert hot.model.logit_scale.item() == 7.0


def test_bfloat16_keeps_float32_weights_and_comes_close(clip, data):
    batch = data(8)
    parts, exact = gradients(clip, batch, ClipObjective(), SPEC, None)
    rough, found = gradients(clip, batch, ClipObjective(), dataclasses.replace(SPEC, precision="bf16"), None)
    assert rough["loss"].dtype == torch.float32
    assert 0 < abs(rough["loss"] - parts["loss"]) < 0.05
    flat = [torch.cat([g.flatten() for g in each.values()]) for each in (exact, found)]
    assert torch.cosine_similarity(*flat, 0) > 0.98
    assert all(g.dtype == torch.float32 for g in found.values())
    trained = train_clip(clip, in_order(data(8)), dataclasses.replace(SPEC, steps=3, precision="bf16"), seed=0)
    assert all(p.dtype == torch.float32 for p in trained.clip.model.parameters())


@pytest.mark.parametrize("name", ["plain", "negclip", "cae gradient"])
@pytest.mark.parametrize("chunk", [None, 3])
@pytest.mark.parametrize("at", [5, 10])
def test_a_killed_training_resumes_to_the_same_weights_bit_for_bit(clip, data, tmp_path, name, chunk, at):
    objective, shape, attribute = OBJECTIVES[name]
    source, spec = in_order(data(16, **shape)), dataclasses.replace(SPEC, chunk=chunk)
    arguments = {"objective": objective, "seed": 3, "attribute": attribute}
    unbroken = train_clip(clip, source, spec, **arguments)
    path, announced = tmp_path / "checkpoint", []
    with pytest.raises(KilledError):
        train_clip(clip, source, spec, checkpoint=path, progress=kill_at(at), **arguments)
    resumed = train_clip(clip, source, spec, checkpoint=path, progress=announced.append, **arguments)
    assert announced[0] == {5: 10, 10: 12}[at]
    assert same(resumed, unbroken)
    again = train_clip(clip, source, spec, checkpoint=path, progress=announced.append, **arguments)
    assert same(again, unbroken)
    assert announced[-1] == 12
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_another_seed_is_another_training(clip, data):
    source = in_order(data(16))
    assert not same(*(train_clip(clip, source, SPEC, seed=seed) for seed in (0, 1)))


OTHERS = [
    ("train", {"spec": dataclasses.replace(SPEC, learning_rate=1e-4)}),
    ("objective", {"objective": ClipObjective(edited="pairs")}),
    ("seed", {"seed": 1}),
    ("source", {"belongs_to": {"rows": 9}}),
    ("clip", {}),
]


@pytest.mark.parametrize(("what", "change"), OTHERS, ids=[what for what, _ in OTHERS])
def test_a_checkpoint_of_another_training_is_refused_and_kept(clip, data, tmp_path, refuses, what, change):
    path, source = tmp_path / "checkpoint", in_order(data(8))
    arguments = {"spec": SPEC, "seed": 0, "checkpoint": path, "belongs_to": {"rows": 8}}
    trained = train_clip(clip, source, **arguments)
    before = path.read_bytes()
    with refuses("checkpoint", what, path):
        train_clip(trained.clip if what == "clip" else clip, source, **(arguments | change))
    assert path.read_bytes() == before
    path.write_bytes(before[:500])
    with refuses("complete", path):
        train_clip(clip, source, **arguments)


def poisoned(source, at: int):
    def draw(step: int, generator):
        batch = source(step, generator)
        floats = normalise_pixels(batch.pixels, POISON.preprocessing)
        floats[2, 0, 0, 0] = torch.nan if step == at else 0.0
        return dataclasses.replace(batch, pixels=floats)

    return draw


POISON = None


@pytest.mark.parametrize(("at", "good"), [(7, 5), (3, None)])
def test_a_loss_that_is_not_finite_stops_and_names_the_step_and_the_last_good_checkpoint(
    clip, data, tmp_path, refuses, at, good, monkeypatch
):
    monkeypatch.setitem(globals(), "POISON", clip)
    path, source = tmp_path / "checkpoint", in_order(data(8))
    last = (path, f"at step {good}") if good else ("no checkpoint",)
    with refuses(f"step {at}", "nan", *last, error=TrainingDiverged):
        train_clip(clip, poisoned(source, at), SPEC, seed=0, checkpoint=path)
    assert path.exists() == bool(good)
    clean = poisoned(source, -1)
    assert same(train_clip(clip, clean, SPEC, seed=0, checkpoint=path), train_clip(clip, clean, SPEC, seed=0))


def made_up(monkeypatch, losses):
    """Steps have these losses, and the last parameter holds the number of the step after it."""

    def step(clip, optimizer, batch, objective, spec, number, attribute):
        with torch.no_grad():
            clip.model.logit_scale.fill_(float(number))
        row = torch.zeros(len(columns(objective)))
        row[0] = losses[number]
        return row

    monkeypatch.setattr("scmlab.training.clip.loop.take_step", step)


def at_step(path) -> float:
    return load_file(path)["module.logit_scale"].item()


FALLING = [3.0, 2.0, 1.0, 1.0, 1.0]
NAN = math.nan
DIVERGING = {
    "the loss rose above that of the start": ([*FALLING, *[9.0] * 15, NAN], "good", 4),
    "it rose back to that of the start": ([*FALLING, *[3.0] * 15, NAN], "good", 4),
    "it fell until the last step": ([*FALLING, *[0.5] * 15, NAN], "checkpoint", 19),
    "it rose and fell again": ([*FALLING, *[9.0] * 5, *[1.0] * 10, NAN], "checkpoint", 19),
    "it never was below that of the start": ([3.0, *[9.0] * 19, NAN], None, None),
}


@pytest.mark.parametrize("name", DIVERGING)
@pytest.mark.parametrize("resumed", [False, True])
def test_the_checkpoint_that_is_called_good_is_from_before_the_loss_rose(
    clip, data, tmp_path, refuses, monkeypatch, name, resumed
):
    losses, kept, step = DIVERGING[name]
    made_up(monkeypatch, losses)
    spec = dataclasses.replace(SPEC, steps=len(losses), warmup=0)
    path, arguments = tmp_path / "a.safetensors", {"seed": 0, "checkpoint": tmp_path / "a.safetensors"}
    if resumed:
        with pytest.raises(KilledError):
            train_clip(clip, in_order(data(8)), spec, progress=kill_at(15), **arguments)
    found = {"good": tmp_path / "a.good.safetensors", "checkpoint": path, None: None}[kept]
    said = (found, f"at step {step + 1}") if kept else ("no checkpoint is from before the loss rose",)
    with refuses("nan at step 20", *said, error=TrainingDiverged):
        train_clip(clip, in_order(data(8)), spec, **arguments)
    assert at_step(path) == 19  # the newest is what a resumed training goes on from
    if kept:
        assert at_step(found) == step
    assert len(os.listdir(tmp_path)) == (2 if kept == "good" else 1)


@pytest.mark.parametrize("after", [[], [9.0]])
def test_a_checkpoint_whose_own_weights_gave_a_risen_loss_is_not_called_good(
    clip, data, tmp_path, refuses, monkeypatch, after
):
    """Its weights are those after its last step, whose first loss is the one of the next step."""
    losses, path = [*FALLING, *after, NAN], tmp_path / "a.safetensors"
    made_up(monkeypatch, losses)
    spec = dataclasses.replace(SPEC, steps=len(losses), warmup=0)
    own = f"the last checkpoint is {path} at step 5, after a mean loss of 1.6, and the first loss of its weights is "
    with refuses(own + ("9" if after else "nan"), f"nan at step {5 + len(after)}", error=TrainingDiverged):
        train_clip(clip, in_order(data(8)), spec, seed=0, checkpoint=path)


def test_moments_that_are_not_finite_are_not_saved(clip, data, tmp_path, refuses, monkeypatch):
    def step(clip, optimizer, *rest):
        row = take_step(clip, optimizer, *rest)
        optimizer.state[clip.model.logit_scale]["exp_avg_sq"].fill_(math.inf)  # the weight then never moves again
        return row

    monkeypatch.setattr("scmlab.training.clip.loop.take_step", step)
    with refuses("moments", "after step 4", "no checkpoint was written", error=TrainingDiverged):
        train_clip(clip, in_order(data(8)), SPEC, seed=0, checkpoint=tmp_path / "checkpoint")
    assert os.listdir(tmp_path) == []


def test_weights_that_overflow_after_a_finite_loss_are_neither_saved_nor_returned(clip, data, tmp_path, refuses):
    spec = dataclasses.replace(SPEC, steps=1, warmup=0, learning_rate=3e38)
    with refuses("weights", "step 0", "no checkpoint", error=TrainingDiverged):
        train_clip(clip, in_order(data(8)), spec, seed=0, checkpoint=tmp_path / "checkpoint")
    assert os.listdir(tmp_path) == []


def test_interpolation_is_exact_at_both_ends_and_linear_between(clip, data, refuses):
    tuned = train_clip(clip, in_order(data(8)), dataclasses.replace(SPEC, steps=3), seed=0).clip
    states = [interpolate(clip, tuned, alpha).model.state_dict() for alpha in (0.0, 0.25, 1.0)]
    start, end = clip.model.state_dict(), tuned.model.state_dict()
    for name in start:
        assert torch.equal(states[0][name], start[name])
        assert torch.equal(states[2][name], end[name])
        torch.testing.assert_close(states[1][name].double(), 0.75 * start[name].double() + 0.25 * end[name].double())
    for alpha in (-0.1, 1.1, float("nan")):
        with refuses("alpha", alpha):
            interpolate(clip, tuned, alpha)
    with refuses("activation", "gelu"):
        interpolate(clip, dataclasses.replace(tuned, activation="gelu"), 0.5)


OTHER_ARCHITECTURES = {
    "image_heads": ({"image_heads": 4}, 2, 4),
    "text_heads": ({"text_heads": 1}, 2, 1),
    "text_layers": ({"text_layers": 1}, 2, 1),
    "image_width": ({"image_width": 32}, 16, 32),
    "patch_size": ({"patch_size": 4}, 8, 4),
    "context": ({"context": 10}, 12, 10),
    "shape of visual_projection.weight": ({"dim": 4}, (8, 16), (4, 16)),
}


@pytest.mark.parametrize("name", OTHER_ARCHITECTURES)
def test_models_of_another_architecture_are_not_interpolated_also_where_their_weights_have_the_same_shapes(
    clip, refuses, name
):
    change, wanted, found = OTHER_ARCHITECTURES[name]
    other = build_clip(dataclasses.replace(SMALL, **change), clip.tokenizer, generator=stream(1))
    with refuses("`tuned` must have the architecture of `start`", f"{name} = {wanted}; got {found}"):
        interpolate(clip, other, 0.5)


def test_models_of_another_epsilon_are_not_interpolated(clip, refuses):
    other = dataclasses.replace(clip, model=copy.deepcopy(clip.model))
    other.model.config.text_config.layer_norm_eps = 1e-6
    with refuses("text_epsilon = 1e-05; got 1e-06"):
        interpolate(clip, other, 0.5)


REFUSED = [
    ("steps", 0), ("batch", 1), ("chunk", 0), ("learning_rate", 0.0), ("learning_rate", math.inf), ("warmup", 13),
    ("weight_decay", -1.0), ("betas", (0.9, 1.0)), ("precision", "fp16"), ("freeze", "both"), ("clip_norm", -1.0),
    ("checkpoint_every", 0), ("epsilon", math.nan),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), REFUSED, ids=str)
def test_a_spec_out_of_range_is_refused(refuses, name, value):
    with refuses(f"`{name}`", value if not isinstance(value, tuple) else "0.9"):
        dataclasses.replace(SPEC, **{name: value})


def test_batches_and_methods_that_do_not_fit_are_refused(clip, data, refuses):
    with refuses("source", 8, 6):
        train_clip(clip, lambda step, generator: data(6), SPEC, seed=0)
    for objective, attribute in ((ClipObjective(attribution=1.0), None), (ClipObjective(), METHODS["attention"])):
        with refuses("attribute", objective.attribution):
            train_clip(clip, in_order(data(8)), SPEC, objective, seed=0, attribute=attribute)
    explained = ClipObjective(attribution=1.0)
    for name in ("words", "classes"):
        lacking = dataclasses.replace(data(8), **{name: None})
        with refuses("`words` and `classes`", "None"):
            train_clip(clip, in_order(lacking), SPEC, explained, seed=0, attribute=METHODS["attention"])
    batch = data(4, negatives=2)
    with refuses("`tokens`", 4, 2):
        dataclasses.replace(batch, tokens=batch.tokens[[0, 1]])
    with refuses("`negatives`", 4, 2):
        dataclasses.replace(batch, negatives=batch.negatives[slice(2)])
    with refuses("`alternatives`", 4, 6):
        dataclasses.replace(batch, alternatives=data(6))
    with refuses("`words`", (4, 9), (4, 3)):
        dataclasses.replace(batch, words=batch.words[:, :3], classes=batch.classes[:, :3])
    with refuses("tokens", 4, 8):
        FalseTexts(batch.negatives.tokens, batch.negatives.ids[:, :1], batch.negatives.mask[:, :1])


def test_rows_of_a_batch_take_everything_along(data):
    batch = data(6, negatives=2, edited=1, alternatives=True)
    rows = torch.tensor([4, 1])
    found = batch[rows]
    assert torch.equal(found.negatives.tokens.ids, batch.negatives.tokens.ids.unflatten(0, (6, 2))[rows].flatten(0, 1))
    assert torch.equal(found.edited.pixels, batch.edited.pixels[rows])
    assert torch.equal(found.alternatives.negatives.ids, batch.alternatives.negatives.ids[rows])
    assert torch.equal(found.classes, batch.classes[rows])
    assert torch.equal(batch[slice(1, 3)].negatives.tokens.end, batch.negatives.tokens.end[2:6])


def test_captions_equal_up_to_case_and_white_space_share_a_number():
    a, b, c, d = caption_ids(["A  red dog", " a red\tDOG", "a red dog.", "A Red Dog"]).tolist()
    assert a == b == d != c
