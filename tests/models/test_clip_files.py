"""Round trips, other people's folders, and files that are not what they say."""

import functools
import json
import pickle
import shutil
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from scmlab.models.clip import (
    ClipSpec,
    Preprocessing,
    build_clip,
    clip_hash,
    embed_images,
    embed_texts,
    load_clip,
    save_clip,
    tokenize,
    train_tokenizer,
)
from scmlab.scm.store import BadFile
from scmlab.scm.streams import stream

CAPTIONS = ["a red cube left of a blue sphere", "a blue sphere above the cube", "a big green cone"]
SPEC = ClipSpec(16, 8, 16, 1, 2, 24, 2, 3, 12, 8)
LAYOUTS = ("huggingface", "open_clip", "open_clip_pt")


@pytest.fixture(scope="module")
def clip():
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=600, context=12)
    clip = build_clip(SPEC, tokenizer, generator=stream(0, "init"))
    with torch.no_grad():
        for i, parameter in enumerate(clip.model.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=stream(0, "noise", i)))
    return clip


@pytest.fixture
def folder(clip, tmp_path):
    return save_clip(clip, tmp_path / "clip")


def same_model(a, b):
    states = a.model.state_dict(), b.model.state_dict()
    return states[0].keys() == states[1].keys() and all(
        torch.equal(states[0][name], states[1][name]) for name in states[0]
    )


def edit(path, **changes):
    data = json.loads(path.read_text())
    for name, value in changes.items():
        *parts, last = name.split("__")
        target = functools.reduce(dict.__getitem__, parts, data)
        target[last] = value
    path.write_text(json.dumps(data))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ["quickgelu", "gelu"])
def test_a_saved_clip_comes_back_bit_for_bit(clip, tmp_path, layout, activation):
    spec = replace(SPEC, activation=activation)
    # not what the layout would take for granted
    convention = "open_clip" if layout == "huggingface" else "huggingface"
    preprocessing = Preprocessing(16, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), convention)
    saved = replace(build_clip(spec, clip.tokenizer, generator=stream(1, "init")), preprocessing=preprocessing)
    found = load_clip(save_clip(saved, tmp_path / "out" / "clip", layout))
    assert same_model(found, saved)
    assert clip_hash(found) == clip_hash(saved)
    assert (found.activation, found.preprocessing) == (activation, saved.preprocessing)
    assert found.source == str(tmp_path / "out" / "clip")
    assert not found.model.training
    tokens = tokenize(found, CAPTIONS)
    assert torch.equal(tokens.ids, tokenize(saved, CAPTIONS).ids)
    assert torch.equal(embed_texts(found, tokens), embed_texts(saved, tokens))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip"]


def test_the_layouts_lead_into_each_other(clip, tmp_path):
    for layout in (*LAYOUTS, *LAYOUTS):
        found = load_clip(save_clip(clip, tmp_path / layout, layout))
    assert clip_hash(found) == clip_hash(clip)


def test_the_hash_moves_with_everything_that_the_model_is(clip):
    other = build_clip(replace(SPEC, image_heads=1), clip.tokenizer, generator=stream(0, "init"))
    drawn = build_clip(SPEC, clip.tokenizer, generator=stream(0, "init"))
    words = train_tokenizer([*CAPTIONS[:2], "a big green cane"], vocabulary=600, context=12)
    variants = [
        clip,
        drawn,
        other,
        replace(clip, activation="gelu"),
        replace(clip, preprocessing=Preprocessing(16, convention="huggingface")),
        replace(clip, tokenizer=words),
    ]
    assert len({clip_hash(variant) for variant in variants}) == len(variants)
    assert clip_hash(replace(clip, source="elsewhere")) == clip_hash(clip)


def test_transformers_reads_what_is_saved_and_we_read_what_it_saves(clip, tmp_path):
    from transformers import CLIPModel, CLIPProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    model, info = CLIPModel.from_pretrained(save_clip(clip, tmp_path / "ours"), output_loading_info=True)
    assert not any(info.values())
    assert model.config.text_config.hidden_act == "quick_gelu"
    tokens, pixels = tokenize(clip, CAPTIONS), torch.randn(2, 3, 16, 16, generator=stream(0, "x"))
    theirs = model.eval()(input_ids=tokens.ids, pixel_values=pixels)
    assert torch.allclose(theirs.text_embeds, embed_texts(clip, tokens), atol=1e-6)
    assert torch.allclose(theirs.image_embeds, embed_images(clip, pixels), atol=1e-6)
    model.save_pretrained(tmp_path / "theirs")
    images = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    CLIPProcessor(images, clip.tokenizer).save_pretrained(tmp_path / "theirs")
    found = load_clip(tmp_path / "theirs")
    assert same_model(found, clip)
    assert found.preprocessing == Preprocessing(16, convention="huggingface")
    assert found.activation == "quickgelu"


def test_a_folder_of_old_files_is_read(clip, folder):
    """The published ViT-B/32: end token 2 in the configuration, counters among the weights, sizes as numbers."""
    edit(folder / "config.json", text_config__eos_token_id=2, text_config__bos_token_id=0, dtype="float16")
    edit(folder / "preprocessor_config.json", size=16, crop_size=16, feature_extractor_type="CLIPFeatureExtractor")
    weights = load_file(folder / "model.safetensors")
    weights["text_model.embeddings.position_ids"] = torch.arange(12)[None]
    weights["vision_model.embeddings.position_ids"] = torch.arange(5)[None]
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    found = load_clip(folder)
    assert same_model(found, clip)
    assert found.model.text_model.eos_token_id == clip.tokenizer.eos_token_id
    tokens = tokenize(found, CAPTIONS)
    pooled = found.model.get_text_features(input_ids=tokens.ids).pooler_output
    assert torch.allclose(torch.nn.functional.normalize(pooled, dim=-1), embed_texts(clip, tokens), atol=1e-6)


def test_weights_in_several_files_are_read_together(clip, folder, refuses):
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:20], "model-00002-of-00002.safetensors": names[20:]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, folder / file)
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {name: file for file, part in parts.items() for name in part}}))
    assert same_model(load_clip(folder), clip)
    index.write_text(json.dumps({"weight_map": {"logit_scale": "../elsewhere.safetensors"}}))
    with refuses("`source`", "../elsewhere.safetensors", index, error=BadFile):
        load_clip(folder)
    index.write_text("[1")
    with refuses("`source`", index, error=BadFile):
        load_clip(folder)


def test_weights_are_float32_whatever_the_file_holds_and_other_types_on_request(clip, folder):
    halves = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(halves, folder / "model.safetensors")
    edit(folder / "config.json", dtype="float16")
    found = load_clip(folder)
    assert {tensor.dtype for tensor in found.model.state_dict().values()} == {torch.float32}
    assert torch.equal(found.model.logit_scale, clip.model.logit_scale.half().float())
    asked = load_clip(folder, dtype=torch.bfloat16)
    assert {tensor.dtype for tensor in asked.model.state_dict().values()} == {torch.bfloat16}
    assert clip_hash(asked) != clip_hash(found)
    assert torch.get_default_dtype() == torch.float32


def test_the_configuration_decides_the_activation_and_a_contradiction_is_obeyed_with_a_warning(clip, folder, tmp_path):
    assert load_clip(folder, activation="quickgelu").activation == "quickgelu"
    for place in (folder, save_clip(clip, tmp_path / "open", "open_clip")):
        with pytest.warns(UserWarning, match="says that its activation is quickgelu; it is read with gelu"):
            found = load_clip(place, activation="gelu")
        assert (found.activation, found.model.config.vision_config.hidden_act) == ("gelu", "gelu")
    edit(folder / "config.json", text_config__hidden_act="gelu", vision_config__hidden_act="gelu")
    assert load_clip(folder).activation == "gelu"


def test_heads_are_refused_where_the_configuration_says_them(folder, refuses):
    with refuses("`heads` must be left out", "config.json", "(1, 1)", error=BadFile):
        load_clip(folder, heads=(1, 1))


def test_open_clips_configuration_without_quick_gelu_means_gelu(clip, tmp_path):
    place = save_clip(clip, tmp_path / "clip", "open_clip")
    config = json.loads((place / "open_clip_config.json").read_text())
    del config["model_cfg"]["quick_gelu"]
    (place / "open_clip_config.json").write_text(json.dumps(config))
    assert load_clip(place).activation == "gelu"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"model_type": "siglip"}, ["model_type", "siglip"]),
        ({"text_config__hidden_act": "gelu"}, ["`hidden_act`", "gelu, quick_gelu"]),
        ({"text_config__hidden_act": "relu", "vision_config__hidden_act": "relu"}, ["`hidden_act`", "relu"]),
        ({"text_config__eos_token_id": 7}, ["`tokenizer`", "end token 7"]),
        ({"text_config__hidden_size": "wide"}, ["valid configuration"]),
        ({"text_config__num_attention_heads": 5}, ["valid configuration"]),
        ({"text_config__vocab_size": 40}, ["`tokenizer`", "40 ids"]),
        ({"text_config__num_hidden_layers": 3}, ["'text_model.encoder.layers.2.layer_norm1.bias' is missing"]),
        ({"vision_config__num_hidden_layers": 0}, ["'vision_model.encoder.layers.0.layer_norm1.bias' is unexpected"]),
        ({"projection_dim": 9}, ["'text_projection.weight'", "(9, 24)", "(8, 24)"]),
        ({"vision_config__image_size": [16, 16]}, ["`image_size`"]),
    ],
)
def test_a_configuration_that_is_not_the_weights_is_refused(folder, refuses, changes, parts):
    edit(folder / "config.json", **changes)
    with refuses(*parts, folder, error=BadFile):
        load_clip(folder)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"resample": 2}, ["`resample`", 3, 2]),
        ({"do_resize": False}, ["`do_resize`", False]),
        ({"do_center_crop": False}, ["`do_center_crop`"]),
        ({"size": {"height": 16, "width": 16}}, ["`size`", 16]),
        ({"crop_size": {"height": 24, "width": 24}}, ["`crop_size`", 24]),
        ({"image_std": [0.0, 1.0, 1.0]}, ["`std`"]),
        ({"image_mean": 3}, ["`mean`"]),
    ],
)
def test_preprocessing_that_is_another_is_refused(folder, refuses, changes, parts):
    edit(folder / "preprocessor_config.json", **changes)
    with refuses(*parts, folder / "preprocessor_config.json", error=BadFile):
        load_clip(folder)


def test_a_folder_without_preprocessing_takes_clips(folder):
    (folder / "preprocessor_config.json").unlink()
    assert load_clip(folder).preprocessing == Preprocessing(16, convention="huggingface")


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"model_cfg": {"embed_dim": 8}}, ["two transformers"]),
        ({"model_cfg": 3}, ["two transformers"]),
        ({"preprocess_cfg__interpolation": "bilinear"}, ["`interpolation`", "bicubic", "bilinear"]),
        ({"preprocess_cfg__resize_mode": "squash"}, ["`resize_mode`"]),
        ({"preprocess_cfg__size": [16, 24]}, ["`size`"]),
        ({"preprocess_cfg": [1]}, ["`preprocess_cfg`"]),
        # names and shapes of the weights stay the same, the embeddings do not
        ({"model_cfg__text_cfg__no_causal_mask": True}, ["`no_causal_mask` of text_cfg", "False", "True"]),
        ({"model_cfg__text_cfg__pool_type": "last"}, ["`pool_type` of text_cfg", "argmax", "last"]),
        ({"model_cfg__vision_cfg__pool_type": "avg"}, ["`pool_type` of vision_cfg", "tok", "avg"]),
        ({"model_cfg__vision_cfg__global_average_pool": True}, ["`global_average_pool`", "True"]),
        ({"model_cfg__vision_cfg__norm_kwargs": {"eps": 1e-6}}, ["`norm_kwargs`", "eps"]),
        ({"model_cfg__text_cfg__act_kwargs": {"approximate": "tanh"}}, ["`act_kwargs`", "tanh"]),
    ],
)
def test_an_open_clip_configuration_that_is_another_is_refused(clip, tmp_path, refuses, changes, parts):
    place = save_clip(clip, tmp_path / "clip", "open_clip")
    edit(place / "open_clip_config.json", **changes)
    with refuses(*parts, place / "open_clip_config.json", error=BadFile):
        load_clip(place)


def test_a_folder_that_lacks_a_file_is_refused_by_name(clip, folder, tmp_path, refuses):
    (folder / "tokenizer.json").unlink()
    with refuses("`tokenizer`", "vocab.json and merges.txt", folder, error=BadFile):
        load_clip(folder)
    assert same_model(load_clip(folder, tokenizer=clip.tokenizer), clip)
    (folder / "model.safetensors").unlink()
    with refuses("`source`", "model.safetensors or pytorch_model.bin", folder, error=BadFile):
        load_clip(folder, tokenizer=clip.tokenizer)
    (folder / "config.json").unlink()
    with refuses("`source`", "config.json or open_clip_config.json", folder, error=BadFile):
        load_clip(folder)
    place = save_clip(clip, tmp_path / "open", "open_clip")
    (place / "open_clip_model.safetensors").unlink()
    with refuses("`source`", "open_clip_model.safetensors", place, error=BadFile):
        load_clip(place)


class Malicious:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("kind", ["torch", "inside", "pickle 2", "pickle 4"])
def test_code_in_a_file_is_never_run(clip, tmp_path, refuses, kind):
    target, path = tmp_path / "written", tmp_path / "clip.pt"
    if kind.startswith("pickle"):
        path.write_bytes(pickle.dumps({"state_dict": Malicious(target)}, protocol=int(kind[-1])))
    else:
        payload = {"args": Malicious(target), "state_dict": clip.model.state_dict()}
        torch.save(Malicious(target) if kind == "torch" else payload, path)
    with refuses("`source`", path, "whole checkpoint" if kind == "pickle 4" else "run code (", error=BadFile):
        load_clip(path, tokenizer=clip.tokenizer, activation="gelu")
    assert not target.exists()
    # what it would have done
    if kind.startswith("pickle"):
        pickle.loads(path.read_bytes())["state_dict"].close()
        assert target.exists()


def test_code_in_the_weights_of_a_folder_is_never_run(folder, refuses, tmp_path):
    (folder / "model.safetensors").unlink()
    torch.save(Malicious(tmp_path / "written"), folder / "pytorch_model.bin")
    with refuses("`source`", "pytorch_model.bin", "run code", error=BadFile):
        load_clip(folder)
    assert not (tmp_path / "written").exists()


def test_a_torchscript_archive_is_refused(clip, tmp_path, refuses):
    path = tmp_path / "ViT-B-32.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            archive.writestr(f"archive/{name}", b"x")
    with refuses("`source`", path, "TorchScript", "https://huggingface.co/openai/clip-vit-base-patch32", error=BadFile):
        load_clip(path, tokenizer=clip.tokenizer, activation="quickgelu")


def damaged(clip, path, kind):
    state = {name: tensor.clone() for name, tensor in clip.model.state_dict().items()}
    if kind == "truncated":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:-3000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("<!DOCTYPE html>")
    elif kind == "numbers":
        torch.save({"a": 3}, path)
    elif kind == "list":
        torch.save([torch.ones(2)], path)
    elif kind == "nothing":
        torch.save({}, path)
    elif kind == "nan":
        state["logit_scale"].fill_(torch.nan)
        torch.save(state, path)
    elif kind == "keys":
        torch.save(state, path)


KINDS = {
    "truncated": "whole checkpoint",
    "empty": "whole checkpoint",
    "text": "not of that kind",
    "numbers": "int at 'a'",
    "list": "holds list",
    "nothing": "weights by name",
    "nan": "`logit_scale` must be finite",
    "keys": "folder, with config.json",
    "missing": "existing file",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_no_checkpoint_is_refused_by_name(clip, tmp_path, refuses, kind):
    path = tmp_path / "clip.pt"
    damaged(clip, path, kind)
    with refuses(path, KINDS[kind], error=BadFile):
        load_clip(path, tokenizer=clip.tokenizer, activation="gelu")


def test_a_truncated_safetensors_file_is_refused_by_name(clip, folder, refuses):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with refuses("`path`", path, error=BadFile):
        load_clip(folder)


@pytest.mark.parametrize("source", ["nowhere", "a/b/c", "/nowhere/at/all", "clip.pt", "nobody/clip.pt"])
def test_what_is_neither_file_nor_name_is_refused(refuses, source):
    with refuses("`source`", source, error=BadFile):
        load_clip(source)


def test_a_hub_name_without_a_network_says_what_to_download_where(refuses, monkeypatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(name, allow_patterns):
        raise LocalEntryNotFoundError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    files = (
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "tokenizer.json",
        "vocab.json",
        "merges.txt",
    )
    with refuses("https://huggingface.co/openai/clip-vit-base-patch32/tree/main", *files, error=BadFile):
        load_clip("openai/clip-vit-base-patch32")


@pytest.mark.parametrize("ending", ["pt", "pth", "bin", "safetensors"])
def test_a_file_that_is_missing_is_no_name_of_the_hub(refuses, ending):
    with refuses("`source` must be an existing file or folder", f"checkpoints/negclip.{ending}", error=BadFile):
        load_clip(f"checkpoints/negclip.{ending}")


def test_a_hub_name_is_fetched_with_the_files_that_are_needed(clip, folder, monkeypatch, tmp_path, refuses):
    from fnmatch import fnmatch

    fetched = tmp_path / "cache"

    def fetch(name, allow_patterns):
        fetched.mkdir(exist_ok=True)
        for file in folder.iterdir():
            if any(fnmatch(file.name, pattern) for pattern in allow_patterns):
                shutil.copy(file, fetched)
        return str(fetched)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    (folder / "flax_model.msgpack").write_bytes(b"x")
    found = load_clip("someone/clip")
    assert same_model(found, clip)
    assert found.source == "someone/clip"
    assert not (fetched / "flax_model.msgpack").exists()
    (folder / "model.safetensors").unlink()
    shutil.rmtree(fetched)
    with refuses("someone/clip", "no weights", error=BadFile):
        load_clip("someone/clip")


def test_saving_again_replaces_a_checkpoint_and_never_other_files(clip, folder, refuses):
    other = build_clip(SPEC, clip.tokenizer, generator=stream(9, "init"))
    save_clip(other, folder)
    assert clip_hash(load_clip(folder)) == clip_hash(other)
    save_clip(clip, folder, "open_clip")
    assert not (folder / "model.safetensors").exists()
    assert clip_hash(load_clip(folder)) == clip_hash(clip)
    (folder / "notes.txt").write_text("mine")
    with refuses("`folder`", folder, "notes.txt"):
        save_clip(other, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    with refuses("`folder`", "notes.txt"):
        save_clip(other, folder / "notes.txt")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["clip"]


@pytest.mark.parametrize("place", ["transformers.CLIPTokenizer.save_pretrained", "scmlab.models.clip.save._move"])
def test_a_save_that_fails_leaves_the_checkpoint_that_was_there(clip, folder, monkeypatch, place):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(place, fail)
    with pytest.raises(OSError, match="disk full"):
        save_clip(build_clip(SPEC, clip.tokenizer, generator=stream(9, "init")), folder)
    assert clip_hash(load_clip(folder)) == clip_hash(clip)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["clip"]


def test_an_unknown_layout_is_refused(clip, tmp_path, refuses):
    with refuses("`layout`", "huggingface, open_clip, open_clip_pt", "onnx"):
        save_clip(clip, tmp_path / "clip", "onnx")
    with refuses("`activation`", "quickgelu, gelu", "relu"):
        load_clip(tmp_path, activation="relu")


def test_loading_draws_nothing_from_the_global_generator(folder):
    state = torch.get_rng_state()
    load_clip(folder)
    assert torch.equal(state, torch.get_rng_state())
