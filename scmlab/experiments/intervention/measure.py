"""What a trained CLIP does on scenes of a law: hard negatives, blindness, modality gap, prompts, attribution."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from scmlab.attribution import CLASSES, METHODS, class_shares, word_map
from scmlab.models.clip import Clip, embed_images, embed_texts, normalise_pixels, tokenize
from scmlab.scm import stream
from scmlab.scm.scenes import EditedScenes, Scenes, SceneSpec, caption_scenes, edit_scenes, render, sample_scenes
from scmlab.scm.scenes.layout import DIRECTIONS
from scmlab.theory.modality_gap import agreement, modality_gap, moves, typical_distance

EDITS = (
    ("swap", "object"),
    ("swap", "attribute"),
    ("replace", "relation"),
    ("replace", "object"),
    ("replace", "attribute"),
    ("add", "attribute"),
    ("add", "object"),
)
OPPOSITE, OTHER_AXIS = "relation: opposite", "relation: other axis"
BLIND_BELOW = 0.1  # of the distance between two scenes' codes; an edit that moves a code less is called unseen
CHUNK = 512


@dataclass(frozen=True, eq=False)
class Side:
    """Codes of scenes and of their edited versions, of length 1."""

    images: Float[Tensor, "n d"]
    texts: Float[Tensor, "n d"]


def laws(binding: str) -> dict[str, dict | None]:
    """Law of the scenes -> its intervention: the training law, and under do(), where the pair gives nothing away."""
    return {"in_distribution": None, "do": {binding: "uniform"}}


def encode(clip: Clip, spec: SceneSpec, scenes: Scenes) -> Side:
    """The codes of the scenes' images and captions."""
    captions = caption_scenes(spec, scenes)
    images, texts = [], []
    with torch.no_grad():
        for start in range(0, len(scenes), CHUNK):
            rows = slice(start, start + CHUNK)
            pixels = render(spec, scenes[rows]).to(clip.device)
            images.append(embed_images(clip, normalise_pixels(pixels, clip.preprocessing)))
            texts.append(embed_texts(clip, tokenize(clip, captions[rows]).to(clip.device)))
    return Side(torch.cat(images).cpu(), torch.cat(texts).cpu())


def accuracies(clip: Clip, spec: SceneSpec, scenes: Scenes, law: str, *, seed: int) -> Iterator[dict]:
    """One entry per edit, and per kind of replaced relation: how often the truth beats it, and how far it moves codes.

    accuracy        share of images that score their caption above the edited one; a tie is wrong
    image_accuracy  share of captions that score their image above the edited scene's; a tie is wrong
    ties            share of images that score both captions alike
    moves           root mean square of `moves`, text and image; blind: shares of edits that neither side, or one, sees
    """
    original = encode(clip, spec, scenes)
    for operator, category in EDITS:
        edited = edit_scenes(spec, scenes, operator, category, generator=stream(seed, "edits", operator, category))
        if not edited.valid.any():
            continue
        for name, kept in {category: edited.valid, **_parts(spec, scenes, edited)}.items():
            before = Side(original.images[kept], original.texts[kept])
            after = encode(clip, spec, edited.scenes[kept])
            yield {"law": law, "operator": operator, "category": name} | _compared(before, after, original)


def _parts(spec: SceneSpec, scenes: Scenes, edited: EditedScenes) -> dict[str, Bool[Tensor, " n"]]:
    """Of replaced relations: those that became their opposite, and those that went to the other axis.

    To see the axis is to see how the objects lie in the image, whichever is which; the direction takes both. Relations
    without a direction ("in", "overlapping") are neither's.
    """
    if (edited.operator, edited.category) != ("replace", "relation"):
        return {}
    directions = torch.tensor([DIRECTIONS.get(name, (0, 0)) for name in spec.relations])
    before, after = directions[scenes.relation], directions[edited.scenes.relation]
    directed = edited.valid & before.any(1) & after.any(1)
    parts = {
        OPPOSITE: directed & (before == -after).all(1),
        OTHER_AXIS: directed & ((before * after).sum(1) == 0),
    }
    return {name: kept for name, kept in parts.items() if kept.any()}


def _compared(before: Side, after: Side, all_of: Side) -> dict:
    true = (before.images * before.texts).sum(1)
    false = (before.images * after.texts).sum(1)
    other = (after.images * before.texts).sum(1)
    text, image = (
        moves(getattr(before, side), getattr(after, side), unit=typical_distance(getattr(all_of, side)))
        for side in ("texts", "images")
    )
    alike = agreement(text, image, blind_below=BLIND_BELOW)
    return {
        "pairs": len(true),
        "accuracy": _share(true > false),
        "image_accuracy": _share(true > other),
        "ties": _share(true == false),
        "text_moves": text.square().mean().sqrt().item(),
        "image_moves": image.square().mean().sqrt().item(),
        "blind_both": alike.both,
        "blind_text": alike.text_only,
        "blind_image": alike.image_only,
    }


def _share(hits: Bool[Tensor, " n"]) -> float:
    return hits.double().mean().item()


def gap(clip: Clip, spec: SceneSpec, scenes: Scenes) -> dict:
    """Length of the modality gap, its spread, and the share of the codes' variance that lies along it."""
    codes = encode(clip, spec, scenes)
    found = modality_gap(codes.images, codes.texts)
    return {"gap": found.length, "gap_spread": found.spread, "gap_along": found.along}


def prompts(clip: Clip, spec: SceneSpec, scenes: Scenes, count: int, *, seed: int) -> dict:
    """Share of the variance of captions' codes that is wording: `count` templates and synonyms of each scene."""
    generator = stream(seed, "wording")
    said = []
    for _ in range(count):
        drawn = sample_scenes(spec, len(scenes), generator=generator)
        said.append(encode(clip, spec, replace(scenes, template=drawn.template, wording=drawn.wording)).texts)
    codes = torch.stack(said)
    within = codes.var(0).sum(1).mean()
    total = codes.flatten(0, 1).var(0).sum()
    return {"prompt_share": (within / total).item()}


def shares(clip: Clip, spec: SceneSpec, scenes: Scenes) -> dict:
    """Share of each word class in the captions' attribution, by each method; mean over captions."""
    captions = caption_scenes(spec, scenes)
    tokens = tokenize(clip, captions)
    words = word_map(tokens, captions).to(clip.device)
    tokens = tokens.to(clip.device)
    pixels = normalise_pixels(render(spec, scenes).to(clip.device), clip.preprocessing)
    found = {}
    for name, method in METHODS.items():
        each = class_shares(method(clip, pixels, tokens).detach(), words).nanmean(0).tolist()
        found |= {f"{name}_{kind}": value for kind, value in zip(("other", *CLASSES), each, strict=True)}
    return found
