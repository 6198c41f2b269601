"""Where batches come from: a data set in memory, or a folder of images with captions."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from scmlab.language.records import one_of
from scmlab.models.clip import Clip, Tokens, tokenize
from scmlab.models.clip.images import BadImage, preprocess
from scmlab.scm import stream
from scmlab.scm.store import BadFile, write_atomically
from scmlab.training.clip.annotations import ON_ERROR, CaptionedImage, CaptionedImages
from scmlab.training.clip.batch import ClipBatch, FalseTexts, Source, caption_ids, image_ids
from scmlab.training.clip.ranks import place

Label = Callable[[Tokens, Sequence[str]], Any]
"""Tokens and their captions to a record with `words` and `classes` as `ClipBatch` has them: `attribution.word_map`."""


def in_memory(pairs: ClipBatch, batch: int, *, seed: int) -> Source:
    """Batches of these pairs: every epoch in a new order of the stream (seed, "epoch", e), its remainder left out.

    Errors: fewer pairs than a batch has.
    """
    _check_size(len(pairs), batch)
    return lambda step, generator: pairs[rows_of_step(len(pairs), batch, step, seed=seed)]


def rows_of_step(pairs: int, batch: int, step: int, *, seed: int) -> Int64[Tensor, " b"]:
    """The pairs of a step: it depends on nothing else, so that any step can be resumed at."""
    epoch, within = divmod(step, pairs // batch)
    return _order(pairs, seed, epoch)[within * batch : (within + 1) * batch]


@functools.lru_cache(maxsize=4)
def _order(pairs: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(pairs, generator=stream(seed, "epoch", epoch))


@dataclass(frozen=True, eq=False)
class FolderSource:
    """Batches read from a folder as they are needed; what could not be used is counted while it is.

    batch         pairs per step, of all processes; each reads its share alone
    negatives     false captions per pair, drawn anew each time where a pair has more; pairs with fewer have fewer
    alternatives  for each pair one of its neighbours, drawn anew, with false captions of its own; a pair without
                  neighbours gets any other pair
    label         of words, for an attribution loss; asked once for every caption
    on_error      an image that cannot be decoded: "stop", or "skip": the pair after it takes its place, and the image
                  is in `corrupt` with the reason
    found         file to which they are added, and from which those of a training that goes on are read
    workers       threads that decode

    Tokens are made batch by batch. Errors: BadImage, which names the file; fewer pairs than a batch has.
    """

    clip: Clip
    images: CaptionedImages
    batch: int
    seed: int
    negatives: int = 0
    alternatives: bool = False
    label: Label | None = None
    on_error: str = "stop"
    workers: int = 4
    corrupt: dict[str, str] = field(default_factory=dict)
    found: Path | None = None
    labelled: dict[str, Tensor] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        one_of("on_error", self.on_error, ON_ERROR)
        _check_size(len(self.images), self.batch)
        if self.found and self.found.exists():
            whole, _, cut = self.found.read_text().rpartition("\n")
            if cut:  # a kill left the last line without its end
                write_atomically(self.found, f"{whole}\n".encode() if whole else b"")
            for name, why in map(json.loads, whole.splitlines()):
                self.corrupt.setdefault(name, why)

    @functools.cached_property
    def truncated(self) -> dict[str, int]:
        """How many captions, and how many of their false captions, are longer than the context, which cuts them."""
        pairs = self.images.pairs
        return {
            "captions": count_truncated(self.clip, [pair.caption for pair in pairs]),
            "negatives": count_truncated(self.clip, [text for pair in pairs for text in pair.negatives]),
        }

    @property
    def identity(self) -> dict:
        """What decides the batches, as plain data: for `belongs_to` of `train_clip`."""
        digest = hashlib.sha256(repr(self.images.pairs).encode("utf-8", "surrogatepass")).hexdigest()
        named = ("batch", "seed", "negatives", "alternatives", "on_error")
        return {"pairs": digest} | {name: getattr(self, name) for name in named}

    def __call__(self, step: int, generator: torch.Generator) -> ClipBatch:
        """This process's share of the step's batch: which pairs, and what is drawn for them, is the same on all."""
        rows = rows_of_step(len(self.images), self.batch, step, seed=self.seed).tolist()
        further = [_neighbour(self.images, row, generator) for row in rows] if self.alternatives else None
        picks = torch.rand(2, self.batch, max(self.negatives, 1), generator=generator)
        rank, ranks = place()
        share = slice(rank * self.batch // ranks, (rank + 1) * self.batch // ranks)
        main = self._pairs(rows[share], picks[0, share])
        if further is None:
            return main
        parts = {name: getattr(main, name) for name in ("pixels", "tokens", "image_ids", "text_ids", "negatives")}
        return ClipBatch(
            **parts,
            alternatives=self._pairs(further[share], picks[1, share]),
            words=main.words,
            classes=main.classes,
        )

    def _pairs(self, rows: Sequence[int], picks: Float[Tensor, "n k"]) -> ClipBatch:
        with ThreadPoolExecutor(self.workers) as pool:
            found = list(pool.map(self._read, rows))
        pairs = [pair for pair, _ in found]
        captions = [pair.caption for pair in pairs]
        tokens = tokenize(self.clip, captions)
        words, classes = (None, None) if self.label is None else self._words(tokens, captions)
        return ClipBatch(
            torch.cat([pixels for _, pixels in found]),
            tokens,
            image_ids([str(pair.image) for pair in pairs]),
            caption_ids(captions),
            self._false_texts(pairs, picks) if self.negatives else None,
            words=words,
            classes=classes,
        )

    def _read(self, row: int) -> tuple[CaptionedImage, Float[Tensor, "1 3 h w"]]:
        """The pair and its pixels, or the next one whose image can be decoded."""
        total = len(self.images)
        for shift in range(total):
            pair = self.images.pairs[(row + shift) % total]
            if str(pair.image) in self.corrupt:
                continue
            try:
                return pair, preprocess([pair.image], self.clip.preprocessing)
            except BadImage as error:
                if self.on_error == "stop":
                    raise
                self._add(str(pair.image), str(error))
        raise BadFile("`images` must hold an image that can be decoded; got none.")

    def _add(self, name: str, why: str) -> None:
        self.corrupt[name] = why
        if self.found:
            self.found.parent.mkdir(parents=True, exist_ok=True)
            with self.found.open("a") as file:
                file.write(json.dumps([name, why]) + "\n")

    def _words(self, tokens: Tokens, captions: Sequence[str]) -> tuple[Int64[Tensor, "n t"], Int64[Tensor, "n t"]]:
        """Words and classes; of captions that were seen before as they were then."""
        new = [row for row, caption in enumerate(captions) if caption not in self.labelled]
        if new:
            found = self.label(tokens[new], [captions[row] for row in new])
            for at, row in enumerate(new):
                stop = int(tokens.end[row])
                self.labelled[captions[row]] = torch.stack((found.words[at, :stop], found.classes[at, :stop]))
        words, classes = torch.full(tokens.ids.shape, -1), torch.zeros(tokens.ids.shape, dtype=torch.int64)
        for row, caption in enumerate(captions):
            known = self.labelled[caption]
            words[row, : known.shape[1]], classes[row, : known.shape[1]] = known
        return words, classes

    def _false_texts(self, pairs: Sequence[CaptionedImage], picks: Float[Tensor, "n k"]) -> FalseTexts:
        """k of each pair's negatives without repetition, in a random order that only `picks` decides."""
        texts, mask = [], torch.zeros(picks.shape, dtype=torch.bool)
        for row, pair in enumerate(pairs):
            left = list(pair.negatives)
            for column, pick in enumerate(picks[row].tolist()):
                mask[row, column] = bool(left)
                texts.append(left.pop(min(int(pick * len(left)), len(left) - 1)) if left else pair.caption)
        return FalseTexts(tokenize(self.clip, texts), caption_ids(texts).view(picks.shape), mask)


def count_truncated(clip: Clip, captions: Sequence[str]) -> int:
    """How many of the captions are longer than the context, which cuts them."""
    parts = (captions[start : start + 4096] for start in range(0, len(captions), 4096))
    return sum(int(tokenize(clip, part).truncated.sum()) for part in parts)


def _neighbour(images: CaptionedImages, row: int, generator: torch.Generator) -> int:
    near = images.pairs[row].neighbours
    choices = len(near) or len(images) - 1
    pick = int(torch.randint(choices, (), generator=generator))
    return near[pick] if near else (row + 1 + pick) % len(images)


def _check_size(pairs: int, batch: int) -> None:
    if not 1 <= batch <= pairs:
        raise ValueError(f"`batch` must be from 1 to the number of pairs, {pairs}; got {batch}.")
