"""One self-contained HTML page from a record and its figures."""

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from scmlab.report.names import (
    control_name,
    decimal,
    dotted_name,
    duration,
    group_name,
    setting_name,
    significant,
    significant_spread,
    spread,
)
from scmlab.report.prose import CAPTIONS, HOW_TO_READ, QUESTIONS
from scmlab.report.record import Entry, Record, Summary, check_record, entries, groups, select, sides, summaries


def render_page(record: Record, figures: Mapping[str, bytes]) -> str:
    """The page as HTML: what was run, checks, summary, figures, all rows, training, equations, full configuration.

    `figures` maps names (see `FIGURES`) to PNG images, shown in that order. Nothing on the page refers to another file
    or address. Errors: ValueError for a record that lacks its required keys.
    """
    check_record(record)
    title, question = QUESTIONS.get(record["experiment"], (record["experiment"], ""))
    template = files("scmlab.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        title=title,
        question=question,
        experiment=record["experiment"],
        id=record["id"],
        facts=_facts(record),
        how_to_read=HOW_TO_READ,
        checks=[_check(check) for check in record["checks"]],
        held=sum(bool(check["held"]) for check in record["checks"]),
        groups=[_group(record, *group) for group in groups(entries(record, "rows"))],
        accuracy=any(row.get("accuracy") is not None for row in entries(record, "rows")),
        figures=[
            {"name": name, "caption": CAPTIONS.get(name, name), "data": base64.b64encode(png).decode()}
            for name, png in figures.items()
        ],
        training=[_training(run) for run in entries(record, "training")],
        equations=_equations(record, controlled=False),
        controlled_equations=_equations(record, controlled=True),
        config=json.dumps(record["config"], indent=2, ensure_ascii=False),
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    """What was run, on what, when: pairs of label and text."""
    config, rows = record["config"], entries(record, "rows")
    seeds = config.get("seeds")
    plain = {
        key: value for key, value in config.items() if key != "seeds" and not isinstance(value, Mapping | list | tuple)
    }
    settings = dict.fromkeys(setting_name(row["setting"]) for row in rows)
    broken = dict.fromkeys(control_name(row["control"]) for row in rows if row["control"] is not None)
    versions = record.get("versions") or {}
    if record.get("preset") is not None:
        plain = {"preset": record["preset"], **plain}
    return [
        ("settings", "; ".join(settings) or "none"),
        ("controls", "; ".join(broken) or "none"),
        ("seeds", ", ".join(map(str, seeds)) if isinstance(seeds, list | tuple) else _text(seeds)),
        ("configuration", ", ".join(f"{key} {_text(value)}" for key, value in plain.items()) or "see below"),
        ("machine", _text(record.get("machine"))),
        ("device", _text(record.get("device"))),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items()) or _text(None)),
        ("date", _text(record.get("date"))),
        ("wall time", duration(record.get("wall_seconds"))),
    ]


def _text(value: Any) -> str:
    return decimal(None) if value is None else str(value)


def _check(check: Entry) -> dict[str, Any]:
    texts = {key: _text(check[key]) for key in ("name", "expected", "measured")}
    return {**texts, "of": group_name(check["setting"], check["control"]), "held": bool(check["held"])}


def _summary(found: Summary) -> dict[str, str]:
    """What one encoder did, as the texts of the table's cells."""
    return {
        "side": found.side,
        "kept": spread(found.inv, "r2"),
        "linear": spread(found.inv, "r2_linear"),
        "back": spread(found.inv, "r2_back"),
        "accuracy": spread(found.inv, "accuracy"),
        "leak": spread(found.leak, "leak"),
        "leak_block": found.leak.get("block", ""),
        "variance": significant_spread(found.code, "variance"),
        "rank": spread(found.code, "effective_rank", 2),
        "dimensions": _text(found.code.get("dimensions")),
    }


def _group(record: Record, setting: str, control: str | None) -> dict[str, Any]:
    """All rows of one setting and control, as the texts of the table's cells."""
    of_group = select(entries(record, "rows"), setting=setting, control=control)
    keys = ("r2", "r2_linear", "r2_back", "leak", "oracle", "r2_permuted", "accuracy")
    rows = [
        {
            "side": side,
            "block": row["block"],
            "leak_total": row.get("leak_total") is not None and spread(row, "leak_total"),
        }
        | {key: spread(row, key) for key in keys}
        for side in sides(of_group)
        for row in select(of_group, side=side)
    ]
    summary = [_summary(found) for found in summaries(record) if (found.setting, found.control) == (setting, control)]
    seeds = " to ".join(map(str, sorted({row["seeds"] for row in of_group if row.get("seeds") is not None})))
    name = group_name(setting, control) + (f" ({seeds} {'seed' if seeds == '1' else 'seeds'})" if seeds else "")
    return {"name": name, "summary": summary, "rows": rows}


def _equations(record: Record, *, controlled: bool) -> dict[str, str]:
    """Structural equations by name in words, of the settings or of the controls ('setting.control')."""
    equations = record.get("structural_equations") or {}
    return {dotted_name(key): text for key, text in equations.items() if ("." in key) == controlled}


def _training(run: Entry) -> dict[str, str]:
    return {
        "of": group_name(run["setting"], run["control"]),
        "seed": _text(run["seed"]),
        "steps": _text(run.get("steps")),
        "batch": _text(run.get("batch")),
        "time": duration(run.get("seconds")),
        "loss": decimal(run.get("loss"), 4),
        "floor": decimal(run.get("floor"), 4),
        "gap": significant(run.get("gap")),
        "loss_name": _text(run.get("loss_name")),
    }
