"""A CLIP that only embeds."""

from dataclasses import replace

import pytest
import torch

from scmlab.models.clip import ClipSpec, build_clip, clip_hash, embed_images, embed_texts, tokenize, train_tokenizer
from scmlab.models.clip.inference import for_inference
from scmlab.scm.streams import stream

CAPTIONS = ["a red cube left of a blue sphere", "a blue sphere above the cube", "a big green cone"]
SPEC = ClipSpec(16, 8, 16, 1, 2, 24, 2, 3, 12, 8)


@pytest.fixture(params=["quickgelu", "gelu"])
def clip(request):
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=620, context=SPEC.context)
    return build_clip(replace(SPEC, activation=request.param), tokenizer, generator=stream(0, "init"))


def codes(clip):
    pixels = torch.randn(5, 3, SPEC.image_size, SPEC.image_size, generator=stream(0, "pixels"))
    with torch.inference_mode():
        return embed_images(clip, pixels), embed_texts(clip, tokenize(clip, CAPTIONS))


def activations(clip):
    return [type(module.activation_fn) for module in clip.model.modules() if hasattr(module, "activation_fn")]


@pytest.mark.parametrize("rows", [1, 3, 256])
def test_codes_are_the_same_and_the_clip_is_left_as_it_is(clip, monkeypatch, rows):
    monkeypatch.setattr("scmlab.models.clip.inference.ROWS", rows)
    kinds, expected, identity = activations(clip), codes(clip), clip_hash(clip)
    quick = for_inference(clip)
    for one, two in zip(codes(quick), expected, strict=True):
        torch.testing.assert_close(one, two, atol=1e-6, rtol=0)
    assert activations(clip) == kinds
    assert clip_hash(quick) == clip_hash(clip) == identity
    assert len(kinds) == SPEC.image_layers + SPEC.text_layers
    assert all((one is two) == (clip.activation == "gelu") for one, two in zip(kinds, activations(quick), strict=True))
    for one, two in zip(codes(clip), expected, strict=True):
        assert torch.equal(one, two)


def test_weights_are_shared(clip):
    quick = for_inference(clip)
    weights = list(clip.model.parameters())
    assert all(one is two for one, two in zip(weights, quick.model.parameters(), strict=True))
    with torch.no_grad():
        for weight in weights:
            weight.mul_(1.5)
    for one, two in zip(codes(quick), codes(clip), strict=True):
        torch.testing.assert_close(one, two, atol=1e-6, rtol=0)
