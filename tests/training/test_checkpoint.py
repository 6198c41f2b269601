import dataclasses
import errno
import os

import pytest
import torch

from scmlab.models import EncoderSpec
from scmlab.objectives import Objective
from scmlab.scm import SentenceSCM, draw_world, save_world, stream
from scmlab.training import TrainingDiverged, loop
from scmlab.training.members import draw_pairs


class KilledError(Exception):
    pass


def kill_at(step: int):
    def on_block(done: int) -> None:
        if done >= step:
            raise KilledError

    return on_block


def same(a, b) -> bool:
    left, right = a.pair.state_dict(), b.pair.state_dict()
    return torch.equal(a.history, b.history) and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("objective", [Objective(), Objective("infonce_within")], ids=["cross", "within"])
@pytest.mark.parametrize("at", [8, 16, 24, 40])
def test_a_killed_training_resumes_to_the_same_weights_and_losses_bit_for_bit(fit, tmp_path, at, objective):
    unbroken = fit(objective=objective)
    path = tmp_path / "checkpoint"
    with pytest.raises(KilledError):
        fit(objective=objective, checkpoint=path, every=16, on_block=kill_at(at))
    assert path.exists() == (at >= 16)
    announced = []
    assert same(fit(objective=objective, checkpoint=path, every=16, on_block=announced.append), unbroken)
    assert announced[0] == at // 16 * 16 + 8  # the last checkpoint, and a block


def test_killed_twice_and_written_at_every_block_it_still_is_the_same_training(fit, tmp_path):
    path = tmp_path / "checkpoint"
    for at in (16, 32):
        with pytest.raises(KilledError):
            fit(checkpoint=path, every=1, on_block=kill_at(at))
    assert same(fit(checkpoint=path, every=1), fit())


def test_a_finished_training_is_read_and_not_repeated(fit, tmp_path):
    path = tmp_path / "checkpoint"
    first = fit(checkpoint=path)
    announced = []
    assert same(fit(checkpoint=path, on_block=announced.append), first)
    assert announced == []
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_writing_checkpoints_does_not_change_the_training(fit, tmp_path):
    assert same(fit(checkpoint=tmp_path / "checkpoint", every=8), fit())


OTHERS = [
    ("train", {"lr": 1e-4}),
    ("train", {"block": 4}),
    ("train", {"steps": 60}),
    ("objective", {"objective": Objective(temperature=0.5)}),
    ("image", {"encoder": EncoderSpec(2, width=8, depth=1)}),
    ("members", {"seeds": (0, 2)}),
    ("members", {"seeds": (0,)}),
    ("members", {"scm": SentenceSCM(inv=2, dp_img=1, dp_tex=1, pr_img=1, pr_tex=1, noise=0.5)}),
]


@pytest.mark.parametrize(("what", "change"), OTHERS, ids=str)
def test_a_checkpoint_of_another_training_is_refused_and_kept(fit, tmp_path, refuses, what, change):
    path = tmp_path / "checkpoint"
    fit(checkpoint=path)
    before = path.read_bytes()
    with refuses("checkpoint", what, path):
        fit(checkpoint=path, **change)
    assert path.read_bytes() == before


@pytest.mark.parametrize("keep", [0, 7, 500, -1])
def test_a_truncated_checkpoint_is_refused(fit, tmp_path, refuses, keep):
    path = tmp_path / "checkpoint"
    fit(checkpoint=path)
    path.write_bytes(path.read_bytes()[:keep])
    with refuses("complete", path):
        fit(checkpoint=path)


def test_a_saved_world_is_no_checkpoint(fit, tmp_path, refuses):
    path = tmp_path / "world"
    save_world(path, SentenceSCM(), draw_world(SentenceSCM(), generator=stream(0)))
    with refuses("checkpoint", path):
        fit(checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(fit, tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    with pytest.raises(KilledError):
        fit(checkpoint=path, every=8, on_block=kill_at(16))
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        fit(checkpoint=path, every=8)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["checkpoint"]
    assert path.read_bytes() == before
    assert same(fit(checkpoint=path, every=8), fit())


@pytest.fixture
def poison(monkeypatch):
    """poison(step, member, value): plants a value in the observations of that step, counted from now."""

    def plant(step: int, member: int, value: float) -> None:
        seen = 0

        def draw(members, n, *, generators):
            nonlocal seen
            images, texts = draw_pairs(members, n, generators=generators)
            if seen <= step * 32 < seen + n:
                images[member, step * 32 - seen] = value
            seen += n
            return images, texts

        monkeypatch.setattr(loop, "draw_pairs", draw)

    return plant


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_divergence_names_step_member_and_the_last_good_checkpoint(fit, tmp_path, poison, refuses, monkeypatch, value):
    path = tmp_path / "checkpoint"
    poison(21, 1, value)
    with refuses("step 21 ", "member 1 ", "(seed 5)", path, "at step 16", error=TrainingDiverged):
        fit(seeds=(4, 5), checkpoint=path, every=8)
    monkeypatch.undo()
    assert same(fit(seeds=(4, 5), checkpoint=path, every=8), fit(seeds=(4, 5)))  # it loads, and it was good


def test_divergence_without_a_checkpoint_says_so(fit, poison, refuses, tmp_path):
    poison(2, 0, torch.nan)
    with refuses("step 2 ", "member 0 ", "no checkpoint", error=TrainingDiverged):
        fit()
    poison(2, 0, torch.nan)
    with refuses("step 2 ", "member 0 ", "no checkpoint", error=TrainingDiverged):
        fit(checkpoint=tmp_path / "checkpoint")
    assert os.listdir(tmp_path) == []


def test_an_absurd_learning_rate_diverges_and_does_not_return_numbers(fit, refuses):
    with refuses("step 1 ", error=TrainingDiverged):
        fit(lr=1e30, warmup=0.0)


@pytest.mark.parametrize("at", [15, 43])
def test_weights_that_overflow_after_a_finite_loss_are_neither_saved_nor_returned(
    fit, tmp_path, refuses, monkeypatch, at
):
    """At the last step of a block no later loss of the block would tell."""
    path, clip, calls = tmp_path / "checkpoint", loop.clip_members, []

    def overflow(gradients, limit):
        clip(gradients, limit)
        if len(calls) == at:
            gradients[0][1] = torch.nan
        calls.append(at)

    monkeypatch.setattr(loop, "clip_members", overflow)
    with refuses(f"step {at} ", "member 1 ", path, f"at step {at // 8 * 8}", error=TrainingDiverged):
        fit(checkpoint=path, every=8)
    monkeypatch.undo()
    assert same(fit(checkpoint=path, every=8), fit())


def test_what_a_checkpoint_belongs_to_covers_every_field_of_the_specs(fit):
    scm = SentenceSCM()
    members = [loop.Member(3, scm, draw_world(scm, generator=stream(3)))]
    specs = {"image": EncoderSpec(2), "text": EncoderSpec(3), "objective": Objective(), "train": loop.TrainSpec()}
    identity = loop._identity(members, *specs.values())
    for name, spec in specs.items():
        assert set(identity[name]) == {field.name for field in dataclasses.fields(spec)}
    assert identity["members"][0][0] == 3
