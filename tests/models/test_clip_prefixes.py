"""Captions that share the computation of their prefixes."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scmlab.models.clip import ClipSpec, Tokens, build_clip, embed_texts, tokenize, train_tokenizer
from scmlab.models.clip.prefixes import embed_texts_shared
from scmlab.scm.streams import stream

CAPTIONS = ["a red cube left of a blue sphere", "a blue sphere above the cube", "a big green cone"]
TREE = ["a red cube", "a red cone", "a red cube above", "a", "a red cube", "a big cone", "the cube", "A Red cube left"]
SPEC = ClipSpec(16, 8, 16, 1, 2, 24, 2, 3, 12, 8)
SETS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=SPEC.context), min_size=1, max_size=12)
CLOSE = {"atol": 1e-6, "rtol": 0}


def make(activation="quickgelu"):
    tokenizer = train_tokenizer(CAPTIONS, vocabulary=620, context=SPEC.context)
    return build_clip(replace(SPEC, activation=activation), tokenizer, generator=stream(0, "init"))


@pytest.fixture(scope="module", params=["quickgelu", "gelu"])
def clip(request):
    return make(request.param)


@pytest.fixture(scope="module")
def quick():
    return make()


def by_hand(captions):
    """Tokens of lists of ids; what follows their end is noise."""
    end = torch.tensor([len(one) - 1 for one in captions])
    t = int(end.max()) + 1
    ids = torch.tensor([one + [7 + k for k in range(t - len(one))] for one in captions])
    inside = torch.arange(t) <= end[:, None]
    return Tokens(ids, inside, end, inside, torch.zeros(*ids.shape, 2, dtype=torch.int64), torch.zeros(len(ids)) > 0)


def drawn(n, letters, generator):
    sizes = torch.randint(1, SPEC.context + 1, (n,), generator=generator).tolist()
    return [torch.randint(letters, (size,), generator=generator).tolist() for size in sizes]


def packs_given(clip, tokens):
    """The arguments of each call of the text tower."""
    calls = []
    hook = clip.model.text_model.register_forward_pre_hook(lambda module, given: calls.append(given))
    embed_texts_shared(clip, tokens)
    hook.remove()
    return calls


def prefixes(captions):
    return {tuple(one[: k + 1]) for one in captions for k in range(len(one))}


@torch.no_grad()
@pytest.mark.parametrize("letters", [1, 2, 5, 500])
def test_codes_are_those_of_each_caption_alone_in_the_order_given(clip, letters):
    tokens = by_hand(drawn(40, letters, stream(letters, "captions")))
    alone = torch.cat([embed_texts(clip, tokens[row]) for row in range(len(tokens))])
    torch.testing.assert_close(embed_texts_shared(clip, tokens), alone, **CLOSE)
    order = torch.randperm(len(tokens), generator=stream(1, "order"))
    torch.testing.assert_close(embed_texts_shared(clip, tokens[order]), alone[order], **CLOSE)


@torch.no_grad()
def test_a_tree_of_captions_equal_ones_and_those_that_are_cut(clip):
    captions = [*TREE, " ".join(["cube"] * 30), " ".join(["cube"] * 9), " ".join(["cube"] * 10), "cube " * 30 + "cone"]
    tokens = tokenize(clip, captions)
    assert tokens.truncated.sum() == 2
    codes = embed_texts_shared(clip, tokens)
    torch.testing.assert_close(codes, embed_texts(clip, tokens), **CLOSE)
    assert torch.equal(codes[0], codes[4])
    for row in range(len(tokens)):
        torch.testing.assert_close(embed_texts_shared(clip, tokens[row]), codes[row : row + 1], **CLOSE)


@given(captions=SETS)
def test_any_small_set_of_captions(quick, captions):
    tokens = by_hand(captions)
    with torch.no_grad():
        torch.testing.assert_close(embed_texts_shared(quick, tokens), embed_texts(quick, tokens), **CLOSE)


@given(captions=SETS)
def test_each_prefix_is_computed_once_where_one_pack_holds_all(quick, captions):
    distinct = prefixes(captions)
    calls = packs_given(quick, by_hand(captions))
    computed = sum(ids.numel() for ids, _, _ in calls)
    assert computed >= len(distinct)
    if len(distinct) <= SPEC.context:
        assert computed == len(distinct)


@pytest.mark.parametrize("packs", [1, 2, 5])
def test_packs_that_are_full_compute_what_they_share_once_each(quick, packs):
    """Two captions of 8 tokens, the first 4 alike, fill a pack of 12."""
    firsts = range(10, 10 + packs)
    captions = [[first] * 4 + rest for rest in ([1, 2, 3, 4], [4, 3, 2, 1]) for first in firsts]
    calls = packs_given(quick, by_hand(captions))
    assert sum(ids.numel() for ids, _, _ in calls) == len(prefixes(captions)) == 12 * packs


@torch.no_grad()
@pytest.mark.parametrize("step", [1, 2, 3])
def test_packs_go_through_the_tower_few_at_a_time(quick, monkeypatch, step):
    tokens = by_hand(drawn(30, 3, stream(0, "captions")))
    whole = embed_texts_shared(quick, tokens)
    monkeypatch.setattr("scmlab.models.clip.prefixes.CPU_PACKS", step)
    torch.testing.assert_close(embed_texts_shared(quick, tokens), whole, **CLOSE)
    sizes = [len(ids) for ids, _, _ in packs_given(quick, tokens)]
    assert len(sizes) > 1
    assert set(sizes[:-1]) == {step}


@torch.no_grad()
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float32, 1e-6), (torch.bfloat16, 3e-2), (torch.float16, 4e-3)])
def test_the_mask_holds_in_every_attention_and_precision(attention, dtype, atol):
    clip = make()
    clip.model.set_attn_implementation(attention)
    clip.model.to(dtype)
    tokens = by_hand(drawn(30, 3, stream(0, "captions")))
    codes = embed_texts_shared(clip, tokens)
    assert codes.dtype == dtype
    torch.testing.assert_close(codes, embed_texts(clip, tokens), atol=atol, rtol=0)


def test_weights_get_the_same_gradient(quick):
    tokens = by_hand(drawn(12, 3, stream(0, "captions")))
    direction = torch.randn(SPEC.dim, generator=stream(0, "direction"))
    weight = quick.model.text_model.encoder.layers[0].mlp.fc1.weight
    one, two = (
        torch.autograd.grad((f(quick, tokens) @ direction).sum(), weight) for f in (embed_texts, embed_texts_shared)
    )
    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)


def test_a_caption_with_a_hole_is_refused(quick, refuses):
    tokens = tokenize(quick, TREE)
    kept = tokens.attention_mask.clone()
    kept[2, 1] = False
    with refuses("attention_mask", "tokens"):
        embed_texts_shared(quick, replace(tokens, attention_mask=kept))
