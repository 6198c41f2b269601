"""Every image and caption of a benchmark embedded once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.decode import Unreadable, cut_to_box, open_rgb
from scmlab.benchmarks.item import Benchmark, ImageRef
from scmlab.benchmarks.models import Model
from scmlab.scm.equations import is_count
from scmlab.scm.store import BadFile

WORKERS = 4
PIXELS = 64_000_000
"""Pixels of images that wait for one batch: large ones are embedded in smaller batches."""

Progress = Callable[[str, int, int], None]
"""Called with what is embedded ("image" or "text"), how many are done and how many there are."""


@dataclass(frozen=True, eq=False)
class Embeddings:
    """The codes of a benchmark's images and captions.

    images      image -> its key in the cache; None where it is missing or cannot be read
    unreadable  image -> why the file that is there cannot be used
    cut         number of different captions that are longer than what the model reads; None where it does not say
    """

    images: Mapping[ImageRef, bytes | None]
    unreadable: Mapping[ImageRef, str]
    cut: int | None
    cache: Cache


def embed(
    benchmark: Benchmark,
    model: Model,
    paths: Mapping[ImageRef, Path | None],
    cache: Cache,
    *,
    batch: int = 64,
    progress: Progress | None = None,
) -> Embeddings:
    """Codes of length 1, float32, of all images and captions; what the cache holds is not computed again.

    Images are those of equal bytes and box; equal ones are embedded once, also under several names. They are made RGB,
    then cut to their box (what lies beyond the image is black), then prepared by the model. Batches follow the
    benchmark's order for images; captions go to a CLIP by the alphabet, as it computes what neighbours begin with once,
    and to other models by rising length. So a run that was killed goes on with the same batches and ends with the same
    numbers; other batches may differ in the last bit of a number.
    paths   where each image is; None, or no entry: it is missing
    batch   images or captions that the model gets at once
    Errors: batch < 1; codes that are not one vector per image or caption, not finite, or zero.
    """
    _check_batch(batch)
    images, unreadable = _embed_images(benchmark, model, paths, cache, batch, progress)
    captions = {caption for item in benchmark.items for caption in item.captions}
    return Embeddings(images, unreadable, embed_captions(captions, model, cache, batch=batch, progress=progress), cache)


def embed_captions(
    captions: Iterable[str], model: Model, cache: Cache, *, batch: int = 64, progress: Progress | None = None
) -> int | None:
    """Codes of the captions into the cache, each different one once; how many are cut, None where it is not known.

    As `embed`, without images: keys are those of `text_key`.
    """
    _check_batch(batch)
    texts = sorted(set(captions), key=lambda c: (len(c) if model.clip is None else c.casefold(), c))
    keys = [text_key(caption) for caption in texts]
    new = [place for place, key in enumerate(keys) if not cache.has("text", key)]
    for start in range(0, len(new), batch):
        _tell(progress, "text", len(keys) - len(new) + start, len(keys))
        part = new[start : start + batch]
        given = [texts[place] for place in part]
        cut = np.zeros(len(given), dtype=bool) if model.cut is None else model.cut(given)
        cache.add("text", [keys[p] for p in part], _codes(model, "encode_text", given, repr(given[0])), cut)
    cache.write()
    _tell(progress, "text", len(keys), len(keys))
    return None if model.cut is None else int(cache.cut("text", keys).sum())


def text_key(caption: str) -> bytes:
    """The key of a caption, exactly as it is."""
    return sha256(caption.encode()).digest()


def _embed_images(
    benchmark: Benchmark,
    model: Model,
    paths: Mapping[ImageRef, Path | None],
    cache: Cache,
    batch: int,
    progress: Progress | None,
) -> tuple[dict[ImageRef, bytes | None], dict[ImageRef, str]]:
    keys: dict[ImageRef, bytes | None] = {image: None for item in benchmark.items for image in item.images}
    files: dict[Path, list[ImageRef]] = {}
    for image in keys:
        if (path := paths.get(image)) is not None:
            files.setdefault(path, []).append(image)
    unreadable: dict[ImageRef, str] = {}
    waiting: dict[bytes, tuple[Any, str]] = {}
    done, pixels, total = 0, 0, sum(map(len, files.values()))

    def embed_waiting() -> None:
        prepared = [image for image, _ in waiting.values()]
        codes = _codes(model, "encode_image", prepared, next(iter(waiting.values()))[1])
        cache.add("image", list(waiting), codes, np.zeros(len(codes), dtype=bool))
        waiting.clear()

    for read in _ahead(lambda path: _read(path, files[path], model, cache), files):
        for image, key, prepared, size, why in read:
            done += 1
            keys[image] = key
            if why:
                unreadable[image] = why
            elif prepared is not None and not cache.has("image", key) and key not in waiting:
                waiting[key], pixels = (prepared, str(image.path)), pixels + size
                if len(waiting) == batch or pixels >= PIXELS:
                    embed_waiting()
                    pixels = 0
                    _tell(progress, "image", done, total)
    if waiting:
        embed_waiting()
    cache.write()
    _tell(progress, "image", done, total)
    return keys, unreadable


def _check_batch(batch: int) -> None:
    if not is_count(batch, 1):
        raise ValueError(f"`batch` must be an integer >= 1; got {batch!r}.")


Read = tuple[ImageRef, bytes | None, Any, int, str]


def _read(path: Path, images: Sequence[ImageRef], model: Model, cache: Cache) -> list[Read]:
    """Key of each image in the file, its prepared form if the cache lacks it, its pixels, and why it cannot be used."""
    try:
        content = sha256(path.read_bytes()).digest()
        keys = [sha256(content + repr(image.box).encode()).digest() for image in images]
        if all(cache.has("image", key) for key in keys):
            return [(image, key, None, 0, "") for image, key in zip(images, keys, strict=True)]
        whole = open_rgb(path)
    except (Unreadable, OSError) as error:
        return [(image, None, None, 0, str(error)) for image in images]
    found: list[Read] = []
    for image, key in zip(images, keys, strict=True):
        try:
            crop = cut_to_box(whole, image)
        except Unreadable as error:
            found.append((image, None, None, 0, str(error)))
        else:
            found.append((image, key, model.prepare(crop), crop.width * crop.height, ""))
    return found


def _ahead(work: Callable[[Path], list[Read]], files: Iterable[Path]) -> Iterator[list[Read]]:
    """work(file) of each, in order; some are done ahead in threads, few at a time."""
    with ThreadPoolExecutor(WORKERS) as pool:
        running: deque = deque()
        try:
            for file in files:
                running.append(pool.submit(work, file))
                if len(running) > 2 * WORKERS:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def _codes(model: Model, method: str, what: Sequence[Any], first: str) -> Float32[np.ndarray, "n d"]:
    """What the model's method gives, each divided by its length. first: names the first of the batch in errors."""
    given = getattr(model, method)(what)
    if hasattr(given, "detach"):
        given = given.detach().float().cpu().numpy()
    try:
        codes = np.asarray(given)
    except ValueError:  # rows of several lengths
        codes = np.empty(0, dtype=object)
    if codes.ndim != 2 or len(codes) != len(what) or not np.issubdtype(codes.dtype, np.floating):
        raise BadFile(
            f"`{method}` must give one vector of numbers for each of {len(what)}; got {codes.dtype} of the shape "
            f"{codes.shape} from {model.name}."
        )
    lengths = np.linalg.norm(codes.astype(np.float64), axis=1, keepdims=True)
    usable: Bool[np.ndarray, " n"] = np.isfinite(lengths[:, 0]) & (lengths[:, 0] > 0)
    if not usable.all():
        place = int(usable.argmin())
        raise BadFile(
            f"`{method}` must give codes that are finite and not zero; got another from {model.name} for number "
            f"{place} of the batch from {first:.80}."
        )
    return (codes / lengths).astype(np.float32)


def _tell(progress: Progress | None, kind: str, done: int, total: int) -> None:
    if progress is not None:
        progress(kind, done, total)
