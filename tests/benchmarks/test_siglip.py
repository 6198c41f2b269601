"""SigLIP's codes are those of transformers itself; what is not whole is refused."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from scmlab.benchmarks import models, siglip
from scmlab.benchmarks.exact import exact
from scmlab.benchmarks.models import open_model

transformers = pytest.importorskip("transformers")
CAPTIONS = ["a red cat", "a dog on a mat", "a cat " * 20]
CONTEXT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from tokenizers import Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel

    from scmlab.models.clip.extra import PreTrainedTokenizerFast

    words = ["<pad>", "</s>", "<unk>", "a", "red", "cat", "dog", "on", "mat"]
    raw = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    tower = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.SiglipConfig(
        text_config=tower | {"vocab_size": len(words), "max_position_embeddings": CONTEXT, "bos_token_id": None,
                             "eos_token_id": 1, "pad_token_id": 0},
        vision_config=tower | {"image_size": 32, "patch_size": 16},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("models") / "siglip"
    with torch.random.fork_rng():
        torch.manual_seed(0)  # transformers draws initial weights from the global stream
        transformers.SiglipModel(config).save_pretrained(path)
    transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def pictures():
    draw = np.random.default_rng(0)
    return [Image.fromarray(draw.integers(0, 255, (height, 40, 3), dtype=np.uint8)) for height in (20, 64)]


def test_codes_are_those_of_transformers(folder):
    model = open_model(folder)
    theirs = transformers.SiglipModel.from_pretrained(folder).eval()
    processor = transformers.SiglipImageProcessorPil.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(CAPTIONS, padding="max_length", max_length=CONTEXT, truncation=True, return_tensors="pt")
    with torch.no_grad():
        out = theirs(input_ids=ids["input_ids"], **processor(images=pictures(), return_tensors="pt"))
    image = model.encode_image([model.prepare(picture) for picture in pictures()])
    text = model.encode_text(CAPTIONS)
    for ours, reference in ((image, out.image_embeds), (text, out.text_embeds)):
        torch.testing.assert_close(ours / ours.norm(dim=1, keepdim=True), reference, atol=1e-5, rtol=0)
    assert model.cut(CAPTIONS).tolist() == [False, False, True]
    assert model.activation == "gelu_pytorch_tanh"
    assert model.clip is None


def test_a_caption_has_one_code_whatever_stands_beside_it(folder):
    model = open_model(folder)
    torch.testing.assert_close(model.encode_text(CAPTIONS)[:1], model.encode_text(CAPTIONS[:1]), atol=1e-6, rtol=0)


def test_codes_are_float32_on_a_gpu_too(folder, monkeypatch):
    with exact("cuda"):
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.deterministic
    assert torch.backends.cudnn.allow_tf32
    model, inside = open_model(folder), []
    monkeypatch.setattr(siglip, "exact", lambda device: inside.append(device) or exact(device))
    model.encode_image([model.prepare(pictures()[0])])
    model.encode_text(CAPTIONS)
    assert inside == ["cpu", "cpu"]


def test_codes_of_another_version_are_never_read(folder, monkeypatch):
    before = open_model(folder).identity
    monkeypatch.setattr(models, "VERSION", models.VERSION + 1)
    assert open_model(folder).identity != before


def test_another_file_is_another_identity(folder, tmp_path):
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    assert open_model(copy).identity == open_model(folder).identity
    settings = json.loads((copy / "preprocessor_config.json").read_text())
    (copy / "preprocessor_config.json").write_text(json.dumps(settings | {"image_mean": [0.4, 0.4, 0.4]}))
    assert open_model(copy).identity != open_model(folder).identity


def test_what_is_not_whole_is_one_sentence(folder, tmp_path, refuses):
    import shutil

    from safetensors.torch import load_file, save_file

    with refuses("`activation`, `tokenizer` and `heads` must be left"):
        open_model(folder, activation="gelu")
    copy = shutil.copytree(folder, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    weights.pop("vision_model.post_layernorm.weight")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with refuses("other weights", "vision_model.post_layernorm.weight"):
        open_model(copy)
    (copy / "model.safetensors").unlink()
    with refuses("that transformers reads"):
        open_model(copy)
    (copy / "tokenizer_config.json").unlink()
    with refuses("without tokenizer_config.json"):
        open_model(copy)
