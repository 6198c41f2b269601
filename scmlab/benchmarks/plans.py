"""How each benchmark's numbers are made of its items' scores."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from scmlab.benchmarks.cells import Cells, Evaluate, Weights, cells, macro, with_means
from scmlab.benchmarks.correlation import correlations
from scmlab.benchmarks.loaders.valse import PIECES as VALSE
from scmlab.benchmarks.loaders.vl_checklist import CATEGORIES as VL_CHECKLIST
from scmlab.benchmarks.scoring import RECALLS, Scored

LEAST = 25
"""Items that a pair of attributes must have in the benchmark to count in VG-Attribution."""


def accuracy(scored: Scored) -> Evaluate:
    """Over all items, and per category."""
    whole, parts = _whole(scored, "accuracy"), cells(scored, scored.categories)
    return lambda weights: whole(weights) | parts(weights)


def sugarcrepe(scored: Scored) -> Evaluate:
    """Per category, per kind of which all categories are loaded, and over all items."""
    kinds = {f"{kind}_{what}": kind for kind, what in _SUGARCREPE}
    there = set(scored.categories)
    complete = [kind for kind in ("replace", "swap", "add") if {c for c in kinds if kinds[c] == kind} <= there]
    each, whole = cells(scored, scored.categories), _whole(scored, "all")
    by_kind = [kinds.get(category) if kinds.get(category) in complete else None for category in scored.categories]
    kind = cells(scored, by_kind)
    return lambda weights: each(weights) | kind(weights) | whole(weights)


_SUGARCREPE = (*(("replace", what) for what in ("obj", "att", "rel")),
               *((kind, what) for kind in ("swap", "add") for what in ("obj", "att")))  # fmt: skip


def category_means(named: Mapping[str, Sequence[str]], *, needed: bool = False) -> Callable[[Scored], Evaluate]:
    """Categories, and those named means, of categories or earlier means, of which all parts are there.

    needed   no number at all where no mean can be made
    """

    def plan(scored: Scored) -> Evaluate:
        each = cells(scored, scored.categories)
        given = set(with_means(dict.fromkeys(each.names, 0.0), named)) - set(each.names)
        return (lambda weights: with_means(each(weights), named)) if given or not needed else (lambda weights: {})

    return plan


SUGARCREPE_CAE = {
    "relation": ("replace_rel",),
    "attribute": ("add_att", "replace_att", "swap_att"),
    "object": ("add_obj", "replace_obj", "swap_obj"),
}
VALSE_CAE = {"actions": ("actant-swap", "action-replacement"), "relation": ("actions", "relations")}


def sugarcrepe_pp(scored: Scored) -> Evaluate:
    """Mean over categories of both scores, and each per category."""
    parts = {"itt": "both"} | ({"tot": "text_only"} if "text_only" in scored.parts else {})
    each = {name: cells(scored, scored.categories, scored.parts[part]) for name, part in parts.items()}

    def numbers(weights: Weights) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, one in each.items():
            percents = one.percent(weights)
            found[name] = float(percents.mean())
            found |= {f"{name}/{category}": value for category, value in one(weights).items()}
        return found

    return numbers


def winoground(scored: Scored) -> Evaluate:
    """The three scores over all items, per category and per fine tag."""
    items, every = scored.benchmark.items, []
    fine = dict.fromkeys(tag for item in items for tag in item.tags if tag.startswith("fine:"))
    for part in ("text", "image", "group"):
        value = scored.parts[part]
        every.append(_whole(scored, part, value))
        every.append(cells(scored, [f"{part}/{category}" for category in scored.categories], value))
        # an item may have several fine tags
        every += [
            cells(scored, [f"{part}/{tag}" if tag in item.tags else None for item in items], value) for tag in fine
        ]
    return _merged(every)


def whatsup(scored: Scored) -> Evaluate:
    """Items, pairs, sets, and items per preposition."""
    every = [_whole(scored, "individual")]
    for name, number in (("pair", 2), ("set", 4)):
        value = _all_right(scored, name, number)
        every.append(_whole(scored, name, value))
    every.append(cells(scored, [f"individual/{category}" for category in scored.categories]))
    return _merged(every)


def _all_right(scored: Scored, tag: str, number: int) -> np.ndarray:
    """Of each item, whether all `number` of its group are right; their product for fractional credit. NaN: missing."""
    rows: dict[str | float, list[int]] = {}
    for row, item in enumerate(scored.benchmark.items):
        rows.setdefault(item.tags[tag], []).append(row)
    value = np.zeros(len(scored))
    for together in rows.values():
        credit = scored.correct[together]
        value[together] = np.nan if np.isnan(credit).any() else credit.prod() if len(together) == number else 0.0
    return value


def vg_relation(dropped: Sequence[str]) -> Callable[[Scored], Evaluate]:
    """A mean over the relations whose tag left_out is none of `dropped`."""

    def plan(scored: Scored) -> Evaluate:
        dropped_names = {item.category for item in scored.benchmark.items if item.tags.get("left_out") in dropped}
        return _macro(scored, lambda category: category not in dropped_names)

    return plan


def only_of(names: Sequence[str], plan: Callable[[Scored], Evaluate]) -> Callable[[Scored], Evaluate]:
    """The plan for benchmarks whose own aggregate is one of these: others lie on another list, or other captions."""
    return lambda scored: plan(scored) if scored.benchmark.aggregate in names else lambda weights: {}


def vg_attribution(scored: Scored) -> Evaluate:
    """A mean over the pairs of attributes that have enough items in the benchmark."""
    count = Counter(scored.categories)
    return _macro(scored, lambda category: count[category] >= LEAST)


def _macro(scored: Scored, counts: Callable[[str], bool]) -> Evaluate:
    """Means over the categories that count and over all; micro over all items; the categories that count."""
    each, whole = cells(scored, scored.categories), _whole(scored, "micro")
    chosen = np.array([counts(name) for name in each.names], dtype=bool)
    names = [name for name, inside in zip(each.names, chosen, strict=True) if inside]

    def numbers(weights: Weights) -> dict[str, float]:
        percents = each.percent(weights)
        means = {"macro": macro(percents[chosen]), "macro_all": macro(percents)}
        return means | whole(weights) | dict(zip(names, percents[chosen].tolist(), strict=True))

    return numbers


def vl_checklist_means() -> dict[str, list[str]]:
    """Type -> files, family -> types, as the release has them."""
    means: dict[str, list[str]] = {}
    for name in VL_CHECKLIST:
        means.setdefault(name.rpartition("/")[0], []).append(name)
    types = list(means)
    for name in ("Attribute", "Relation", "Object/Location", "Object/Size"):
        means[name] = [kind for kind in types if kind.startswith(f"{name}/")]
    return means | {"Object": ["Object/Location", "Object/Size"]}


def valse(scored: Scored) -> Evaluate:
    """Per piece; means over the 11 pieces and over the 7 phenomena."""
    each = cells(scored, scored.categories)
    means: dict[str, Sequence[str]] = {"pieces": tuple(VALSE)}
    for piece, (phenomenon, *_) in VALSE.items():
        name = f"phenomenon/{phenomenon}"
        means[name] = (*means.get(name, ()), piece)
    means["phenomena"] = [name for name in means if name.startswith("phenomenon/")]
    return lambda weights: with_means(each(weights), means)


def crepe(scored: Scored) -> Evaluate:
    """Per category and per kind of negative."""
    each, means = cells(scored, scored.categories), {}
    for name in each.names:
        means.setdefault(name.partition("/")[0], []).append(name)
    return lambda weights: with_means(each(weights), means)


def retrieval(scored: Scored) -> Evaluate:
    """R@1, 5, 10 of images over all items, of captions over all captions."""
    captions = scored.options.astype(np.float64)
    names = [
        (f"{way}_r{k}", size) for way, size in (("image_to_text", None), ("text_to_image", captions)) for k in RECALLS
    ]
    return _merged([_whole(scored, name, scored.parts[name], size) for name, size in names])


def similarity(scored: Scored) -> Evaluate:
    """Both correlations of cosine and judgement."""
    return correlations(scored.parts["cosine"], scored.parts["judgement"])


def _whole(scored: Scored, name: str, value: np.ndarray | None = None, size: np.ndarray | None = None) -> Cells:
    return cells(scored, [name] * len(scored), value, size)


def _merged(every: Sequence[Evaluate]) -> Evaluate:
    return lambda weights: {name: value for one in every for name, value in one(weights).items()}
