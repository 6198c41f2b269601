import inspect
import math
from dataclasses import replace

import pytest
import torch

from scmlab.models.clip import (
    VIT_B_32,
    ClipSpec,
    build_clip,
    clip_hash,
    embed_images,
    embed_texts,
    normalise_pixels,
    tokenize,
    train_tokenizer,
)
from scmlab.scm.streams import stream

CAPTIONS = ["a red cube left of a blue sphere", "A blue sphere above the cube's top", "a big green cone"]
SPEC = ClipSpec(16, 8, 16, 2, 2, 24, 2, 3, 14, 8)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(CAPTIONS, vocabulary=600, context=14)


@pytest.fixture(scope="module")
def clip(tokenizer):
    return build_clip(SPEC, tokenizer, generator=stream(0, "init"))


@pytest.fixture(scope="module")
def pixels(clip):
    drawn = torch.randint(0, 256, (5, 3, 16, 16), generator=stream(0, "pixels"), dtype=torch.uint8)
    return normalise_pixels(drawn, clip.preprocessing)


def test_the_architecture_is_the_specs(clip, tokenizer):
    vision, text = clip.model.config.vision_config, clip.model.config.text_config
    assert (vision.image_size, vision.patch_size, vision.hidden_size, vision.intermediate_size) == (16, 8, 16, 64)
    assert (vision.num_hidden_layers, vision.num_attention_heads) == (2, 2)
    assert (text.hidden_size, text.intermediate_size, text.num_hidden_layers, text.num_attention_heads) == (
        24,
        96,
        2,
        3,
    )
    assert (clip.context, text.vocab_size, clip.model.config.projection_dim) == (14, len(tokenizer), 8)
    assert (clip.activation, text.hidden_act, vision.hidden_act) == ("quickgelu", "quick_gelu", "quick_gelu")
    assert clip.preprocessing.size == 16
    assert not clip.model.training


def test_vit_b_32_has_the_published_number_of_parameters():
    # 49408 ids; counted from the architecture, and the number that OpenAI's ViT-B/32 is known for
    def transformer(width, layers):
        return layers * (12 * width**2 + 13 * width)

    spec = VIT_B_32
    image = 3 * 32**2 * 768 + 768 + 50 * 768 + 4 * 768 + transformer(768, 12) + 768 * 512
    text = 49408 * 512 + 77 * 512 + 2 * 512 + transformer(512, 12) + 512 * 512
    from scmlab.models.clip.build import empty_model

    model = empty_model(spec, vocabulary=49408, start=49406, end=49407)
    assert sum(p.numel() for p in model.parameters()) == image + text + 1 == 151_277_313


def test_embeddings_have_length_one(clip, pixels):
    texts, images = embed_texts(clip, tokenize(clip, CAPTIONS)), embed_images(clip, pixels)
    assert texts.shape == (3, 8)
    assert images.shape == (5, 8)
    for codes in (texts, images):
        assert torch.allclose(codes.norm(dim=1), torch.ones(len(codes)))


def test_embeddings_are_those_of_transformers(clip, pixels):
    tokens = tokenize(clip, CAPTIONS)
    out = clip.model(input_ids=tokens.ids, pixel_values=pixels, attention_mask=tokens.attention_mask)
    assert torch.allclose(embed_texts(clip, tokens), out.text_embeds, atol=1e-6)
    assert torch.allclose(embed_images(clip, pixels), out.image_embeds, atol=1e-6)


def test_embeddings_do_not_depend_on_the_batch(clip, pixels):
    tokens = tokenize(clip, CAPTIONS, length=14)
    alone = torch.cat([embed_texts(clip, tokenize(clip, [caption])) for caption in CAPTIONS])
    assert torch.allclose(embed_texts(clip, tokens), alone, atol=1e-6, rtol=0)
    alone = torch.cat([embed_images(clip, pixels[i : i + 1]) for i in range(5)])
    assert torch.allclose(embed_images(clip, pixels), alone, atol=1e-6, rtol=0)


def test_a_token_that_the_mask_leaves_out_cannot_be_seen(clip):
    tokens = tokenize(clip, CAPTIONS)
    masked = tokens.attention_mask.clone()
    masked[:, 2] = False
    other = tokens.ids.clone()
    other[:, 2] = 7
    seen, hidden = (replace(tokens, attention_mask=mask) for mask in (tokens.attention_mask, masked))
    assert torch.allclose(embed_texts(clip, hidden), embed_texts(clip, replace(hidden, ids=other)), atol=1e-6)
    assert not torch.allclose(embed_texts(clip, seen), embed_texts(clip, replace(seen, ids=other)), atol=1e-3)


def test_every_weight_and_pixel_has_a_gradient(tokenizer, pixels):
    clip = build_clip(SPEC, tokenizer, generator=stream(1, "init"))
    pixels = pixels.clone().requires_grad_()
    # enough captions that every position is reached is not asked: rows of an embedding that is not read have none
    (embed_images(clip, pixels)[:3] * embed_texts(clip, tokenize(clip, CAPTIONS)))[:, 0].sum().backward()
    without = [name for name, p in clip.model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # a key's bias moves all scores of a query alike
    assert [name for name in without if not name.endswith("k_proj.bias")] == ["logit_scale"]
    assert (pixels.grad[:3].flatten(1).norm(dim=1) > 0).all()


def test_gradients_are_the_finite_differences(clip, pixels):
    # the softmax of the attention is float32 whatever the model's type: one direction, a wide step
    direction = torch.randn(pixels.shape, generator=stream(0, "direction"))
    target = torch.randn(5, 8, generator=stream(0, "target"))
    image = pixels.clone().requires_grad_()
    slope = (torch.autograd.grad((embed_images(clip, image) * target).sum(), image)[0] * direction).sum()
    above, below = ((embed_images(clip, pixels + step * direction) * target).sum() for step in (0.01, -0.01))
    assert slope.item() == pytest.approx((above - below).item() / 0.02, rel=5e-3)


def test_attention_is_there_to_be_read_and_reading_leaves_the_model_as_it_was(clip, pixels):
    def hooks():
        return [len(module._forward_hooks) for module in clip.model.modules()]

    before, tokens = hooks(), tokenize(clip, CAPTIONS)
    text = clip.model.get_text_features(input_ids=tokens.ids, output_attentions=True).attentions
    image = clip.model.get_image_features(pixel_values=pixels, output_attentions=True).attentions
    assert [tuple(rows.shape) for rows in text] == [(3, 3, *2 * (tokens.ids.shape[1],))] * 2
    assert [tuple(rows.shape) for rows in image] == [(5, 2, 5, 5)] * 2
    for rows in (*text, *image):
        assert torch.allclose(rows.sum(-1), torch.ones_like(rows[..., 0]), atol=1e-6)
    assert all(rows.triu(1).abs().max() == 0 for rows in text)
    assert hooks() == before


def test_attention_is_on_the_way_to_the_embedding(clip):
    out = clip.model.get_text_features(input_ids=tokenize(clip, CAPTIONS).ids, output_attentions=True)
    for gradient in torch.autograd.grad(out.pooler_output.sum(), out.attentions):
        assert gradient.abs().sum() > 0


def test_the_weights_are_drawn_from_the_generator_alone(tokenizer):
    state = torch.get_rng_state()
    first, again = (build_clip(SPEC, tokenizer, generator=stream(3, "init")) for _ in range(2))
    other = build_clip(SPEC, tokenizer, generator=stream(4, "init"))
    assert torch.equal(state, torch.get_rng_state())
    assert clip_hash(first) == clip_hash(again) != clip_hash(other)


def test_the_weights_have_the_published_scale():
    tokenizer = train_tokenizer(["a cube"], vocabulary=514, context=32)
    spec = ClipSpec(64, 8, 128, 2, 2, 96, 3, 2, 32, 64)
    model = build_clip(spec, tokenizer, generator=stream(0, "init")).model
    expected = {"text_model": (96, 3), "vision_model": (128, 2)}
    for name, (width, layers) in expected.items():
        layer = getattr(model, name).encoder.layers[1]
        for weight, std in {
            layer.self_attn.q_proj.weight: width**-0.5,
            layer.self_attn.v_proj.weight: width**-0.5,
            layer.self_attn.out_proj.weight: (2 * layers * width) ** -0.5,
            layer.mlp.fc1.weight: (2 * width) ** -0.5,
            layer.mlp.fc2.weight: (2 * layers * width) ** -0.5,
        }.items():
            assert weight.std().item() == pytest.approx(std, rel=0.05)
        assert layer.mlp.fc1.bias.abs().max() == layer.layer_norm1.bias.abs().max() == 0
        assert (layer.layer_norm1.weight == 1).all()
    text, image = model.text_model.embeddings, model.vision_model.embeddings
    assert text.token_embedding.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert text.position_embedding.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert image.position_embedding.weight.std().item() == pytest.approx(128**-0.5, rel=0.05)
    assert image.class_embedding.std().item() == pytest.approx(128**-0.5, rel=0.25)
    assert image.patch_embedding.weight.abs().max().item() <= (3 * 64) ** -0.5
    assert image.patch_embedding.weight.std().item() == pytest.approx((9 * 64) ** -0.5, rel=0.05)
    assert model.visual_projection.weight.std().item() == pytest.approx(128**-0.5, rel=0.05)
    assert model.text_projection.weight.std().item() == pytest.approx(96**-0.5, rel=0.05)
    assert model.logit_scale.item() == pytest.approx(math.log(1 / 0.07))


def test_the_two_activations_differ(tokenizer, pixels):
    specs = [replace(SPEC, activation=name) for name in ("quickgelu", "gelu")]
    quick, exact = (build_clip(spec, tokenizer, generator=stream(0, "init")) for spec in specs)
    assert exact.model.config.vision_config.hidden_act == "gelu"
    assert (embed_images(quick, pixels) - embed_images(exact, pixels)).abs().max() > 1e-4
    assert clip_hash(quick) != clip_hash(exact)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"image_size": 50}, ["`image_size`", "`patch_size` = 8", 50]),
        ({"image_heads": 3}, ["`image_width`", "`image_heads` = 3", 16]),
        ({"text_heads": 5}, ["`text_width`", "`text_heads` = 5", 24]),
        ({"dim": 0}, ["`dim`", 0]),
        ({"context": 2}, ["`context`", ">= 3", 2]),
        ({"activation": "relu"}, ["`activation`", "quickgelu, gelu", "relu"]),
    ],
)
def test_a_spec_that_is_none_is_refused(refuses, change, parts):
    with refuses(*parts):
        replace(SPEC, **change)


def test_pixels_of_another_size_are_refused(clip, refuses):
    with refuses("`pixels`", "16 x 16", (24, 16)):
        embed_images(clip, torch.zeros(1, 3, 24, 16))


def test_pixels_that_were_not_preprocessed_are_refused(clip, refuses):
    with refuses("`pixels` must be preprocessed images", "torch.uint8"):
        embed_images(clip, torch.zeros(1, 3, 16, 16, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("embed", "given", "parts"),
    [(embed_texts, ["a red dog"], ("`tokens`", "`tokenize`", "list")),
     (embed_images, ["a.png"], ("`pixels`", "`preprocess`", "list"))],
)  # fmt: skip
def test_captions_and_files_that_were_not_prepared_are_refused_by_what_prepares_them(
    clip, refuses, embed, given, parts
):
    with refuses(*parts):
        inspect.unwrap(embed)(clip, given)  # without the checks of signatures, as outside of tests


def test_normalised_pixels_are_the_formula(clip):
    drawn = torch.randint(0, 256, (2, 3, 16, 16), generator=stream(0, "x"), dtype=torch.uint8)
    found, mean, std = normalise_pixels(drawn, clip.preprocessing), clip.preprocessing.mean, clip.preprocessing.std
    assert found[1, 2, 3, 4].item() == pytest.approx((drawn[1, 2, 3, 4].item() / 255 - mean[2]) / std[2], abs=1e-6)
    assert found[0, 0, 0, 0].item() == pytest.approx((drawn[0, 0, 0, 0].item() / 255 - mean[0]) / std[0], abs=1e-6)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_a_model_drawn_on_the_gpu_embeds_there(tokenizer, pixels):
    clip = build_clip(SPEC, tokenizer, generator=stream(0, "init", device="cuda"))
    assert clip.device.type == "cuda"
    tokens = tokenize(clip, CAPTIONS).to("cuda")
    on_gpu = embed_texts(clip, tokens), embed_images(clip, pixels.cuda())
    there = embed_texts(clip.to("cpu"), tokens.to("cpu")), embed_images(clip, pixels)
    for a, b in zip(on_gpu, there, strict=True):
        assert torch.allclose(a.cpu(), b, atol=1e-4)
