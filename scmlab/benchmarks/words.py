"""How near a benchmark's captions are to their own objects, attributes and relations, in a model's text codes."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Any, get_args

import numpy as np

from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.embed import embed_captions, text_key
from scmlab.benchmarks.item import Benchmark
from scmlab.benchmarks.models import Model
from scmlab.language.concept import Category, Parser
from scmlab.language.parser import RuleParser

CLASSES: tuple[str, ...] = get_args(Category)


def word_cosines(
    model: Model, benchmark: Benchmark, cache: Cache, *, batch: int = 64, parser: Parser | None = None
) -> list[dict[str, Any]]:
    """Cosine of captions with their own words: one entry per class, object, attribute and relation.

        c = mean over captions of mean over the caption's phrases p of the class of cos(z(caption), z(p))

    A phrase is what a concept says and no more, as it stands in the caption: of a relation its own words ("holding",
    "is sitting on") without the objects it links, of an object its noun ("fire hydrant") without article and
    attributes. Each right caption counts once, however many items have it; a phrase that it has twice counts twice.
    No image is needed, so any model will do.

    word_class  object, attribute or relation
    cosine, se  mean over captions and its standard error, captions as independent draws; None where there are too few
    others      mean over these captions of their mean cosine with phrases of the class that only other captions
                have, each as often as it occurs: codes of a model lie in a cone, and no cosine says much without it
    captions    captions that have such a phrase
    words       different phrases

    cache   of this model; codes that it lacks are added
    parser  `RuleParser()` when none is given
    Source: Li et al. 2024 (CAE), that captions come closer to their relations and attributes; mean and `others` ours.
    Errors: the rule `similarity`, under which no caption is right; as of `embed`; TextBlob is not installed.
    """
    captions = right_captions(benchmark)
    parses = list((parser or RuleParser()).parse(captions))
    phrases = {
        kind: [[parse.text(concept) for concept in parse.concepts if concept.category == kind] for parse in parses]
        for kind in CLASSES
    }
    texts = {text for of_class in phrases.values() for own in of_class for text in own}
    embed_captions({*captions, *texts}, model, cache, batch=batch)
    return [{"word_class": kind} | _compared(captions, of_class, cache) for kind, of_class in phrases.items()]


def right_captions(benchmark: Benchmark) -> list[str]:
    """The captions that are right for an image of their item, each once, in the benchmark's order.

    Errors: the rule `similarity`, which has none.
    """
    if benchmark.rule == "similarity":
        raise ValueError(f"`benchmark` must have right captions; got {benchmark.name}, which compares captions.")
    return list(dict.fromkeys(item.captions[caption] for item in benchmark.items for _, caption in item.right))


def _compared(captions: Sequence[str], phrases: Sequence[Sequence[str]], cache: Cache) -> dict[str, Any]:
    """The entry of one class; phrases: those of each caption."""
    counts = Counter(text for own in phrases for text in own)
    place = {text: row for row, text in enumerate(counts)}
    codes = cache.codes("text", [text_key(text) for text in counts]).astype(np.float64)
    often = np.array([*counts.values()], dtype=np.float64)
    total = often @ codes
    cosines, others = [], []
    for caption, own in zip(captions, phrases, strict=True):
        if own:
            code = cache.codes("text", [text_key(caption)])[0].astype(np.float64)
            rows = [place[text] for text in own]
            cosines.append(codes[rows].mean(0) @ code)
            its = list(set(rows))
            if (left := often.sum() - often[its].sum()) > 0:
                others.append((total - often[its] @ codes[its]) @ code / left)
    n = len(cosines)
    return {
        "cosine": float(np.mean(cosines)) if n else None,
        "se": float(np.std(cosines, ddof=1) / sqrt(n)) if n > 1 else None,
        "others": float(np.mean(others)) if others else None,
        "captions": n,
        "words": len(counts),
    }
