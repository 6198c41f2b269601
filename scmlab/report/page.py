"""One self-contained HTML page from a record and its figures."""

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from scmlab.report.names import control_name, decimal, duration, setting_name, significant
from scmlab.report.record import Entry, Record, entries
from scmlab.report.report import Report, Section
from scmlab.report.reports import report_of


def render_page(record: Record, figures: Mapping[str, bytes]) -> str:
    """The page as HTML: what was run, checks, figures and tables of the experiment, equations, full configuration.

    `figures` maps names (those of the experiment's report) to PNG images, shown in that order. Nothing on the page
    refers to another file or address. Errors: ValueError for a record that lacks its required keys.
    """
    report = report_of(record)
    template = files("scmlab.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=report.title,
        question=report.question,
        experiment=record["experiment"],
        id=record["id"],
        facts=_facts(record, report),
        how_to_read=report.how_to_read,
        checks=[_check(check, report) for check in record["checks"]],
        held=sum(bool(check["held"]) for check in record["checks"]),
        figures=[
            {"name": name, "caption": report.captions.get(name, name), "data": base64.b64encode(png).decode()}
            for name, png in figures.items()
        ],
        summary=report.summary(record),
        details=[*report.details(record), *_training(record, report)],
        equations=_equations(record, report, controlled=False),
        controlled_equations=_equations(record, report, controlled=True),
        config=json.dumps(record["config"], indent=2, ensure_ascii=False),
    )


def _facts(record: Record, report: Report) -> list[tuple[str, str]]:
    """What was run, on what, when: pairs of label and text. Options that were not given say nothing."""
    config, rows = record["config"], entries(record, "rows")
    seeds = config.get("seeds")
    plain = {
        key: value
        for key, value in config.items()
        if key != "seeds" and not key.endswith("_sha256")  # the full configuration has them
        and value is not None and not isinstance(value, Mapping | list | tuple)
    }  # fmt: skip
    settings = dict.fromkeys(setting_name(row["setting"], report.settings) for row in rows)
    broken = dict.fromkeys(control_name(row["control"], report.controls) for row in rows if row["control"] is not None)
    versions = record.get("versions") or {}
    if record.get("preset") is not None:
        plain = {"preset": record["preset"], **plain}
    return [
        ("settings", "; ".join(settings) or "none"),
        ("controls", "; ".join(broken) or "none"),
        *([("seeds", ", ".join(map(str, seeds)) if isinstance(seeds, list | tuple) else str(seeds))] if seeds else []),
        ("configuration", ", ".join(f"{key} {_text(value)}" for key, value in plain.items()) or "see below"),
        ("machine", _text(record.get("machine"))),
        ("device", _text(record.get("device"))),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or _text(None)),
        ("date", _text(record.get("date"))),
        ("wall time", duration(record.get("wall_seconds"))),
    ]


def _text(value: Any) -> str:
    return decimal(None) if value is None else str(value)


def _check(check: Entry, report: Report) -> dict[str, Any]:
    texts = {key: _text(check[key]) for key in ("name", "expected", "measured")}
    return {**texts, "of": report.group(check["setting"], check["control"]), "held": bool(check["held"])}


def _training(record: Record, report: Report) -> list[Section]:
    """All trainings, folded; none where the record has none."""
    if not (runs := entries(record, "training")):
        return []
    numbers = ("seed", "steps", "batch", "time", "final loss", "floor", "gap")
    rows = [
        (
            report.group(run["setting"], run["control"]),
            _text(run.get("loss_name")),
            _text(run["seed"]),
            _text(run.get("steps")),
            _text(run.get("batch")),
            duration(run.get("seconds")),
            decimal(run.get("loss"), 4),
            decimal(run.get("floor"), 4),
            significant(run.get("gap")),
        )
        for run in runs
    ]
    columns = ("setting and control", "loss", *numbers)
    folded = f"{len(runs)} training run{'s' * (len(runs) > 1)}"
    return [Section("Training", columns, [("", rows)], numbers=numbers, folded=folded)]


def _equations(record: Record, report: Report, *, controlled: bool) -> dict[str, str]:
    """Structural equations by name in words, of the settings or of the controls ('setting.control')."""
    found = {}
    for key, text in (record.get("structural_equations") or {}).items():
        setting, _, control = key.partition(".")
        if bool(control) == controlled:
            found[report.group(setting, control or None)] = text
    return found
