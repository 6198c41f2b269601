import io
import json
import math
import random
import re

import pytest
from rich.console import Console

from scmlab.report import png, render_page, terminal_table, write_report
from scmlab.report.attribution_names import CLASSES
from scmlab.report.attribution_names import METHODS as ATTRIBUTIONS
from scmlab.report.intervention import REPORT
from scmlab.report.intervention_figures import FIGURES
from scmlab.report.intervention_names import CONTROLS, HIDDEN, LAWS, METHODS, edit_name
from scmlab.report.names import decimal
from scmlab.report.style import BLACK

PARTS = (("replace", "relation: opposite"), ("replace", "relation: other axis"))
EDITS = (("swap", "attribute"), ("swap", "object"), ("replace", "relation"), *PARTS, ("replace", "object"),
         ("replace", "attribute"), ("add", "attribute"), ("add", "object"))  # fmt: skip
ARMS = (("shortcut 1", None), ("shortcut 1", "algorithm_1"), ("shortcut 1", "cae_perturbation"), ("shortcut 0", None))
MEASURED = (
    "accuracy",
    "image_accuracy",
    "ties",
    "text_moves",
    "image_moves",
    "blind_both",
    "blind_text",
    "blind_image",
)
CODES = ("gap", "gap_spread", "gap_along", "prompt_share", *(f"{a}_{c}" for a in ATTRIBUTIONS for c in CLASSES))


def fabricated(seeds=2, arms=ARMS):
    """A record whose numbers are made up, the same for the same arguments."""
    draw = random.Random(0)
    record = {"experiment": "intervention", "id": "ab12", "config": {"binding": "relation", "steps": 100}}
    record |= {key: [] for key in ("rows", "by_seed", "codes", "codes_by_seed", "training", "histories", "checks")}
    for setting, control in arms:
        arm = {"setting": setting, "control": control}
        for law in LAWS:
            for operator, category in EDITS:
                edit = {"law": law, "operator": operator, "category": category}
                _measure(record, "rows", "by_seed", arm | edit, MEASURED, seeds, draw)
            _measure(record, "codes", "codes_by_seed", arm | {"law": law}, CODES, seeds, draw)
        for seed in range(seeds):
            curve = [3 * 2 ** (-k) for k in range(9)]
            record["histories"].append({**arm, "seed": seed, "step": list(range(9)), "curve": curve})
            record["training"].append({**arm, "seed": seed, "loss": 0.2, "steps": 100, "batch": 8, "seconds": 3.0})
        check = {"name": "swap object", "expected": "at least 0.95", "measured": "0.5", "held": setting == "shortcut 1"}
        record["checks"].append(arm | check)
    return record


def _measure(record, means, singles, where, keys, seeds, draw):
    found = [{**where, "seed": seed, **{key: draw.random() for key in keys}} for seed in range(seeds)]
    record[singles] += found
    row = {**where, "seeds": seeds}
    for key in keys:
        row[key] = sum(one[key] for one in found) / seeds
        row[f"{key}_sd"] = 0.01 if seeds > 1 else None
    record[means].append(row)


@pytest.fixture
def record():
    return fabricated()


def printed(table):
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(table)
    return console.file.getvalue()


def marked(axes):
    """x of every mark that stands for a number."""
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    return {round(float(x), 9) for line in marks for x in line.get_xdata() if math.isfinite(x)}


def panels(name, record):
    return {axes.get_title(loc="left").strip(" *"): axes for axes in FIGURES[name](record).axes if axes.get_visible()}


@pytest.mark.parametrize("arms", [ARMS, tuple(("shortcut 0.5", name) for name in (None, *CONTROLS))])
def test_the_terminal_shows_both_laws_of_each_edit_in_100_columns(arms):
    record = fabricated(arms=arms)
    tables = terminal_table(record)
    for table in tables:
        text = printed(table)
        assert "…" not in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    text = printed(tables[0]) + printed(tables[1])
    for first, second in zip(*(select(record["rows"], law=law) for law in LAWS), strict=True):
        assert f"{decimal(first['accuracy'], 2)} {decimal(second['accuracy'], 2)}" in text
    assert re.search(r"swap\* +replace\* +swap +replace", text)  # what the shortcut hides comes first
    assert tables[0].row_count == tables[1].row_count == len(arms) + len(dict(arms))
    assert re.search(r"replace\* +replace\* *\n *training +relation: opposite +relation: other axis", text)


def select(rows, **where):
    return [row for row in rows if all(row[key] == value for key, value in where.items())]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("accuracy", ("accuracy",)),
        ("moves", ("text_moves", "image_moves")),
        ("blindness", ("blind_both", "blind_text", "blind_image")),
    ],
)
def test_figures_per_edit_draw_every_mean_and_every_seed(name, keys, record):
    found = panels(name, record)
    assert list(found)[:4] == ["swap object", "replace relation", *(category for _, category in PARTS)]
    assert len(found) == len(EDITS)
    laws = ("do",) if name == "blindness" else tuple(LAWS)
    for (operator, category), law in ((edit, law) for edit in EDITS for law in laws):
        where = {"operator": operator, "category": category, "law": law}
        entries = select(record["rows"], **where) + select(record["by_seed"], **where)
        assert {round(entry[key], 9) for entry in entries for key in keys} <= marked(
            found[edit_name(operator, category)]
        )


def test_accuracy_marks_chance_and_names_shortcuts_and_methods(record):
    axes = panels("accuracy", record)["swap object"]
    assert any(list(line.get_xdata()) == [0.5, 0.5] for line in axes.lines)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["shortcut 1", "plain", METHODS["algorithm_1"], METHODS["cae_perturbation"], "shortcut 0", "plain"]


def test_attribution_and_gap_have_a_panel_per_quantity_with_every_number(record):
    found = panels("shares", record)
    assert list(found) == list(ATTRIBUTIONS.values())
    for name, words in ATTRIBUTIONS.items():
        entries = record["codes"] + record["codes_by_seed"]
        assert {round(entry[f"{name}_{kind}"], 9) for entry in entries for kind in CLASSES} <= marked(found[words])
    found = panels("codes", record)
    for key, axes in zip(("gap", "gap_spread", "gap_along", "prompt_share"), found.values(), strict=True):
        assert {round(entry[key], 9) for entry in record["codes"] + record["codes_by_seed"]} <= marked(axes)


def test_small_numbers_have_an_axis_of_their_size(record):
    for entry in record["codes"] + record["codes_by_seed"]:
        entry["gap_along"] = 0.02
    assert panels("codes", record)["gap: along"].get_xlim()[1] < 0.2


def test_training_has_a_line_per_seed_in_the_panel_of_its_shortcut(record):
    found = panels("training", record)
    assert {title: len(axes.lines) for title, axes in found.items()} == {"shortcut 1": 6, "shortcut 0": 2}
    assert all(axes.get_yscale() == "log" for axes in found.values())


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "training"])
def test_the_lowest_panel_of_each_column_names_its_axis(name, record):
    figure = FIGURES[name](record)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    columns = shown[0].get_subplotspec().get_gridspec().ncols
    assert all(axes.get_xlabel() for axes in shown[-columns:])


def test_single_seeds_are_open_where_their_mean_is(record):
    axes = panels("moves", record)["swap object"]
    small = [line for line in axes.lines if line.get_linestyle() == "None" and line.get_markersize() < 5]
    seen = {(float(x), line.get_markerfacecolor() != "white") for line in small for x in line.get_xdata()}
    of = select(record["by_seed"], operator="swap", category="object")
    assert seen == {(entry[f"{side}_moves"], entry["law"] == "do") for entry in of for side in ("text", "image")}


def test_plain_is_drawn_over_the_other_trainings(record):
    lines = panels("training", record)["shortcut 1"].lines
    dashed = [line for line in lines if line.get_color() == BLACK]
    assert len(dashed) == 2
    assert min(line.get_zorder() for line in dashed) > max(line.get_zorder() for line in set(lines) - set(dashed))


def test_word_classes_have_one_colour_on_all_pages(record):
    from scmlab.report.attribution_figures import _COLOURS

    found = {}
    for line in panels("shares", record)["attention"].lines:
        if line.get_linestyle() == "None":
            found |= {round(float(x), 9): line.get_color() for x in line.get_xdata()}
    for kind in CLASSES:
        assert {found[round(row[f"attention_{kind}"], 9)] for row in record["codes"]} == {_COLOURS[kind]}


def cells(page):
    rows = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S)
    ]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in rows]


def test_the_page_holds_every_accuracy_move_share_and_gap(record):
    lines = cells(render_page(record, {}))
    shown = {cell for line in lines for cell in line}
    for row in record["rows"]:
        assert {f"{row[key]:.3f} ± 0.010" for key in ("accuracy", "image_accuracy")} <= shown
        assert {f"{row[key]:.2f} ± 0.01" for key in MEASURED[2:]} <= shown
    for row in record["codes"]:
        assert {f"{row[key]:.3f} ± 0.010" for key in CODES[:4]} <= shown
        assert {f"{row[key]:.2f} ± 0.01" for key in CODES[4:]} <= shown
    assert ["swap object hidden", *(f"{record['rows'][i][key]:.3f} ± 0.010" for key in ("accuracy", "image_accuracy")
            for i in (1, 1 + len(EDITS)))] in lines  # fmt: skip
    assert ["shortcut 1: Algorithm 1 negatives (2 seeds)"] in lines


def test_the_change_of_a_share_is_to_plain_training_at_the_same_shortcut(record):
    for row in record["codes"]:
        row["attention_relation"] = (
            0.125 + 0.0625 * (row["control"] == "algorithm_1") + (row["setting"] == "shortcut 0")
        )
    lines = [line for line in cells(render_page(record, {})) if line[:2] == ["under do()", "attention"]]
    assert [line[-1] for line in lines] == ["–", "+6.2", "0.0", "–"]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("lacking", ["everything", "seeds", "numbers", "hidden"])
def test_figures_survive_what_a_record_lacks(name, lacking, record):
    if lacking == "everything":
        record |= {key: [] for key in ("rows", "by_seed", "codes", "codes_by_seed", "histories")}
    if lacking == "seeds":
        record = fabricated(seeds=1)
        del record["by_seed"], record["codes_by_seed"]
    if lacking == "numbers":
        for entry in record["rows"] + record["by_seed"] + record["codes"]:
            entry |= {key: None for key, value in entry.items() if isinstance(value, float)}
        record["histories"][0]["curve"] = [None] * 9
    if lacking == "hidden":
        record["rows"] = [row for row in record["rows"] if row["operator"] == "add"]
    assert png(FIGURES[name](record)).startswith(b"\x89PNG")
    assert render_page(record, {})


def test_the_report_is_written_whole_and_its_words_are_those_of_the_experiment(record, tmp_path):
    from scmlab.experiments.intervention import PRESETS
    from scmlab.experiments.intervention import data as experiment
    from scmlab.experiments.intervention.measure import OPPOSITE, OTHER_AXIS

    page = write_report(json.loads(json.dumps(record)), tmp_path).read_text()
    assert page.count("<img") == len(FIGURES)
    assert set(REPORT.captions) == set(FIGURES)
    of_experiment = {name: set(edits) for name, edits in experiment.HIDDEN.items()}
    of_experiment["relation"] |= {("replace", part) for part in (OPPOSITE, OTHER_AXIS)}
    assert {name: set(edits) for name, edits in HIDDEN.items()} == of_experiment
    assert {method for _, method, _ in PRESETS["full"].arms} == set(METHODS)


@pytest.mark.parametrize(("key", "name"), [("rows", "category"), ("codes", "law"), ("histories", "curve")])
def test_an_entry_without_what_names_it_is_refused(key, name, record, refuses):
    del record[key][0][name]
    with refuses(f"`record['{key}']` must hold entries with", name):
        terminal_table(record)


def test_the_page_says_in_numbers_whether_a_side_is_blind_where_accuracy_is_at_chance(record):
    for row in record["rows"]:
        if (row["setting"], row["control"], row["operator"], row["law"]) == ("shortcut 1", None, "swap", "do"):
            row |= {"accuracy": 0.503, "text_moves": 0.688, "image_moves": 0.479}
            row |= {"blind_both": 0.001, "blind_text": 0.016, "blind_image": 0.026}
    text = REPORT.summary(record)[0].text
    assert " At shortcut 1, plain, swap object under do(): accuracy 0.50; the caption's code moves 0.69" in text
    assert "the image's 0.48" in text
    assert "unseen by both sides 0.1 % of the edits" in text
    assert text.endswith("seen by both 95.7 %.")
    record["rows"] = [row | {"image_moves": None} for row in record["rows"]]
    assert REPORT.summary(record)[0].text.endswith("chooses between two images.")


def test_no_words_take_chance_under_do_for_blindness():
    explained = dict(REPORT.how_to_read)
    assert "match" in explained["Chance under do()"]
    assert "match" in explained["Hidden edits"]
    assert "match" in explained["Blindness"]
    assert all("match" in REPORT.captions[name] for name in ("accuracy", "moves", "blindness"))
