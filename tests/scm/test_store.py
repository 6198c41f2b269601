import dataclasses
import errno
import json
import os

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from scmlab.scm import (
    DiscreteTokenSCM,
    Mixing,
    SentenceSCM,
    TokenSCM,
    cast,
    content_hash,
    draw_world,
    load_world,
    push,
    save_world,
    spec_from_json,
    spec_to_json,
    stream,
)
from scmlab.scm import noise as draw_noise
from scmlab.scm.store import write_atomically

SPEC = SentenceSCM(covariance="wishart")


@pytest.fixture
def saved(tmp_path):
    """A saved world: path, tensors, metadata, and a function that writes changed ones in its place."""
    path = tmp_path / "world.safetensors"
    world = draw_world(SPEC, generator=stream(0, "world"))
    save_world(path, SPEC, world)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()

    def rewrite(changes: dict, **meta: str) -> None:
        kept = {name: tensor.contiguous() for name, tensor in (world | changes).items() if tensor is not None}
        save_file(kept, path, metadata=metadata | meta)

    return path, world, metadata, rewrite


def test_a_world_comes_back_with_its_spec_bit_for_bit(spec, tmp_path):
    path = tmp_path / "new" / "folder" / "world.safetensors"
    world = draw_world(spec, generator=stream(0, "world"))
    digest = save_world(path, spec, world)
    spec_again, again = load_world(path)
    assert spec_again == spec
    assert again.keys() == world.keys()
    assert all(torch.equal(again[name], world[name]) for name in world)
    assert content_hash(spec_again, again) == digest == content_hash(spec, world)
    assert os.listdir(path.parent) == [path.name]


def test_a_world_in_float64_keeps_its_type(tmp_path):
    world = cast(draw_world(SPEC, generator=stream(0, "world")), torch.float64)
    save_world(tmp_path / "w", SPEC, world)
    _, again = load_world(tmp_path / "w")
    assert all(tensor.dtype == torch.float64 for tensor in again.values())


def test_a_spec_survives_the_way_through_json(spec):
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_the_hash_sees_every_tensor_bit_and_every_field(spec):
    world = draw_world(spec, generator=stream(0, "world"))
    digest = content_hash(spec, world)
    for name, tensor in world.items():
        if tensor.numel():
            changed = tensor.contiguous().clone()
            changed.view(-1)[-1] = torch.nextafter(changed.view(-1)[-1], torch.tensor(torch.inf))
            assert content_hash(spec, {**world, name: changed}) != digest
    for changes in ({"noise": 0.5}, {"mixing": Mixing(layers=4)}):
        assert content_hash(dataclasses.replace(spec, **changes), world) != digest
    assert content_hash(spec, {**world, "extra": torch.zeros(1)}) != digest
    assert content_hash(spec, dict(reversed(world.items()))) == digest


def test_a_value_that_is_not_finite_is_refused(saved, refuses):
    path, world, _, rewrite = saved
    for value in (torch.nan, torch.inf):
        rewrite({"f.0.bias": world["f.0.bias"].clone().fill_(value)})
        with refuses("f.0.bias", "finite", path):
            load_world(path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(saved, keep, refuses):
    path, *_ = saved
    path.write_bytes(path.read_bytes()[:keep])
    with refuses("complete", path):
        load_world(path)


def test_what_is_not_a_world_is_refused(tmp_path, saved, refuses):
    path, world, metadata, _ = saved
    with refuses("existing", tmp_path / "nowhere"):
        load_world(tmp_path / "nowhere")
    with refuses("existing", tmp_path):
        load_world(tmp_path)
    tensors = {name: tensor.contiguous() for name, tensor in world.items()}
    for kept in ({}, {"spec": metadata["spec"]}, {"sha256": metadata["sha256"]}):
        save_file(tensors, path, metadata=kept)
        with refuses("holds no spec", path):
            load_world(path)


def test_wrong_missing_and_surplus_tensors_are_refused(saved, refuses):
    path, world, _, rewrite = saved
    rewrite({"f.0.rotation": torch.eye(4)})
    with refuses("f.0.rotation", "(9, 9)", "(4, 4)", path):
        load_world(path)
    rewrite({"f.0.rotation": None})
    with refuses("f.0.rotation", path):
        load_world(path)
    rewrite({"style.weight": world["inv.cholesky"].clone()})
    with refuses("style.weight", path):
        load_world(path)


def test_a_singular_covariance_factor_is_refused(saved, refuses):
    path, world, _, rewrite = saved
    for pivot in (0.0, -1.0):
        factor = world["dp_img.cholesky"].clone()
        factor[1, 1] = pivot
        rewrite({"dp_img.cholesky": factor})
        with refuses("dp_img.cholesky", "singular", path):
            load_world(path)


def test_tampered_content_is_refused(saved, refuses):
    path, world, metadata, rewrite = saved
    rewrite({"f.0.bias": world["f.0.bias"] + 1e-6})
    with refuses("unchanged", path):
        load_world(path)
    rewrite({}, spec=metadata["spec"].replace('"noise": 1.0', '"noise": 2.0'))
    with refuses("unchanged", path):
        load_world(path)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"noise": 1.0', '"noise": -1.0', "noise"),
        ('"model": "SentenceSCM"', '"model": "Sentence"', "model"),
        ('"noise": 1.0', '"nois": 1.0', "nois"),
        ('"log_scale": 0.5', '"logscale": 0.5', "logscale"),
        ('"noise": 1.0', '"noise" 1.0', "spec"),
    ],
)
def test_a_spec_that_does_not_validate_is_refused_with_the_name_of_the_file(saved, old, new, named, refuses):
    path, _, metadata, rewrite = saved
    assert old in metadata["spec"]
    rewrite({}, spec=metadata["spec"].replace(old, new))
    with refuses(named, path):
        load_world(path)


@pytest.mark.parametrize("failing", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(saved, failing, monkeypatch):
    path, *_ = saved
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    for target in (path, path.with_name("new.safetensors")):
        with pytest.raises(OSError, match="No space left"):
            save_world(target, SPEC, draw_world(SPEC, generator=stream(1, "world")))
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]
    assert path.read_bytes() == before
    assert load_world(path)[0] == SPEC


def test_a_file_appears_under_its_name_only_when_complete(tmp_path, monkeypatch):
    seen = []
    replace = os.replace

    def watch(source, target):
        seen.append((os.path.getsize(source), os.path.exists(target), os.path.dirname(source)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", watch)
    write_atomically(tmp_path / "file", b"x" * 5000)
    assert seen == [(5000, False, str(tmp_path))]
    assert (tmp_path / "file").read_bytes() == b"x" * 5000


@pytest.mark.parametrize("spec", [SentenceSCM(covariance="wishart"), TokenSCM(), DiscreteTokenSCM()])
def test_a_loaded_world_gives_the_samples_of_the_drawn_one_bit_for_bit(spec, tmp_path):
    world = draw_world(spec, generator=stream(0, "world"))
    save_world(tmp_path / "world.safetensors", spec, world)
    _, loaded = load_world(tmp_path / "world.safetensors")
    for n in (1, 3, 8, 64):  # small matrices take other kernels, which the memory layout decides
        noise = draw_noise(spec, n, generator=stream(0, "noise"))
        drawn, again = push(spec, world, noise), push(spec, loaded, noise)
        assert torch.equal(drawn.image, again.image)
        assert torch.equal(drawn.text, again.text)


@pytest.mark.parametrize("change", [{"noise": "x"}, {"mixing": 5}, {"inv": None}, {"mixing": {"condition": None}}])
def test_a_spec_with_a_field_of_another_type_is_refused_by_file_name(change, tmp_path, refuses):
    spec = SentenceSCM()
    data = spec_to_json(spec) | change
    path = tmp_path / "world.safetensors"
    save_file(draw_world(spec, generator=stream(0)), path, metadata={"spec": json.dumps(data), "sha256": ""})
    with refuses("`path` must hold a valid spec", path):
        load_world(path)


def test_a_world_that_could_not_be_loaded_is_not_saved(tmp_path, refuses):
    world = draw_world(SPEC, generator=stream(0, "world"))
    world["inv.cholesky"] = world["inv.cholesky"] * float("nan")
    with refuses("`inv.cholesky` must be finite"):
        save_world(tmp_path / "world", SPEC, world)
    with refuses("must have the shape"):
        save_world(tmp_path / "world", TokenSCM(), draw_world(SPEC, generator=stream(0, "world")))
    assert list(tmp_path.iterdir()) == []
