"""What part of a caption's attribution each class of words holds, on a sample of a benchmark's pairs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.attribution import CLASSES, METHODS, TextAttribution, class_shares, word_map
from scmlab.benchmarks.decode import Unreadable, cut_to_box, open_rgb
from scmlab.benchmarks.item import Benchmark, ImageRef
from scmlab.models.clip import Clip, embed_images, preprocess, tokenize
from scmlab.scm.equations import is_count

KINDS = (*CLASSES, "other")

Pair = tuple[ImageRef, str]
"""An image and a caption that is right for it."""


def attribution_shares(
    clip: Clip,
    benchmark: Benchmark,
    paths: Mapping[ImageRef, Path | None],
    *,
    number: int,
    generator: torch.Generator,
    methods: Mapping[str, TextAttribution] = METHODS,
    batch: int = 32,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Mean share of each word class in a caption's attribution, one entry per method and class.

        share = mean over captions of sum of a_j over the class's tokens / sum of a_j over all content tokens

    With a_j the method's score of token j for the caption and its image, negative ones counted as 0 (`class_shares`);
    a caption without a word of the class counts as 0; tokens that the context cuts off count nowhere. Images are cut to
    their box and preprocessed as `embed` does. The model is left as it was found.

    method, word_class   word_class is object, attribute, relation or other, which are the words of no class
    share, se            mean and its standard error, captions as independent draws; None where there are too few
    captions             captions with a share: some token scored above 0
    uniform              the class's share among the content tokens, mean over the sampled captions: what scores that
                         are all equal would give

    paths      where each image is; None, or no entry: it is missing
    number     of pairs: the first in a drawn order whose image is there and can be read; fewer where there are fewer.
               Each different pair is one, however many items have it
    generator  one state, one order: the same pairs for every model
    batch      pairs in the model at a time; no pair changes another's share but by rounding
    progress   called with the number of pairs done and asked for
    Errors: the rule `similarity`, which has no images; number or batch < 1; as of the methods.
    """
    for name, value in (("number", number), ("batch", batch)):
        if not is_count(value, 1):
            raise ValueError(f"`{name}` must be an integer >= 1; got {value!r}.")
    found: dict[str, list[Tensor]] = {name: [] for name in (*methods, "uniform")}
    readable = islice(_readable(clip, right_pairs(benchmark), paths, generator), number)
    done = 0
    while part := list(islice(readable, batch)):
        for name, shares in _shares(clip, part, methods).items():
            found[name].append(shares)
        done += len(part)
        if progress is not None:
            progress(done, number)
    shares = {name: torch.cat([torch.zeros(0, len(KINDS)).double(), *parts]) for name, parts in found.items()}
    even = _columns(shares.pop("uniform"))
    return [
        {"method": name, "word_class": kind, **_mean(column), "uniform": _mean(even[kind])["share"]}
        for name, of_method in shares.items()
        for kind, column in _columns(of_method).items()
    ]


def right_pairs(benchmark: Benchmark) -> list[Pair]:
    """The images and captions that belong together, each pair once, in the benchmark's order.

    Errors: the rule `similarity`, which has none.
    """
    if benchmark.rule == "similarity":
        raise ValueError(f"`benchmark` must have images; got {benchmark.name}, which compares captions.")
    right = ((item.images[i], item.captions[c]) for item in benchmark.items for i, c in item.right)
    return list(dict.fromkeys(right))


def _readable(
    clip: Clip, pairs: Sequence[Pair], paths: Mapping[ImageRef, Path | None], generator: torch.Generator
) -> Iterator[tuple[Float[Tensor, "1 3 h w"], str]]:
    """Pixels and caption of each pair whose image can be read, in drawn order, lazily."""
    for row in torch.randperm(len(pairs), generator=generator, device=generator.device).tolist():
        image, caption = pairs[row]
        if (path := paths.get(image)) is not None:
            try:
                crop = cut_to_box(open_rgb(path), image)
            except Unreadable:
                continue
            yield preprocess([crop], clip.preprocessing), caption


def _shares(
    clip: Clip, part: Sequence[tuple[Tensor, str]], methods: Mapping[str, TextAttribution]
) -> dict[str, Float[Tensor, "n 4"]]:
    """Shares of every method, and of equal scores, on the CPU; columns as `class_shares` has them."""
    captions = [caption for _, caption in part]
    pixels = torch.cat([image for image, _ in part]).to(clip.device, clip.model.dtype)
    tokens = tokenize(clip, captions)
    words, seen = word_map(tokens, captions), tokens.to(clip.device)
    with torch.no_grad():
        images = embed_images(clip, pixels)  # once for all methods
    found = {"uniform": class_shares(tokens.content.double(), words)}
    for name, method in methods.items():
        found[name] = class_shares(method(clip, pixels, seen, images=images).double().cpu(), words)
    return found


def _columns(shares: Float[Tensor, "n 4"]) -> dict[str, Float[Tensor, " n"]]:
    """Word class -> its column: `class_shares` puts the words of no class first."""
    return dict(zip(KINDS, (*shares[:, 1:].T, shares[:, 0]), strict=True))


def _mean(column: Float[Tensor, " n"]) -> dict[str, Any]:
    known = column[~column.isnan()]
    return {
        "share": known.mean().item() if len(known) else None,
        "se": (known.std() / len(known) ** 0.5).item() if len(known) > 1 else None,
        "captions": len(known),
    }
