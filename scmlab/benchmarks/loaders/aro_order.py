"""ARO's COCO-Order and Flickr30k-Order: a caption of the image against four shuffles of its words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.loaders.aro_shuffles import chosen_words, plain_caption, shuffles
from scmlab.benchmarks.loaders.tables import read_csv
from scmlab.benchmarks.reading import (
    defects,
    file_of,
    image_ref,
    mark_duplicates,
    numbered,
    read_json,
    read_parquet,
    rows_of,
    text_of,
    value_of,
)
from scmlab.benchmarks.source import ALL
from scmlab.scm.store import BadFile

COLUMNS = ("correct_caption", "hard_text_1", "hard_text_2", "hard_text_3", "hard_text_4")


def load_coco_order(annotations: Path, *, words: str = "auto", options: Path | None = None, seed: int = 1) -> Benchmark:
    """COCO-Order: each of the five captions of the Karpathy test images against its four shuffles.

    The right caption is captions[0], and a tie is right: the official code takes an argmax. All five went through
    BLIP's cleaning (lower case, no .!"()*#:;~, at most 30 words). Shuffles: nouns among themselves and adjectives
    among themselves; all other words; words within threes; the threes themselves.
    words     who splits and tags: "spacy" (en_core_web_sm, with nltk's word_tokenize and its punkt data for the
              threes: the official ones), "parser" (scmlab's caption parser), "auto" (spaCy where all that is
              installed). Which shuffles come out, and so the score, depends on it and on its version.
    options   ready-made captions instead: CSV or Parquet with correct_caption, hard_text_1 ... hard_text_4, one row
              per caption in the order of the annotations; coco_order.csv or .parquet beside them is taken by itself
    seed      of the two random streams, the official 1
    The aggregate says which it was: "order/1" spaCy, "order_parser/1" the parser, "order_given/1" ready-made ones.
    Source: mertyg/vision-language-models-are-bows.
    Errors: BadFile for rows that are not as said and options of other captions; a tagger that is not installed.
    """
    return _load("coco_order", "coco", "coco_karpathy_test.json", 25010, annotations, words, options, seed)


def load_flickr30k_order(
    annotations: Path, *, words: str = "auto", options: Path | None = None, seed: int = 1
) -> Benchmark:
    """Flickr30k-Order: the 1,000 test images, five captions each; all else as of `load_coco_order`."""
    return _load("flickr30k_order", "flickr30k", "flickr30k_test.json", 5000, annotations, words, options, seed)


def _load(
    name: str, root: str, file: str, expected: int, annotations: Path, words: str, options: Path | None, seed: int
) -> Benchmark:
    path = file_of(annotations, [file])
    rows = list(_captions(path))
    beside = (path.parent / ready for ready in ready_names(name))
    ready = options or next(filter(Path.is_file, beside), None)
    if ready is None:
        reader = chosen_words(words)
        wrong, aggregate = shuffles([caption for *_, caption in rows], reader, seed), reader.aggregate
    else:
        wrong, aggregate = _ready(ready, rows), "order_given/1"
    items = []
    for (key, image, caption), options_ in zip(rows, wrong, strict=True):
        right, others = plain_caption(caption), tuple(map(plain_caption, options_))
        items.append(
            Item(
                key=key,
                images=(image_ref(root, image, path, f"item {key}"),),
                captions=(right, *others),
                right=((0, 0),),
                category="order",
                defect=defects((right,), others),
            )
        )
    return Benchmark(name, mark_duplicates(items), "choice", "first", aggregate, {ALL: expected})


def ready_names(name: str) -> tuple[str, ...]:
    """Names of files of ready-made captions, which are taken where they lie beside the annotations."""
    return f"{name}.csv", f"{name}.parquet"


def _captions(path: Path) -> Iterator[tuple[str, str, str]]:
    """(key, image, caption) of each caption; key: "number of the image/number of the caption"."""
    for place, row in numbered(rows_of(read_json(path), path)):
        image = text_of(row, "image", path, place)
        captions = value_of(row, "caption", path, place)
        if not isinstance(captions, list) or not captions:
            raise BadFile(f"`caption` of {place} in {path} must be a list of captions; got {captions!r:.80}.")
        for number, caption in enumerate(captions):
            text_of({"caption": caption}, "caption", path, f"{place}, caption {number},")
            yield f"{place.removeprefix('item ')}/{number}", image, caption


def _ready(path: Path, rows: list[tuple[str, str, str]]) -> list[tuple[str, ...]]:
    """The four other captions of each row. Errors: BadFile where they are not those of these captions."""
    data: list[Any] = read_parquet(path, COLUMNS) if path.suffix == ".parquet" else read_csv(path, COLUMNS)
    if len(data) != len(rows):
        raise BadFile(f"{path} must have a row for each of the {len(rows):,} captions; got {len(data):,}.")
    found = []
    for (place, row), (key, _, caption) in zip(numbered(data), rows, strict=True):
        right, *wrong = (text_of(row, column, path, place) for column in COLUMNS)
        if plain_caption(right) != plain_caption(caption):
            raise BadFile(
                f"`correct_caption` of {place} in {path} must be caption {key} of the annotations, {caption!r:.80}; "
                f"got {right!r:.80}."
            )
        found.append(tuple(wrong))
    return found
