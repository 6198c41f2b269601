"""Cosines of a benchmark's items from the codes of its images and captions."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from scmlab.benchmarks.embed import Embeddings, text_key
from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.ranks import Gallery
from scmlab.scm.store import BadFile

ITEMS = 1024
"""Items whose codes are in memory at once."""

Cosines = list[Float32[np.ndarray, "i c"] | None]
Codes = Float32[np.ndarray, "n d"]


def similarities(benchmark: Benchmark, embeddings: Embeddings) -> Cosines | Gallery:
    """What `score_items` takes: cosines of images with captions per item; of `similarity` between captions; a gallery.

    Summed in float64 and rounded to float32, so that equal captions tie. None: an image of the item is missing.
    """
    if benchmark.rule == "retrieval":
        return _gallery(benchmark, embeddings)
    if benchmark.rule == "similarity":
        return text_similarities(benchmark, embeddings)
    found: Cosines = []
    for items in _parts(benchmark):
        seen = [all(embeddings.images[image] is not None for image in item.images) for item in items]
        there = [item for item, usable in zip(items, seen, strict=True) if usable]
        images = _images(there, embeddings), [len(item.images) for item in there]
        captions = _texts(there, embeddings), [len(item.captions) for item in there]
        cosines = iter(_cosines(images, captions))
        found += [next(cosines) if usable else None for usable in seen]
    return found


def text_similarities(benchmark: Benchmark, embeddings: Embeddings) -> Cosines:
    """Cosines between the captions of each item, [captions captions]; no image is needed."""
    found: Cosines = []
    for items in _parts(benchmark):
        captions = _texts(items, embeddings), [len(item.captions) for item in items]
        found += _cosines(captions, captions)
    return found


def _gallery(benchmark: Benchmark, embeddings: Embeddings) -> Gallery:
    items = benchmark.items
    present = np.array([embeddings.images[item.images[0]] is not None for item in items], dtype=bool)
    captions = _texts(items, embeddings)
    images = np.zeros((len(items), captions.shape[1]), np.float32)
    there = [item for item, usable in zip(items, present, strict=True) if usable]
    if there:
        images[present] = _same_width(_images(there, embeddings), captions)
    return Gallery(images, captions, present)


def _parts(benchmark: Benchmark) -> Iterator[Sequence[Item]]:
    for start in range(0, len(benchmark.items), ITEMS):
        yield benchmark.items[start : start + ITEMS]


def _images(items: Sequence[Item], embeddings: Embeddings) -> Codes:
    return embeddings.cache.codes("image", [embeddings.images[image] for item in items for image in item.images])


def _texts(items: Sequence[Item], embeddings: Embeddings) -> Codes:
    return embeddings.cache.codes("text", [text_key(caption) for item in items for caption in item.captions])


Listed = tuple[np.ndarray, list[int]]
"""Codes [n d], and how many of them each item has."""


def _cosines(rows: Listed, columns: Listed) -> Cosines:
    """Of each item its rows with its columns."""
    if not rows[1]:
        return []
    _same_width(rows[0], columns[0])
    first, second = (codes.astype(np.float64) for codes, _ in (rows, columns))
    starts = [np.concatenate([[0], np.cumsum(counts)[:-1]]) for _, counts in (rows, columns)]
    shapes = np.stack([rows[1], columns[1]], 1)
    found: Cosines = [None] * len(shapes)
    for shape in np.unique(shapes, axis=0):
        places = np.flatnonzero((shapes == shape).all(1))
        ours, theirs = (start[places, None] + np.arange(count) for start, count in zip(starts, shape, strict=True))
        # one sum per pair, not a matrix product: equal rows then give equal sums wherever they stand
        cosines = (first[ours][:, :, None] * second[theirs][:, None]).sum(-1).astype(np.float32)
        for place, matrix in zip(places, cosines, strict=True):
            found[place] = matrix
    return found


def _same_width(images: Codes, captions: Float32[np.ndarray, "m e"]) -> Codes:
    if images.shape[1] != captions.shape[1]:
        raise BadFile(
            f"`model` must give images and captions codes of one width; got {images.shape[1]} and {captions.shape[1]}."
        )
    return images
