"""Official aggregates of scores, named and versioned: another list or another mean is another name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from scmlab.benchmarks import plans
from scmlab.benchmarks.cells import Evaluate
from scmlab.benchmarks.item import Rule
from scmlab.benchmarks.scoring import Scored


@dataclass(frozen=True, eq=False)
class Aggregate:
    """A way to make numbers, in percent, of the scores of a benchmark's items.

    name      with its version: "vg_relation/1"
    rule      of the benchmarks it is for
    headline  the numbers to show first, of those that are given
    says      what is averaged over what
    plan      prepares the numbers for any weights of the items

    Missing items count nowhere. A number of a category, or a mean of named ones, in which nothing was scored is NaN;
    one that needs categories which the benchmark does not hold is not given, nor one of another list of names
    or of other captions than the benchmark was read with. A mean over all categories is one over those in which
    something was scored. Errors: scores of a benchmark that the aggregate gives no number for.
    """

    name: str
    rule: Rule
    headline: tuple[str, ...]
    says: str
    plan: Callable[[Scored], Evaluate]

    def prepare(self, scored: Scored) -> Evaluate:
        """The numbers as a function of weights of the items."""
        found = scored.benchmark
        if found.rule != self.rule:
            raise ValueError(f"`aggregate` must be for the rule {found.rule} of {found.name}; got {self.name}.")
        return self.plan(scored)

    def __call__(self, scored: Scored) -> dict[str, float]:
        numbers = self.prepare(scored)(np.ones(len(scored)))
        if not numbers:
            raise ValueError(
                f"`aggregate` must fit the categories of {scored.benchmark.name}; got {self.name}, which needs others."
            )
        return numbers


_OFFICIAL_LIST = ("vg_relation/1", "vg_relation_cae/1")  # of benchmarks read with ARO's list
_ACCURACY = "mean over the items, and over those of each category"
_CHOICES: tuple[tuple[str, tuple[str, ...], str, Callable[[Scored], Evaluate]], ...] = (
    ("accuracy/1", ("accuracy",), _ACCURACY, plans.accuracy),
    *(
        (name, ("accuracy",), f"{_ACCURACY}; {captions}", plans.only_of((name,), plans.accuracy))
        for name, captions in (
            ("order/1", "captions shuffled with the official taggers"),
            ("order_parser/1", "captions shuffled with this library's tagger"),
            ("order_given/1", "shuffled captions as given"),
        )
    ),
    (
        "sugarcrepe/1",
        ("replace", "swap", "add", "all"),
        "mean over the items of each category, of replace_*, swap_* and add_*, and of all categories loaded",
        plans.sugarcrepe,
    ),
    (
        "sugarcrepe_cae/1",
        ("relation", "attribute", "object"),
        "relation: replace_rel; attribute: mean of add_att, replace_att, swap_att; object: of add_obj, replace_obj, "
        "swap_obj",
        plans.category_means(plans.SUGARCREPE_CAE, needed=True),
    ),
    (
        "whatsup_controlled/1",
        ("individual", "pair", "set"),
        "individual: mean over the items; pair, set: share of pairs of opposite prepositions, and of sets of four, "
        "with all right",
        plans.whatsup,
    ),
    (
        "vg_relation/1",
        ("macro",),
        "mean over the relations without ARO's 157 symmetric names; macro_all: over all; micro: over all items",
        plans.only_of(_OFFICIAL_LIST, plans.vg_relation(("official",))),
    ),
    (
        "vg_relation_cae/1",
        ("macro",),
        "mean over the relations without ARO's 157 symmetric names and three more; macro_all, micro as of "
        "vg_relation/1",
        plans.only_of(_OFFICIAL_LIST, plans.vg_relation(("official", "cae"))),
    ),
    (
        "vg_relation_given/1",
        ("macro",),
        "mean over the relations without those of the list given; macro_all, micro as of vg_relation/1",
        plans.only_of(("vg_relation_given/1",), plans.vg_relation(("given",))),
    ),
    ("vg_relation_all/1", ("macro",), "mean over all relations, symmetric ones too", plans.vg_relation(())),
    (
        "vg_attribution/1",
        ("macro",),
        f"mean over the pairs of attributes with at least {plans.LEAST} items; macro_all: over all pairs",
        plans.vg_attribution,
    ),
    (
        "vl_checklist/1",
        ("Attribute", "Relation", "Object"),
        "mean over the items of each file, over the files of a type, over the types; Object: of Location and Size",
        plans.category_means(plans.vl_checklist_means()),
    ),
    (
        "valse/1",
        ("pieces", "phenomena"),
        "mean over the items of each piece (acc_r); pieces: over the 11 pieces; phenomena: over 7 means over pieces",
        plans.valse,
    ),
    (
        "valse_cae/1",
        ("relation",),
        "mean of relations and of the mean of actant-swap and action-replacement",
        plans.category_means(plans.VALSE_CAE, needed=True),
    ),
    (
        "crepe/1",
        (),
        "R@1 per kind and complexity of the negatives; of a kind the mean over its complexities",
        plans.crepe,
    ),
)

AGGREGATES: Mapping[str, Aggregate] = MappingProxyType(
    {
        **{name: Aggregate(name, "choice", headline, says, plan) for name, headline, says, plan in _CHOICES},
        "winoground/1": Aggregate(
            "winoground/1",
            "group",
            ("text", "image", "group"),
            "mean over the items, over those of each category and of each fine tag",
            plans.winoground,
        ),
        "sugarcrepe_pp/1": Aggregate(
            "sugarcrepe_pp/1",
            "both",
            ("itt", "tot"),
            "itt: both captions above the negative, mean over the categories of their means over items; tot: likewise "
            "between captions alone",
            plans.sugarcrepe_pp,
        ),
        "retrieval/1": Aggregate(
            "retrieval/1",
            "retrieval",
            ("image_to_text_r1", "text_to_image_r1"),
            "share of images with a caption of theirs, and of captions with their image, among the k highest",
            plans.retrieval,
        ),
        "similarity/1": Aggregate(
            "similarity/1",
            "similarity",
            ("spearman", "pearson"),
            "100 times the correlation of cosines and judgements over all items",
            plans.similarity,
        ),
    }
)
"""Aggregates by name; `Benchmark.aggregate` is the official one."""
