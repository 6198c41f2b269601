"""Put a run's numbers into the docs: python docs/measured.py results/NAME/ID/record.json

Rewrites what stands between the `measured` marks, and draws the pictures: for `identifiability` the tables of README.md
and docs/results.md, for `nonidentifiability` and `price` those of docs/composition.md, for `audit`, `overlap` and
`negatives` those of docs/captions.md, for `intervention`, `iterated` and `attribution` those of docs/clip.md, for
`benchmark` those of docs/public-benchmarks.md. The run must be of the preset `quick`, whatever files it was given.
Nothing else in the docs holds a measured number, but for outputs of examples.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from scmlab.experiments.__main__ import load
from scmlab.report import check_record, png, recovery
from scmlab.report.names import decimal, duration, setting_name, significant, significant_spread, spread
from scmlab.report.record import Record, Summary, groups, number, select, summaries
from scmlab.report.report import Section
from scmlab.report.reports import report_of

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PICTURES = {  # experiment -> page that holds its tables, and figure
    "nonidentifiability": ("composition", "loss_and_choice"),
    "price": ("composition", "price_over_eps"),
    "audit": ("captions", "shares"),
    "overlap": ("captions", "cases"),
    "negatives": ("captions", "scorer"),
    "intervention": ("clip", "accuracy"),
    "iterated": ("clip", "choice"),
    "attribution": ("clip", "distribution"),
    "benchmark": ("public-benchmarks", "scores"),
}
INPUT = (  # in no preset
    *("captions", "captions_sha256", "benchmark", "benchmark_sha256", "model", "model_sha256", "annotations"),
    *("annotations_sha256", "images", "images_sha256", "option", "cache", "workers", "checkpoint_every"),
)
TABLES = {  # those of the page that are shown, where it is not its whole beginning
    "audit": ("What the corpus teaches", "Edits"),
    "overlap": ("Cases", "Files"),
    "negatives": ("Negatives",),
    "benchmark": ("All numbers and baselines",),
}
TRAINED = ("sentence", "tokens", "discrete")  # the settings of the picture
IDENTIFIED = "kept, pure, no leak"
EXACT = "the known map, leak 0, loss 0"
EXPECTED = {
    ("sentence", None): IDENTIFIED,
    ("tokens", None): IDENTIFIED,
    ("discrete", None): IDENTIFIED,
    ("darmois", None): EXACT,
    ("darmois_mixture", None): f"{EXACT}; no expectation for R2, which kernel ridge limits here",
    ("darmois_tokens", None): EXACT,
    ("sentence", "shared_private"): "leak of z_pr on both sides, none of z_dp",
    ("sentence", "dp_equal"): "leak of z_dp on both sides, none of z_pr",
    ("sentence", "dropped_inv"): "one coordinate not kept on the image side, the others kept",
    ("sentence", "corrupted_inv"): "not kept on the text side, kept on the image side",
    ("sentence", "encoder_too_small"): "not kept, yet pure",
    ("sentence", "no_negatives"): "the variance collapses",
    ("sentence", "encoder_too_large"): "none: measured",
    ("sentence", "encoder_too_large_within"): "none: measured",
}


def main(path: Path) -> None:
    """Refresh the files and the pictures of the record's experiment."""
    record = json.loads(path.read_text())
    check_record(record)
    if not is_quick(record):
        raise ValueError(f"`preset` of the run must be 'quick'; got {record['preset']!r}.")
    if record["experiment"] in PICTURES:
        composition(record)
        return
    replace(ROOT / "README.md", overview(record))
    replace(ROOT / "docs" / "results.md", details(record))
    trained = {key: [row for row in record[key] if row["setting"] in TRAINED] for key in ("rows", "by_seed")}
    (ROOT / "docs" / "images" / "recovery.png").write_bytes(png(recovery(record | trained)))


def is_quick(record: Record) -> bool:
    """Whether all but what it was given is that of the preset."""
    if record["preset"] == "quick":
        return True
    preset = json.loads(json.dumps(asdict(load(record["experiment"]).PRESETS["quick"])))
    config = record["config"]
    same = all(value == preset.get(key) for key, value in config.items() if key not in INPUT)
    return same and any(config.get(key) for key in ("captions", "benchmark"))


def composition(record: Record) -> None:
    """The tables that the report page begins with, and one picture."""
    name, report = record["experiment"], report_of(record)
    page = [*report.summary(record), *(report.details(record) if name in TABLES else [])]
    shown = [section for section in page if section.title in TABLES.get(name, (section.title,))]
    where, figure = PICTURES[name]
    replace(ROOT / "docs" / f"{where}.md", "\n\n".join([*map(markdown, shown), origin(record)]), f" {name}")
    (ROOT / "docs" / "images" / f"{figure}.png").write_bytes(png(report.figures[figure](record)))


def markdown(section: Section) -> str:
    """A section of the page as a table; the names of its groups are the first column where there are any."""
    named = any(name for name, _ in section.groups)
    rows = [
        [
            *(["" if later else name] if named else []),
            *(cell if isinstance(cell, str) else cell[0] for cell in row),
        ]
        for name, group in section.groups
        for later, row in enumerate(group)
    ]
    head = [*([""] if named else []), *section.columns]
    lines = [head, ["---:" if column in section.numbers else "---" for column in head], *rows]
    text = [section.text, ""] if section.text else []
    return "\n".join([*text, *(f"| {' | '.join(line)} |" for line in lines)])


def replace(path: Path, table: str, of: str = "") -> None:
    """Put the table between the marks of the file."""
    begin, closing = BEGIN.replace(":", f"{of}:"), END.replace(":", f"{of}:")
    before, _, rest = path.read_text().partition(begin)
    _, end, after = rest.partition(closing)
    if not end:
        raise ValueError(f"`path` must hold the marks {begin} and {closing}; got {path}.")
    path.write_text(f"{before}{begin}\n{table}\n{closing}{after}")


def overview(record: Record) -> str:
    """One line per setting and control: what is expected, what was measured on image / text, what held."""
    lines = [
        "| setting, *control* | expected | R2(z_inv) | R2 back | largest leak | code variance | held |",
        "|---|---|---|---|---|---|---|",
    ]
    for group in groups(record["rows"]):
        found = [s for s in summaries(record) if (s.setting, s.control) == group]
        checks = select(record["checks"], setting=group[0], control=group[1])
        cells = [
            f"*{group[1]}*" if group[1] else group[0],
            EXPECTED[group],
            both(found, lambda s: decimal(number(s.inv, "r2"))),
            both(found, lambda s: decimal(number(s.inv, "r2_back"))),
            both(found, lambda s: decimal(number(s.leak, "leak"))),
            both(found, lambda s: significant(number(s.code, "variance"))),
            f"{sum(check['held'] for check in checks)} of {len(checks)}" if checks else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    config = record["config"]
    wanted = (
        f"Wanted of a trained setting: R2(z_inv) >= {config['kept']}, R2 back >= {config['pure']}, every leak <= "
        f"{config['leak']}, and each leak of each seed shown to be below that."
    )
    return "\n".join([*lines, "", wanted, "", origin(record)])


def details(record: Record) -> str:
    """One line per setting, control and side, with standard deviations over seeds."""
    lines = [
        "| setting, *control* | side | r2 | r2_linear | r2_back | accuracy | largest leak | leak_total | variance "
        "| effective rank | gap |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for found in summaries(record):
        runs = select(record["training"], setting=found.setting, control=found.control)
        gap = sum(number(run, "gap") for run in runs) / len(runs) if runs else None
        cells = [
            f"*{found.control}*" if found.control else setting_name(found.setting),
            found.side,
            *(spread(found.inv, key) for key in ("r2", "r2_linear", "r2_back", "accuracy")),
            f"{spread(found.leak, 'leak')} {found.leak['block']}",
            spread(found.inv, "leak_total"),
            significant_spread(found.code, "variance"),
            f"{decimal(number(found.code, 'effective_rank'), 2)} of {found.code['dimensions']}",
            significant(gap),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", origin(record)])


def both(found: list[Summary], text: Callable[[Summary], str]) -> str:
    """image / text."""
    return " / ".join(text(summary) for summary in found)


def origin(record: Record) -> str:
    """What was run, where and for how long."""
    held, checks = sum(check["held"] for check in record["checks"]), len(record["checks"])
    versions = record["versions"]
    preset, config = record["preset"].partition(",")[0], record["config"]
    seeds = config.get("seeds")  # their numbers, or how many there are
    count = seeds if isinstance(seeds, int) else len(seeds or ())
    seeds = f"{count} seed{'s' * (count > 1)}" if count else "seeds as in the table"
    seeds += "" if record["experiment"] in TABLES or count == 1 else " (numbers are means over them)"
    return (
        f"{held} of {checks} expectations held. {given(record)}Preset `{preset}`, {seeds}, "
        f"{duration(record['wall_seconds'])} on {record['machine']}; scmlab {versions['scmlab']}, torch "
        f"{versions['torch']}, Python {versions['python']}; {record['date'][:10]}."
    )


def given(record: Record) -> str:
    """The file or folder that the run was given, by its name, with the size of what was read."""
    corpus = record.get("corpus") or {}
    if "pairs" in corpus:
        return f"Benchmark `{corpus['benchmark']}`, {sum(corpus['pairs'].values()):,} pairs. "
    return f"File `{corpus['file']}`, {corpus['captions']:,} captions. " if corpus else ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
