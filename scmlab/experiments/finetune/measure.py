"""What a CLIP does with held-out images and captions: retrieval, hard negatives of Algorithm 1, attribution."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from scmlab.attribution import CLASSES, METHODS, WordMap, class_shares, word_map
from scmlab.language import ConceptPool, NegativeOptions, hard_negatives, parse
from scmlab.language.edit import Operator
from scmlab.models.clip import BadImage, Clip, Tokens, embed_images, embed_texts, preprocess, tokenize
from scmlab.objectives import attribution_loss
from scmlab.training.clip import CaptionedImage, caption_ids

OPERATORS: tuple[Operator, ...] = ("swap", "replace", "add")
RANKS = (1, 5, 10)
CHUNK = 64
MADE_FROM = 20_000  # captions whose concepts replace and add draw from


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Images, each once, and their captions; `image_of` is the place of a caption's image."""

    pixels: Float[Tensor, "m 3 h w"]
    captions: tuple[str, ...]
    image_of: Int64[Tensor, " n"]


def read_held_out(clip: Clip, pairs: Sequence[CaptionedImage], on_error: str) -> tuple[HeldOut, dict[str, str]]:
    """The held-out pairs in memory, and the images that could not be decoded, with the reason.

    Errors: BadImage where `on_error` is stop, or where no image is left.
    """
    pixels, places, corrupt, last = [], {}, {}, None
    for file in dict.fromkeys(pair.image for pair in pairs):
        try:
            pixels.append(preprocess([file], clip.preprocessing))
            places[file] = len(places)
        except BadImage as error:
            if on_error == "stop":
                raise
            corrupt[str(file)], last = str(error), error
    if not places:
        raise last
    left = [pair for pair in pairs if pair.image in places]
    image_of = torch.tensor([places[pair.image] for pair in left])
    return HeldOut(torch.cat(pixels), tuple(pair.caption for pair in left), image_of), corrupt


def names_of(files: dict[str, str], root: Path) -> dict[str, str]:
    """Damaged images by name, from the folder of images on, which may hold a name in several folders."""
    names = {file: os.path.relpath(file, root.resolve()) for file in files}
    return {names[file]: why.replace(file, names[file]) for file, why in files.items()}


def images_of(clip: Clip, pixels: Tensor) -> Float[Tensor, "n d"]:
    """Codes of the images, on the CPU."""
    with torch.no_grad():
        return torch.cat([embed_images(clip, part.to(clip.device)).float().cpu() for part in pixels.split(CHUNK)])


def texts_of(clip: Clip, captions: Sequence[str]) -> Float[Tensor, "n d"]:
    """Codes of the captions, on the CPU."""
    parts = [captions[start : start + CHUNK] for start in range(0, len(captions), CHUNK)]
    with torch.no_grad():
        return torch.cat([embed_texts(clip, tokenize(clip, part).to(clip.device)).float().cpu() for part in parts])


def retrieval(images: Tensor, texts: Tensor, image_of: Tensor, ids: Tensor) -> list[dict]:
    """R@1, 5, 10 of both directions: share of queries with a true item among the best k; a tie counts against it.

    True of an image are its captions and those equal to one of them (`ids`); of a caption, all images it is true of.
    """
    true = torch.zeros(len(images), int(ids.max()) + 1, dtype=torch.bool)
    true[image_of, ids] = True
    true = true[:, ids]
    scores = images.double() @ texts.double().T
    found = []
    for direction, of, right in (("image to text", scores, true), ("text to image", scores.T, true.T)):
        ahead = _ahead(of, right)
        for k in RANKS:
            hits = (ahead < k).double()
            found.append({"measure": f"R@{k}", "of": direction, "queries": len(hits)} | _mean(hits))
    return found


def _ahead(scores: Float[Tensor, "q c"], right: Bool[Tensor, "q c"]) -> Int64[Tensor, " q"]:
    """How many false items score at least as much as the best true one."""
    best = scores.masked_fill(~right, -torch.inf).amax(1, keepdim=True)
    return ((scores >= best) & ~right).sum(1)


def false_captions(captions: Sequence[str], image_of: Tensor, *, seed: int) -> dict[str, list[tuple[int, str]]]:
    """operator -> (row of the caption, its negative) of Algorithm 1, one edit each; none that is true of the image."""
    chosen = Random(seed).sample(captions, min(MADE_FROM, len(captions)))
    pool = ConceptPool.of(map(parse, chosen))
    of_image: dict[int, list[str]] = {}
    for caption, image in zip(captions, image_of.tolist(), strict=True):
        of_image.setdefault(image, []).append(caption)
    found: dict[str, list[tuple[int, str]]] = {}
    for operator in OPERATORS:
        draw = Random(f"{seed} {operator}")
        options = NegativeOptions(operators=(operator,), count=1)
        found[operator] = [
            (row, made.edited)
            for row, caption in enumerate(captions)
            for made in hard_negatives(
                caption, options, generator=draw, pool=pool, must_differ_from=of_image[int(image_of[row])]
            )
        ]
    return found


def hard_negative_accuracy(
    clip: Clip, images: Tensor, texts: Tensor, image_of: Tensor, negatives: dict[str, list[tuple[int, str]]]
) -> list[dict]:
    """Per operator the share of captions that their image prefers to the negative; a tie is wrong."""
    found = []
    for operator, made in negatives.items():
        entry = {"measure": "hard negatives", "of": operator, "queries": len(made)}
        if made:
            rows = torch.tensor([row for row, _ in made])
            codes, image = texts_of(clip, [text for _, text in made]).double(), images[image_of[rows]].double()
            hits = (image * texts[rows].double()).sum(1) > (image * codes).sum(1)
            entry |= _mean(hits.double())
        else:
            entry |= {"value": None, "se": None}
        found.append(entry)
    return found


def attributions(clip: Clip, pixels: Tensor, tokens: Tokens, name: str) -> Float[Tensor, "n t"]:
    """Scores of all tokens by one method, on the CPU."""
    method, found = METHODS[name], []
    for start in range(0, len(pixels), CHUNK):
        rows = slice(start, start + CHUNK)
        found.append(method(clip, pixels[rows].to(clip.device), tokens[rows].to(clip.device)).detach().float().cpu())
    return torch.cat(found)


def attribution_entries(clip: Clip, held: HeldOut, number: int) -> list[dict]:
    """By each method: share of each word class, mean over captions, and by how much objects score above the rest.

    `excess` is mean A_obj - mean A_comp over all words: what the attribution loss (margin 0) cuts off at 0.
    """
    captions = held.captions[:number]
    tokens, words, pixels = labelled(clip, captions, held)
    found = []
    for name in METHODS:
        scores = attributions(clip, pixels, tokens, name)
        shares = class_shares(scores, words)
        kinds = ("other", *CLASSES)
        for kind, column in zip(kinds, shares.T, strict=True):
            known = column[~column.isnan()]
            found.append({"measure": "share", "of": f"{name}: {kind}", "queries": len(known)} | _mean(known.double()))
        found.append({"measure": "excess", "of": name, "queries": len(captions), **excess(scores, words)})
    return found


def labelled(clip: Clip, captions: Sequence[str], held: HeldOut) -> tuple[Tokens, WordMap, Tensor]:
    """Tokens, words and images of the first held-out captions."""
    tokens = tokenize(clip, captions)
    return tokens, word_map(tokens, captions), held.pixels[held.image_of[: len(captions)]]


def excess(scores: Tensor, words: WordMap) -> dict:
    """Mean score of objects over that of attributes and relations; None where there are no such words."""
    found = attribution_loss(scores.double(), words.classes, words.words)
    value = (found.objects - found.compositions).item()
    return {"value": value if value == value else None, "se": None}


def measure(clip: Clip, held: HeldOut, negatives: dict[str, list[tuple[int, str]]], attributed: int) -> list[dict]:
    """Entries with measure, of, queries, value and se: everything that is measured of one model."""
    images, texts = images_of(clip, held.pixels), texts_of(clip, held.captions)
    _, ids = caption_ids(held.captions).unique(return_inverse=True)
    return [
        *retrieval(images, texts, held.image_of, ids),
        *hard_negative_accuracy(clip, images, texts, held.image_of, negatives),
        *attribution_entries(clip, held, attributed),
    ]


def _mean(values: Float[Tensor, " n"]) -> dict:
    """Mean and its standard error, the entries as independent draws; None where there are too few."""
    number = len(values)
    return {
        "value": values.mean().item() if number else None,
        "se": (values.std() / number**0.5).item() if number > 1 else None,
    }
