"""The report of `benchmark`: official scores beside what blind scorers, chance and other models get."""

from collections.abc import Mapping, Sequence

from scmlab.report.benchmark_details import details
from scmlab.report.benchmark_figures import FIGURES
from scmlab.report.benchmark_lines import Line, benchmark_of, labels, lines, score, ties_of, title, with_seeds
from scmlab.report.benchmark_names import CAPTIONS, CONTROLS, HOW_TO_READ, LISTS, QUESTION, TITLE
from scmlab.report.benchmark_read import read
from scmlab.report.benchmark_rows import COUNTS, MOST, TESTS, beside, counted, differences, first_model, mcnemar_rows
from scmlab.report.benchmark_tables import tables
from scmlab.report.record import Record, check_record
from scmlab.report.report import Cell, Report, Row, Section


def summary(record: Record) -> list[Section]:
    """Headline scores, differences, counts, and what was read."""
    check_record(record, LISTS)
    return [_scores(record), *_comparison(record), *_items(record), *read(record)]


def _scores(record: Record) -> Section:
    names = labels(record)
    groups = []
    for setting, of in lines(record).items():
        headline = [line for line in of if line.headline] or of[:MOST]
        facts = benchmark_of(record, setting)
        said = [title(record, setting), *([facts["aggregate"]] if facts.get("aggregate") else [])]
        said += [f"ties {ties_of(facts)}"] if facts.get("ties") else []
        said += [f"{len(of) - len(headline)} more numbers below"] if len(of) > len(headline) else []
        groups.append(("; ".join(said), [row for line in headline for row in _rows(record, line, names)]))
    text = (
        "Percent with 95 % interval (several files of one name: mean ± sd). Best blind: at least that much can be had "
        "without an image. Published: CLIP ViT-B/32."
    )
    numbers = ("score", "best blind", "chance", "published")
    columns = ("number", "model", "score", "best blind", "baseline", "chance", "published")
    return Section("Scores", columns, groups, numbers=numbers, text=text)


def _rows(record: Record, line: Line, names: Sequence[str]) -> list[Row]:
    """A row per model; what stands beside all of them in the first."""
    scores = [(with_seeds(record, name), score(line.models.get(name, {}))) for name in names] or [("", "")]
    first = beside(line, owner=len(names) > 1)
    return [
        (line.name if not place else "", *one, *(first if not place else [""] * len(first)))
        for place, one in enumerate(scores)
    ]


def _comparison(record: Record) -> list[Section]:
    found = []
    if groups := [(title(record, setting), _differences(rows)) for setting, rows in differences(record)]:
        first = first_model(record, "differences")
        text = f"Each model minus {first}, in points, with the 95 % interval, on the items that both have scored."
        found.append(
            Section("Differences", ("number", "model", "difference"), groups, numbers=("difference",), text=text)
        )
    if groups := [(title(record, setting), rows) for setting, rows in mcnemar_rows(record)]:
        text = (
            "How many items both models, only one of them, or neither has right. First: "
            f"{first_model(record, 'mcnemar')}. Left out: not scored by both."
        )
        found.append(Section("McNemar", ("part", "second", *TESTS), groups, numbers=TESTS, text=text))
    return found


def _differences(rows: Mapping[str, Mapping[str, Cell]]) -> list[Row]:
    return [
        (name if not place else "", model, cell)
        for name, cells in rows.items()
        for place, (model, cell) in enumerate(cells.items())
    ]


def _items(record: Record) -> list[Section]:
    groups = [(title(record, setting), rows) for setting, rows in counted(record)]
    text = "Missing items count in no number; tied, defective and duplicate ones count as the official rule has it."
    return [Section("Items", ("model", *COUNTS), groups, numbers=COUNTS, text=text)] if groups else []


REPORT = Report(
    title=TITLE,
    question=QUESTION,
    how_to_read=HOW_TO_READ,
    figures=FIGURES,
    captions=CAPTIONS,
    tables=tables,
    summary=summary,
    details=details,
    controls=CONTROLS,
)
