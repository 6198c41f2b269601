import base64
import json
import re

import pytest

from scmlab.report import FIGURES, render_page, terminal_table, write_report
from scmlab.report.names import control_name, group_name, setting_name, spread

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def text_of(page):
    """Rows of cells, in order, without tags."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in rows]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells]


def test_the_page_refers_to_nothing_outside_of_itself(record):
    page = render_page(record, dict.fromkeys(FIGURES, PIXEL))
    assert not re.search(r"(src|href|action|data|poster)\s*=\s*[\"']?\s*(https?:|//|file:)", page, re.I)
    assert "<script" not in page
    assert "<link" not in page
    assert "url(" not in page
    assert "@import" not in page
    images = re.findall(r'<img src="([^"]*)"', page)
    assert images == [f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"] * len(FIGURES)


def test_the_page_holds_every_row_and_every_check(record):
    lines = text_of(render_page(record, {}))
    for row in record["rows"]:
        leak = spread(row, "leak_total") + " total" if row["block"] == "z_inv" else spread(row, "leak")
        measured = [spread(row, key) for key in ("r2", "r2_linear", "r2_back")]
        rest = [spread(row, key) for key in ("oracle", "r2_permuted", "accuracy")]
        assert [row["side"], row["block"], *measured, leak, *rest] in lines
        assert [f"{group_name(row['setting'], row['control'])} (3 seeds)"] in lines
    for check in record["checks"]:
        verdict = "✓ held" if check["held"] else "✗ FAILED"
        name = group_name(check["setting"], check["control"])
        assert [name, check["name"], check["expected"], check["measured"], verdict] in lines


def test_the_page_says_what_was_run(record):
    page = render_page(record, {})
    facts = ["ab12cd34", "a machine with 2 cores", "torch 2.6.0", "3 min 30 s", "preset quick", "0, 1, 2", "10 of 11"]
    assert all(fact in page for fact in facts)
    assert "z_dp_tex = z_dp_img" in page
    assert json.dumps(record["config"], indent=2).replace('"', "&#34;") in page


def test_strings_of_the_record_are_text_and_not_markup(record):
    evil = '<script src="http://x">&</script>'
    record["machine"] = record["checks"][0]["measured"] = record["config"]["note"] = evil
    record["structural_equations"]["sentence"] = record["rows"][0]["setting"] = record["id"] = evil
    page = render_page(record, {evil: PIXEL})
    assert "<script" not in page
    assert page.count("&lt;script src=&#34;http://x&#34;&gt;&amp;&lt;/script&gt;") >= 7


def test_what_is_missing_is_a_dash(record):
    for row in record["rows"]:
        row["oracle"], row["r2"] = None, float("nan")
        del row["r2_permuted"]
    del record["machine"], record["wall_seconds"]
    page = render_page(record, {})
    assert ["image", "z_pr_img", "–", spread(record["rows"][2], "r2_linear"), "–"] in [
        line[:5] for line in text_of(page)
    ]
    assert "<dt>machine</dt><dd>–</dd>" in page
    assert not re.search(r"\bnan\b", page, re.I)
    assert "None" not in page


@pytest.mark.parametrize("report", [terminal_table, lambda record: render_page(record, {}), *FIGURES.values()])
def test_a_record_without_rows_is_refused_in_one_sentence(report, record):
    del record["rows"]
    with pytest.raises(ValueError, match=r"^`record` must have the key 'rows'; got .*wall_seconds\.$"):
        report(record)


def test_a_broken_entry_is_refused_in_one_sentence(record, tmp_path):
    del record["checks"][0]["held"]
    with pytest.raises(ValueError, match=r"^`record\['checks'\]` must hold entries with setting, .*, held; got {.*\.$"):
        write_report(record, tmp_path)
    record["checks"] = "none"
    with pytest.raises(ValueError, match=r"^`record\['checks'\]` must be a sequence; got 'none'\.$"):
        write_report(record, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_report_is_written_whole_and_the_same_each_time(record, tmp_path):
    path = write_report(json.loads(json.dumps(record)), tmp_path / "run")
    files = {file.relative_to(tmp_path / "run").as_posix() for file in (tmp_path / "run").rglob("*") if file.is_file()}
    assert files == {"report.html", *(f"figures/{name}.png" for name in FIGURES)}
    first = path.read_bytes()
    for name in FIGURES:
        image = (tmp_path / "run" / "figures" / f"{name}.png").read_bytes()
        assert base64.b64encode(image) in first
    assert write_report(record, tmp_path / "run").read_bytes() == first


def test_names_fall_back_to_the_record_s_own():
    assert setting_name("new") == control_name("new") == "new"
    assert group_name("sentence", None) == "sentence"
    assert control_name(None) == "none"
