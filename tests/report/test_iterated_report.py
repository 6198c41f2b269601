import io
import json
import math
import random
import re

import pytest
from rich.console import Console

from scmlab.report import png, render_page, terminal_table, write_report
from scmlab.report.intervention_names import LAWS
from scmlab.report.iterated import REPORT
from scmlab.report.iterated_figures import FIGURES
from scmlab.report.iterated_names import CONTROLS, ENCODERS, FAMILIES
from scmlab.report.names import decimal

MEASURED = ("orbit", "reached", "uneven", "choice", "argmax", "pairwise", "predicted", "hidden", "same")
SETTINGS = ("shortcut 1", "shortcut 0")
T = 4


def fabricated(seeds=2):
    """A record whose numbers are made up, the same for the same arguments."""
    draw = random.Random(0)
    record = {"experiment": "iterated", "id": "ab12", "config": {"longest": T}, "rows": [], "by_seed": [], "checks": []}
    for setting in SETTINGS:
        for law in LAWS:
            for family in FAMILIES:
                for encoder in ENCODERS:
                    control = None if encoder == "trained" else encoder
                    for t in range(T + 1):
                        where = {"setting": setting, "control": control, "encoder": encoder, "law": law}
                        _measure(record, where | {"family": family, "t": t}, seeds, draw)
        check = {"name": "growth", "expected": "equal", "measured": "0 scenes differ", "held": True}
        record["checks"].append({"setting": setting, "control": None, **check})
    return record


def _measure(record, where, seeds, draw):
    found = [{**where, "seed": seed, **{key: draw.random() for key in MEASURED}} for seed in range(seeds)]
    for one in found:
        one |= {
            "orbit": 3.0 * where["t"],
            "reached": 4.0 * where["t"],
            "pairwise": one["pairwise"] if where["t"] else None,
        }
    record["by_seed"] += found
    row = {**where, "seeds": seeds}
    for key in MEASURED:
        known = [one[key] for one in found if one[key] is not None]
        row[key] = sum(known) / seeds if known else None
        row[f"{key}_sd"] = 0.01 if known and seeds > 1 else None
    record["rows"].append(row)


@pytest.fixture
def record():
    return fabricated()


def drawn(axes):
    values = (value for line in axes.lines for value in line.get_ydata())
    return {round(float(value), 9) for value in values if math.isfinite(float(value))}


def of(record, **where):
    return [row for row in record if all(row[key] == value for key, value in where.items())]


def test_the_terminal_shows_the_prediction_above_the_encoders_in_100_columns(record):
    text = []
    for table in terminal_table(record):
        console = Console(file=io.StringIO(), width=100, color_system=None)
        console.print(table)
        text.append(console.file.getvalue())
        assert "…" not in text[-1]
        assert max(len(line.rstrip()) for line in text[-1].splitlines()) <= 100
    for setting in SETTINGS:
        for law, words in LAWS.items():
            part = text[0].split(f"{setting}, {words}")[1]
            for label, key, encoder in (("prediction, blind to all", "predicted", "trained"),
                                        *((words, "choice", name) for name, words in ENCODERS.items())):  # fmt: skip
                line = next(line for line in part.splitlines() if line.strip().startswith(label))
                where = {"setting": setting, "law": law, "encoder": encoder}
                rows = [row for family in FAMILIES for row in of(record["rows"], family=family, **where)]
                assert re.findall(r"\d\.\d\d", line) == [decimal(row[key], 2) for row in rows if row["t"] in (1, 2, T)]


@pytest.mark.parametrize("name", ["choice", "pairwise"])
def test_choices_have_a_panel_per_family_with_every_mean_and_every_seed(name, record):
    figure = FIGURES[name](record)
    lines = [(s, law) for s in SETTINGS for law in LAWS] if name == "choice" else [(s, None) for s in SETTINGS]
    assert len(figure.axes) == len(lines) * len(FAMILIES)
    for place, axes in enumerate(figure.axes):
        (setting, law), family = lines[place // 4], list(FAMILIES)[place % 4]
        where = {"setting": setting, "family": family} | ({"law": law} if law else {})
        entries = of(record["rows"], **where) + of(record["by_seed"], **where)
        assert {round(entry[name], 9) for entry in entries if entry[name] is not None} <= drawn(axes)
        if name == "choice":
            rows = of(record["rows"], encoder="trained", **where)
            assert {round(row[key], 9) for row in rows for key in ("predicted", "hidden")} <= drawn(axes)
        else:
            assert 0.5 in drawn(axes)


def test_orbits_have_a_line_of_negatives_and_one_of_captions_reached_per_family(record):
    (axes,) = FIGURES["orbits"](record).axes
    assert len(axes.lines) == 2 * len(FAMILIES)
    assert drawn(axes) == {3.0 * t for t in range(1, T + 1)} | {4.0 * t for t in range(1, T + 1)}
    assert axes.get_yscale() == "log"


def cells(page):
    rows = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S)
    ]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in rows]


def test_the_page_holds_every_choice_beside_its_prediction(record):
    lines = cells(render_page(record, {}))
    for row in of(record["rows"], encoder="trained"):
        where = {key: row[key] for key in ("setting", "law", "family", "t")}
        blind, hidden = (of(record["rows"], encoder=name, **where)[0] for name in ("blind", "pseudo_optimal"))
        pairwise = f"{row['pairwise']:.3f} ± 0.010" if row["t"] else "–"
        assert [FAMILIES[row["family"]], str(row["t"]), f"{row['orbit']:.1f}", f"{row['predicted']:.3f}",
                f"{blind['choice']:.3f}", f"{row['hidden']:.3f}", f"{hidden['choice']:.3f}",
                f"{row['choice']:.3f} ± 0.010", pairwise] in lines  # fmt: skip
    for row in record["rows"]:
        start = [FAMILIES[row["family"]], str(row["t"]), f"{row['orbit']:.1f}", f"{row['reached']:.1f}"]
        assert any(line[:4] == start and line[4].startswith(f"{row['choice']:.3f}") for line in lines)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("lacking", ["everything", "seeds", "numbers", "encoders"])
def test_figures_survive_what_a_record_lacks(name, lacking, record):
    if lacking == "everything":
        record |= {"rows": [], "by_seed": []}
    if lacking == "seeds":
        record = fabricated(seeds=1)
        del record["by_seed"]
    if lacking == "numbers":
        for entry in record["rows"] + record["by_seed"]:
            entry |= {key: None for key, value in entry.items() if isinstance(value, float)}
    if lacking == "encoders":
        record["rows"] = of(record["rows"], encoder="blind")
    assert png(FIGURES[name](record)).startswith(b"\x89PNG")
    assert terminal_table(record)
    assert render_page(record, {})


def test_the_report_is_written_whole_and_its_words_are_those_of_the_experiment(record, tmp_path):
    from scmlab.experiments.iterated.encoders import ENCODERS as OF_EXPERIMENT

    page = write_report(json.loads(json.dumps(record)), tmp_path).read_text()
    assert page.count("<img") == len(FIGURES)
    assert set(REPORT.captions) == set(FIGURES)
    assert set(ENCODERS) == set(OF_EXPERIMENT) == {"trained", *CONTROLS}


def test_a_row_without_its_t_is_refused(record, refuses):
    del record["rows"][0]["t"]
    with refuses("`record['rows']` must hold entries with", "t"):
        terminal_table(record)
