"""What is known of a benchmark before its files are read, and how the files at hand differ from the official ones."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from scmlab.benchmarks.item import Benchmark

Loader = Callable[..., Benchmark]
"""load(annotations: Path, **options) -> Benchmark."""

ALL = "all"
"""In `Benchmark.expected`: the number of items of all categories together."""

CAPTIONS = "captions"
"""In `Benchmark.expected`: the number of captions of all items together."""

UNKNOWN = -1
"""In `Benchmark.expected`: a category of the official release whose number of items is not known."""

VL_COMPO = "ytaek-oh/vl_compo, individual_results.csv (arXiv 2406.09388)"
"""Where most published numbers are from."""


@dataclass(frozen=True)
class Source:
    """A benchmark as users get it.

    name       as on the command line
    title      as in its paper
    load       reads the annotations
    files      names below the folder of annotations, or what the single file is
    beside     names beside a single file of annotations that are read with it where they are there
    origin     where files and images come from
    licence    of the annotations, and of the images where it is known
    roots      name of an image root -> how its folder looks
    reference  published numbers of CLIP ViT-B/32, percent, under the names of the official aggregate
    cited      whose numbers these are; '' without any
    aggregate  the one that they are of, where the benchmark's files may make it another; '' where it is always the same
    """

    name: str
    title: str
    load: Loader
    files: tuple[str, ...]
    origin: str
    licence: str
    roots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reference: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    cited: str = ""
    aggregate: str = ""
    beside: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.reference) != bool(self.cited):
            raise ValueError(f"`cited` must name the source of `reference`; got {self.cited!r} for {self.name}.")


@dataclass(frozen=True)
class Difference:
    """A category with another number of items than in the official release."""

    category: str
    expected: int
    found: int

    @property
    def sentence(self) -> str:
        """What was found, what was expected, what it means."""
        what = {ALL: "the benchmark holds {} items", CAPTIONS: "the benchmark holds {} captions"}
        found = what.get(self.category, f"{self.category} holds {{}} items").format(f"{self.found:,}")
        return (
            f"{found} where the official release has {self.expected:,}: compare its scores with published ones only "
            "after taking the official files."
        )


def differences(benchmark: Benchmark) -> tuple[Difference, ...]:
    """The categories whose number of items is not the official one; also those that the release does not have.

    Nothing is said where the official numbers are not known.
    """
    expected = dict(benchmark.expected)
    if not expected:
        return ()
    found = Counter(item.category for item in benchmark.items)
    totals = {ALL: len(benchmark.items), CAPTIONS: sum(len(item.captions) for item in benchmark.items)}
    if not set(expected) - set(totals):
        found = Counter()  # only totals are known
    counts = dict.fromkeys(expected, 0) | found | {name: totals[name] for name in totals if name in expected}
    made = (Difference(name, expected.get(name, 0), count) for name, count in counts.items())
    return tuple(difference for difference in made if difference.expected not in (UNKNOWN, difference.found))
