"""Tables of the page of `benchmark` by case and by class of words."""

from collections.abc import Callable, Iterable, Sequence

from scmlab.report.attribution_names import CLASSES, METHODS
from scmlab.report.benchmark_lines import title, whole, with_seed
from scmlab.report.benchmark_names import SOURCES
from scmlab.report.names import DASH, decimal
from scmlab.report.overlap_names import CASES, case
from scmlab.report.record import Entry, Record, entries, number, select
from scmlab.report.report import Cell, Row, Section

OPEN = 24  # rows that a table shows unfolded

Groups = list[tuple[str, list[Row]]]


def long_section(
    title_: str, first: Sequence[str], numbers: Sequence[str], groups: Groups, text: str = ""
) -> Section | None:
    """Folded where it is long; None where it is empty."""
    groups = [(name, rows) for name, rows in groups if rows]
    count = sum(len(rows) for _, rows in groups)
    if not count:
        return None
    folded = f"{count:,} lines" if count > OPEN else ""
    return Section(title_, (*first, *numbers), groups, numbers=numbers, text=text, folded=folded)


def settings(of: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys(entry["setting"] for entry in of))


def shares(record: Record) -> Section | None:
    of = entries(record, "cases")
    groups = [
        (
            title(record, setting),
            [
                (where, case(*one), *(_share(_first(group, source=source)) for source in SOURCES))
                for where, one, group in by_case(select(of, setting=setting))
            ],
        )
        for setting in settings(of)
    ]
    text = (
        "Share of the items in percent ± standard error, and how many. Algorithm 1 draws the operator at random among "
        "those that apply to a caption: its shares are a choice."
    )
    return long_section("Cases", ("items", "case"), tuple(SOURCES.values()), groups, text)


def by_case(of: Sequence[Entry]) -> list[tuple[str, tuple[str, str | None], list[Entry]]]:
    """(category, case, its entries): "all" first, cases in the order of the theorems.

    Algorithm 1's own categories are its cases: beside those of all items they would say the same again.
    """
    categories = {entry["where"] for entry in of if entry["source"] == "benchmark"} | {"all"}
    found: dict[tuple, list[Entry]] = {}
    for entry in of:
        if entry["where"] in categories:
            found.setdefault((entry["where"], entry["operator"], entry["category"]), []).append(entry)
    places = {one: place for place, one in enumerate(CASES)}
    where = list(dict.fromkeys(key[0] for key in found))
    ordered = sorted(found, key=lambda key: (key[0] != "all", where.index(key[0]), places.get(key[1:], len(places))))
    return [(key[0], key[1:], found[key]) for key in ordered]


def _first(of: Iterable[Entry], **match: object) -> Entry:
    return next(iter(select(of, **match)), {})


def _share(entry: Entry) -> Cell:
    share, error, count = (number(entry, key) for key in ("share", "se", "count"))
    shown = decimal(100 * share, 1)
    if shown == DASH:
        return DASH
    error = "" if error != error else f" ± {decimal(100 * error, 1)}"
    return shown + error, "" if count != count else f"{count:,.0f}"


def accuracy(record: Record) -> Section | None:
    of = entries(record, "case_accuracy")
    groups = []
    for setting in settings(of):
        rows: list[Row] = []
        for where, one, group in by_case(select(of, setting=setting)):
            for model, seed in dict.fromkeys((entry["model"], entry.get("seed")) for entry in group):
                cells = [
                    _credit(_first([e for e in group if (e["model"], e.get("seed")) == (model, seed)], source=source))
                    for source in SOURCES
                ]
                rows.append((where, case(*one), with_seed(record, {"model": model, "seed": seed}), *cells))
        groups.append((title(record, setting), rows))
    text = "Percent right ± standard error, and how many items were scored; models beside Algorithm 1's negatives."
    return long_section("Accuracy per case", ("items", "case", "model"), tuple(SOURCES.values()), groups, text)


def _credit(entry: Entry) -> Cell:
    value, error, count = decimal(entry.get("accuracy"), 1), decimal(entry.get("se"), 1), entry.get("scored")
    if value == DASH:
        return DASH
    return value if error == DASH else f"{value} ± {error}", "" if count is None else f"{count:,}"


def attribution(record: Record) -> Section | None:
    """A row per file and method, and one of equal scores."""
    of = entries(record, "attribution")
    groups = []
    for setting, method in dict.fromkeys((entry["setting"], entry["method"]) for entry in of):
        group = select(of, setting=setting, method=method)
        even = [decimal(100 * number(_first(group, word_class=kind), "uniform"), 1) for kind in CLASSES]
        rows = _by_model(record, group, _part) + ([("equal scores", "", *even)] if set(even) != {DASH} else [])
        groups.append((f"{title(record, setting)}: by {METHODS.get(method, method)}", rows))
    text = "Share of each class of words in a caption's attribution, in percent ± standard error over captions."
    return long_section("Attribution shares", ("model",), ("captions", *CLASSES.values()), groups, text)


def words(record: Record) -> Section | None:
    """A row per file."""
    of = entries(record, "words")
    kinds = [kind for kind in CLASSES if select(of, word_class=kind)]
    groups = [
        (title(record, setting), _by_model(record, select(of, setting=setting), _cosine, kinds))
        for setting in settings(of)
    ]
    text = (
        "Cosine of a caption's code with the code of a word or phrase of it ± standard error; in small print the same "
        "with phrases that only other captions have."
    )
    numbers = ("captions", *(CLASSES[kind] for kind in kinds))
    return long_section("Captions and their words", ("model",), numbers, groups, text)


def _by_model(
    record: Record, of: Sequence[Entry], cell: Callable[[Entry], Cell], kinds: Sequence[str] = tuple(CLASSES)
) -> list[Row]:
    """A row per file: number of captions, then a cell per class of words."""
    rows = []
    for model, seed in dict.fromkeys((entry["model"], entry.get("seed")) for entry in of):
        ours = [entry for entry in of if (entry["model"], entry.get("seed")) == (model, seed)]
        captions = whole([entry.get("captions") for entry in ours])
        cells = [cell(_first(ours, word_class=kind)) for kind in kinds]
        rows.append((with_seed(record, {"model": model, "seed": seed}), captions, *cells))
    return rows


def _part(entry: Entry) -> Cell:
    share, error = decimal(100 * number(entry, "share"), 1), decimal(100 * number(entry, "se"), 1)
    return share if DASH in (share, error) else f"{share} ± {error}"


def _cosine(entry: Entry) -> Cell:
    cosine, error, others = (decimal(entry.get(key), 3) for key in ("cosine", "se", "others"))
    shown = cosine if DASH in (cosine, error) else f"{cosine} ± {error}"
    return shown, "" if others == DASH else f"others {others}"
