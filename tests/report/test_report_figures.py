import math
import re
from pathlib import Path

import pytest

import scmlab
from scmlab.report import FIGURES, code_against_latent, controls, loss_gap, png, recovery
from scmlab.report.names import control_name, setting_name
from scmlab.report.style import RECOVERED


def drawn(axes):
    """All finite x values of markers and lines, rounded."""
    values = (value for line in axes.lines for value in line.get_xdata())
    return {round(float(value), 9) for value in values if math.isfinite(float(value))}


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_recovery_draws_every_number_of_every_uncontrolled_setting(record):
    by_title = panels(recovery(record))
    plain = [row for row in record["rows"] + record["by_seed"] if row["control"] is None]
    assert len(by_title) == 8
    for row in plain:
        shown = drawn(by_title[f"{setting_name(row['setting'])}, {row['side']}"])
        for key in ("r2", "r2_back", "leak"):
            assert row[key] is None or round(row[key], 9) in shown


def test_recovery_names_the_blocks_and_labels_the_lines_of_the_config(record):
    record["config"] |= {"kept": 0.9, "leak": 0.05}
    axes = panels(recovery(record))["continuous tokens, text"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["z_inv", "z_1", "z_2", "z_3", "z_4"]
    assert {text.get_text() for text in axes.texts} == {"kept above 0.9", "leak below 0.05"}
    assert {0.9, 0.05} <= drawn(axes)


def test_a_share_outside_of_the_axis_stands_at_its_edge_with_its_value(record):
    record["rows"][0]["r2"] = -7.25
    axes = panels(recovery(record))["sentence, image"]
    assert "-7.25" in {text.get_text() for text in axes.texts}
    assert axes.get_xlim()[0] > -0.2
    assert [line.get_marker() for line in axes.lines if line.get_color() == RECOVERED].count("<") == 1


def test_controls_stand_under_their_setting_with_recovery_leak_variance_and_rank(record):
    shares, variance, rank = controls(record).axes
    labels = [label.get_text().replace("\n", " ") for label in shares.get_yticklabels()]
    expected = dict.fromkeys(control_name(row["control"]) for row in record["rows"] if row["control"])
    assert labels == ["sentence, no control", *expected]
    for row in record["rows"]:
        if row["setting"] == "sentence" and row["block"] == "z_inv":
            assert round(row["r2"], 9) in drawn(shares)
    for code in record["codes"]:
        if code["setting"] == "sentence":
            assert round(code["variance"], 9) in drawn(variance)
            assert round(code["effective_rank"], 9) in drawn(rank)
            assert code["dimensions"] in drawn(rank)
    assert variance.get_xscale() == "log"
    assert variance.get_xlim()[0] < 1e-6


def test_the_leak_shown_of_a_control_is_its_largest(record):
    leaks = {
        (row["side"], row["block"]): row["leak"]
        for row in record["rows"]
        if row["control"] == "dp_equal" and row["leak"]
    }
    shown = drawn(controls(record).axes[0])
    assert round(max(leaks.values()), 9) in shown
    assert round(leaks["image", "z_pr_img"], 9) not in shown


def test_loss_gap_has_a_line_per_history_and_a_panel_per_unit(record):
    figure = loss_gap(record)
    assert sum(len(axes.lines) for axes in figure.axes) == len(record["histories"])
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "gap to the floor (nats)",
        "gap to the floor (nats)",
        "gap to the floor (squared distance)",
    ]
    assert all(axes.get_yscale() == "log" for axes in figure.axes)
    legends = [[text.get_text().replace("\n", " ") for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert legends[0] == ["sentence", "continuous tokens", "discrete tokens"]
    assert legends[2] == ["no negatives"]


def test_loss_gap_says_where_no_gap_can_be_drawn(record):
    for history in record["histories"]:
        if history["setting"] == "tokens":
            history["gap"] = [None if place % 2 else -1.0 for place in range(len(history["gap"]))]
    legend = loss_gap(record).axes[0].get_legend().get_texts()
    assert legend[1].get_text().replace("\n", " ") == "continuous tokens (no gap above zero)"


def test_code_against_latent_draws_each_pair_of_coordinates_on_both_sides(record):
    for setting, axes in (("sentence", code_against_latent(record).axes),
                          ("darmois", code_against_latent(record, setting="darmois").axes)):  # fmt: skip
        clouds = [cloud for cloud in record["scatter"] if cloud["setting"] == setting]
        assert len(axes) == 9
        for place, panel in enumerate(axes):
            for cloud, line in zip(clouds, panel.lines, strict=True):
                assert list(line.get_xdata()) == [point[place % 3] for point in cloud["z_inv"]]
                assert list(line.get_ydata()) == [point[place // 3] for point in cloud["code"]]


def test_code_against_latent_refuses_a_setting_that_is_not_there(record):
    with pytest.raises(ValueError, match="`setting` must be one of sentence, tokens, discrete, darmois; got 'x'"):
        code_against_latent(record, setting="x")


@pytest.mark.parametrize("name", FIGURES)
def test_figures_become_images_with_one_seed_nulls_and_names_from_outside(name, make_record):
    record = make_record(seeds=1)
    for entry in record["rows"] + record["by_seed"] + record["codes"]:
        if entry["side"] == "text" or entry["control"] == "dp_equal":
            entry |= {key: None for key, value in entry.items() if isinstance(value, float)}
    for kind in ("rows", "by_seed", "codes", "training", "histories", "scatter"):
        for entry in record[kind]:
            if entry["setting"] == "tokens":
                entry["setting"] = "a <b> of $x_1$ & more"
    record["scatter"][0]["code"][0][0] = None
    assert png(FIGURES[name](record)).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("keep", ["nothing", "controls", "darmois"])
def test_figures_survive_what_a_record_lacks(name, keep, record):
    for kind in ("rows", "by_seed", "codes", "training", "histories", "scatter", "checks"):
        entries = record[kind]
        record[kind] = [
            entry
            for entry in entries
            if (keep == "controls" and entry["control"] is not None)
            or (keep == "darmois" and entry["setting"] == "darmois" and entry["side" if "side" in entry else "name"])
        ]
    if keep == "nothing":
        for kind in ("by_seed", "codes", "training", "histories", "scatter"):
            del record[kind]
    assert png(FIGURES[name](record)).startswith(b"\x89PNG")


def test_only_this_package_imports_matplotlib_and_never_pyplot():
    package = Path(scmlab.__file__).parent
    statement = re.compile(r"^\s*(import|from) matplotlib", re.M)
    importing = {path.relative_to(package) for path in package.rglob("*.py") if statement.search(path.read_text())}
    assert {path.parts[0] for path in importing} == {"report"}
    assert not any("pyplot" in (package / path).read_text() for path in importing)
