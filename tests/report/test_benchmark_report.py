import html
import io
import json
import math
import random
import re

import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from scmlab.benchmarks import blind
from scmlab.report import render_page, terminal_table, write_report
from scmlab.report.attribution_looks import LOOKS
from scmlab.report.attribution_names import CLASSES
from scmlab.report.benchmark import REPORT
from scmlab.report.benchmark_figures import ALL, FIGURES, LEAST, MOST
from scmlab.report.benchmark_lines import lines, probability, signed, whole
from scmlab.report.benchmark_names import BLIND, CONTROLS, LISTS, OWN

# setting, title, rule, official ties, aggregate, headline numbers, further numbers, chance of each
KNOWN = (
    ("sugarcrepe", "SugarCrepe", "choice", "strict", ("replace", "swap", "add", "all"),
     ("add_obj", "add_att", "replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att"), 50.0),
    ("winoground", "Winoground", "group", "strict", ("text", "image", "group"),
     tuple(f"{part}/{tag}" for part in ("text", "image", "group")
           for tag in ("Object", "Relation", "Both", *(f"fine:tag {k}" for k in range(8)))), 25.0),
    ("flickr30k_retrieval", "Flickr30k retrieval, Karpathy's test split", "retrieval", "strict",
     ("image_to_text_r1", "text_to_image_r1"),
     ("image_to_text_r5", "image_to_text_r10", "text_to_image_r5", "text_to_image_r10"), 0.1),
    ("stsb", "STS benchmark", "similarity", "strict", ("spearman", "pearson"), (), None),
)  # fmt: skip
MODELS = (("clip-vit-b-32", 1), ("a-fine-tuned-clip-with-a-long-name", 3), ("negclip", 1))
CASES = (("swap", "object"), ("swap", "attribute"), ("replace", "relation"), ("add", "object"), ("none", None),
         ("mixed", None))  # fmt: skip


def tiny():
    """One benchmark, one model, none of the lists that may be absent."""
    row = {"setting": "stsb", "control": None, "model": "clip", "aggregate": "similarity/1", "number": "spearman",
           "headline": True, "scored": 1379, "value": 61.53, "low": 58.04, "high": 64.96, "se": 1.8, "seeds": 1,
           "sd": None, "reference": None}  # fmt: skip
    benchmark = {"setting": "stsb", "title": "STS benchmark", "rule": "similarity", "ties": "strict",
                 "official_ties": "strict", "aggregate": "similarity/1", "says": "", "licence": "", "origin": "",
                 "cited": "", "items": 1379, "images": 0, "captions": 2758, "expected": None, "defects": {},
                 "differences": [], "roots": [], "halves": "nothing"}  # fmt: skip
    model = {"model": "clip", "seed": 0, "source": "clip", "activation": "quickgelu", "identity": "",
             "truncated": {"stsb": None}}  # fmt: skip
    return {"experiment": "benchmark", "id": "ab12", "config": {"benchmark": ["stsb"]}, "versions": {}, "checks": [],
            "benchmarks": [benchmark], "models": [model], "rows": [row]}  # fmt: skip


def large():
    """Four benchmarks of all kinds, three models, one of three files; what may be null is so somewhere."""
    draw = random.Random(0)
    record = {"experiment": "benchmark", "id": "cd34", "preset": "full", "date": "2026-01-02", "wall_seconds": 90.0}
    record |= {key: [] for key in LISTS} | {"files": {"items": "items.parquet"}}
    record["config"] = {"model": [name for name, _ in MODELS], "ties": None, "resamples": 1000, "seed": 0}
    record["models"] = [
        {"model": name, "seed": seed, "source": f"{name}-{seed}.pt", "activation": "gelu" if seed else "",
         "identity": "" if name == "negclip" else "0123456789abcdef" * 4,
         "truncated": {"sugarcrepe": 0, "winoground": 3 + seed, "flickr30k_retrieval": None, "stsb": 0}}
        for name, seeds in MODELS for seed in range(seeds)
    ]  # fmt: skip
    for setting, title, rule, ties, headline, others, chance in KNOWN:
        expected = {"sugarcrepe": 7511, "winoground": 400, "flickr30k_retrieval": 1000}.get(setting)
        items = expected - 11 if setting == "sugarcrepe" else expected or 1379
        record["benchmarks"].append(
            {"setting": setting, "title": title, "rule": rule, "ties": "half" if setting == "winoground" else ties,
             "official_ties": ties, "aggregate": f"{setting}/1", "says": "mean over the items of each category",
             "licence": "MIT (annotations); images under terms of their own", "origin": "github.com/an/origin, data/",
             "cited": "a table of someone (arXiv 0000.00000)" if setting != "stsb" else "", "items": items,
             "images": 0 if rule == "similarity" else 1560, "captions": 9000, "expected": expected,
             "defects": {"duplicate": 6, "spaces around a caption": 1074} if setting == "sugarcrepe" else {},
             "differences": ["add_obj holds 2,051 items where the official release has 2,062: compare its scores with "
                             "published ones only after taking the official files."] if setting == "sugarcrepe" else [],
             "roots": [] if rule == "similarity" else
             [{"root": "coco_val2017", "wanted": 1560, "found": 1550, "missing": 9, "unreadable": 1,
               "first": [f"00000021957{k}.jpg" for k in range(9)], "hint": "Names with COCO_val2014_ are not these."}],
             "halves": {"group": "images", "retrieval": "nothing"}.get(rule, "images and captions")}
        )  # fmt: skip
        where = {"setting": setting, "aggregate": f"{setting}/1"}
        for place, number in enumerate((*headline, *others)):
            of = where | {"number": number, "headline": number in headline, "scored": items - 40}
            base = draw.uniform(40, 90)
            record["rows"] += _models(record, of, base, draw, place)
            for control in _blind(rule):
                for model in [name for name, _ in MODELS] if control in OWN else [None]:
                    blind_row = {"control": control, "model": model, "value": draw.uniform(5, 75), "seeds": 1}
                    record["rows"].append(of | blind_row | dict.fromkeys(("low", "high", "se", "sd")))
            if chance is not None:
                record["rows"].append(of | {"control": "chance", "model": None, "value": chance})
        for name, seeds in MODELS:
            for seed in range(seeds):
                _per_file(record, where | {"control": None, "model": name, "seed": seed}, rule, headline, items, draw)
        for source in ("benchmark", "algorithm_1"):
            for operator, category in CASES if rule == "choice" else ():
                share = {"share": draw.random() / 6, "se": None if operator == "none" else 0.004}
                for place in ("all", "add_obj"):
                    record["cases"].append({"setting": setting, "control": None, "source": source, "where": place,
                                            "operator": operator, "category": category, "count": 120, "of": 990,
                                            **share})  # fmt: skip
    listed = {"images": 1560, "found": 166, "items": 812, "listed": 113287}
    record["overlap"] = [{"setting": "sugarcrepe", **listed, "names": [f"coco/00000021957{k}.jpg" for k in range(5)]}]
    record["checks"] = [
        {"setting": "sugarcrepe", "control": "shorter", "name": "length", "expected": "at least 99", "measured": "99.4",
         "held": True}
    ]  # fmt: skip
    return record


def _blind(rule):
    if rule == "similarity":
        return ("shorter",)
    return tuple(name for name in BLIND if rule == "choice" or name not in ("features", "direction"))


def _models(record, of, base, draw, place):
    for name, seeds in MODELS:
        values = [base + draw.gauss(0, 2) for _ in range(seeds)]
        missing = name == "negclip" and place == 1
        for seed, value in enumerate(values):
            record["by_seed"].append(of | {"control": None, "model": name, "seed": seed, "value": value,
                                           "low": value - 2.5, "high": value + 2.5, "se": 1.2})  # fmt: skip
        row = of | {"control": None, "model": name, "value": None if missing else sum(values) / seeds, "se": 1.2}
        ends = {"low": row["value"] - 2.5, "high": row["value"] + 2.5} if seeds == 1 and not missing else {}
        spread = {"seeds": seeds, "sd": 0.41 if seeds > 1 else None, "reference": 61.25 if place % 3 == 0 else None}
        yield row | {"low": None, "high": None} | ends | spread


def _per_file(record, where, rule, headline, items, draw):
    first = where["model"] == MODELS[0][0]
    counts = {"items": items, "scored": items - 40, "missing": 40, "unreadable": 1, "tied": 3 + where["seed"],
              "defective": 11, "duplicates": 6}  # fmt: skip
    record["counts"].append(where | counts)
    for number in headline:
        middle = draw.uniform(40, 60)
        policies = {"strict": middle - 1, "first": middle + 1, "half": None if rule == "similarity" else middle}
        record["ties"].append(where | {"number": number} | policies)
        for subset in ("without defective or duplicate items", "without training images"):
            record["subsets"].append(
                where | {"subset": subset, "scored": items - 90, "number": number, "value": middle}
            )
        if not first:
            change = draw.gauss(1, 4)
            found = {"against": MODELS[0][0], "number": number, "headline": number != headline[-1]}
            ends = {"low": change - 1, "high": change + 1, "se": 0.5}
            record["differences"].append(where | found | {"difference": change} | ends)
    if where["model"] == MODELS[0][0]:
        record["ties"].append(where | {"control": "shorter", "model": None, "number": headline[0], "strict": 90.0,
                                       "first": 97.5, "half": 93.75})  # fmt: skip
    if not first and rule != "similarity":
        test = {
            "only_first": 30,
            "only_second": 42,
            "both": 280,
            "neither": 48,
            "left_out": 40,
            "p": 10 ** -draw.uniform(0, 8),
        }
        record["mcnemar"].append(where | {"against": MODELS[0][0], "part": "correct"} | test)
    if rule == "choice":
        for source in ("benchmark", "algorithm_1"):
            for operator, category in CASES[: 4 if source == "algorithm_1" else 6]:
                for place in ("all", "add_obj"):
                    record["case_accuracy"].append(
                        where | {"source": source, "where": place, "operator": operator, "category": category,
                                 "scored": 100, "accuracy": draw.uniform(40, 99), "se": 2.0}
                    )  # fmt: skip
        for method in ("attention", "gradcam", "perturbation", "gradient"):
            for kind, share in zip(CLASSES, (0.5, 0.25, 0.1, 0.15), strict=True):
                found = {"method": method, "word_class": kind, "captions": 500, "se": 0.004, "uniform": 0.25}
                record["attribution"].append(where | found | {"share": share + draw.uniform(-0.02, 0.02)})
        for kind in ("object", "attribute", "relation"):
            record["words"].append(where | {"word_class": kind, "cosine": draw.uniform(0.5, 0.9), "se": 0.002,
                                            "captions": 500, "words": 1200, "others": 0.412})  # fmt: skip


@pytest.fixture
def record():
    return large()


def printed(table, width=110):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table)
    return console.file.getvalue()


def cells(page):
    rows = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S)
    ]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in rows]


def part(page, heading):
    """The lines of the section under a heading."""
    return cells(page[page.index(f"<h2>{heading}</h2>") :].split("</section>")[0])


def panels(name, record):
    """Panels by the start of their title, which is the benchmark's."""
    return {axes.get_title(loc="left").split(" (")[0]: axes for axes in FIGURES[name](record).axes}


def drawn(axes):
    """x of all marks and ends of lines."""
    return {round(float(x), 9) for line in axes.lines for x in line.get_xdata() if math.isfinite(x)}


def rows_of(record, **match):
    return [row for row in record["rows"] if all(row[key] == value for key, value in match.items())]


def test_the_terminal_shows_each_headline_with_interval_best_blind_chance_and_published(record):
    text = printed(terminal_table(record)[0])
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 110
    for setting, of in lines(record).items():
        assert f" {setting}" in text
        for line in of[:14]:
            best = max(row["value"] for row in rows_of(record, setting=setting, number=line.name)
                       if row["control"] not in (None, "chance"))  # fmt: skip
            row = rows_of(record, setting=setting, number=line.name, control=None, model="clip-vit-b-32")[0]
            chance = "–" if setting == "stsb" else f"{line.chance:.2f}"
            published = "61.25" if row["reference"] else "–"
            pattern = rf"{re.escape(line.name)} +{row['value']:.2f} .* {best:.2f} +{chance} +{published} *\n"
            pattern += rf" +\[{row['low']:.1f}, {row['high']:.1f}\] +± 0\.41 "
            assert re.search(pattern, text), line.name
    assert "22 more: on the page" in text


def test_one_model_has_its_interval_beside_its_score_and_no_empty_tables():
    tables = terminal_table(tiny())
    assert len(tables) == 2  # scores and checks
    assert "61.53 [58.0, 65.0]" in printed(tables[0])


def test_the_best_blind_baseline_is_the_highest_and_never_chance(record):
    for of in lines(record).values():
        for line in of:
            assert line.best["value"] == max(row["value"] for row in line.blind)
            assert line.best["control"] in BLIND
    line = lines(tiny())["stsb"][0]
    assert line.best == {}
    assert math.isnan(line.published)


def test_the_best_blind_baseline_on_the_page_says_whose_codes_it_is(record):
    found = part(render_page(record, {}), "Scores")
    for of in lines(record).values():
        for line in (line for line in of if line.headline):
            name = BLIND[line.best["control"]]
            owner = f", {line.best['model']}" if line.best["control"] in OWN else ""
            assert [f"{line.best['value']:.2f}", name + owner] in [row[3:5] for row in found]


def test_the_page_holds_every_score_baseline_and_reference(record):
    page = render_page(record, {})
    shown = {cell for line in part(page, "All numbers and baselines") for cell in line}
    for row in record["rows"]:
        if row["value"] is None:
            assert "–" in shown
        elif row["control"] is None and row["low"] is not None:
            assert f"{row['value']:.2f} [{row['low']:.1f}, {row['high']:.1f}]" in shown
        elif row["control"] is None:
            assert f"{row['value']:.2f} ± 0.41" in shown
        else:
            assert f"{row['value']:.2f}" in shown
    single = part(page, "Single files of models with several seeds")
    tuned = [row for row in record["by_seed"] if row["model"] == MODELS[1][0]]
    scores = [f"{row['value']:.2f} [{row['low']:.1f}, {row['high']:.1f}]" for row in tuned]
    assert [line for line in single if len(line) == 3][1:] == [
        [row["number"], f"{row['model']}, seed {row['seed']}", one] for row, one in zip(tuned, scores, strict=True)
    ]


def test_a_models_own_baselines_stand_in_its_line_and_the_others_in_that_of_the_number(record):
    found = part(render_page(record, {}), "All numbers and baselines")
    place = next(place for place, line in enumerate(found) if line[0] == "swap")
    values = {(row["control"], row["model"]): f"{row['value']:.2f}"
              for row in rows_of(record, setting="sugarcrepe", number="swap") if row["value"] is not None}  # fmt: skip
    shared = [values[name, None] for name in BLIND if name not in OWN]
    assert found[place][1:] == ["", *shared, "", "", "50.00", "–"]
    for (model, _), line in zip(MODELS, found[place + 1 :], strict=False):
        assert line[0].startswith(model)
        assert line[2:] == ["", "", "", "", *(values[name, model] for name in OWN), "", ""]


def test_numbers_that_aggregates_give_differently_are_told_apart_and_the_same_ones_stand_once(record):
    def again(key, number, changed):
        found = [entry for entry in record[key] if (entry["setting"], entry["number"]) == ("sugarcrepe", number)]
        record[key] += [entry | {"aggregate": "accuracy/1"} | changed for entry in found]

    before = len(lines(record)["sugarcrepe"])
    again("rows", "replace", {"value": 12.34, "low": 11.0, "high": 13.0})
    again("differences", "replace", {"difference": 33.25})
    again("rows", "swap", {})
    again("differences", "swap", {})
    again("by_seed", "swap", {})
    assert len(lines(record)["sugarcrepe"]) == before + 1
    text = "".join(map(printed, terminal_table(record)))
    assert text.count(" replace (accuracy/1) ") == text.count(" replace  ") == 2
    assert "12.34" in text
    assert "+33.25" in text
    assert "swap (" not in text
    page = render_page(record, {})
    assert len([line for line in part(page, "All differences") if line[0] == "swap"]) == 4
    assert len(part(page, "Subsets of the items")) == 1 + 4 + 5 * 11


@pytest.mark.parametrize("where", ["terminal", "page"])
def test_missing_tied_defective_and_cut_are_counted_and_files_of_one_name_give_a_range(where, record):
    text = printed(terminal_table(record)[1])
    found = [re.split(r"  +", line.strip()) for line in text.splitlines()]
    if where == "page":
        found = part(render_page(record, {}), "Items")
    numbers = [line[1:] for line in found if line[0] in ("clip-vit-b-32", "negclip")]
    assert numbers[0] == ["7,500", "7,511", "7,460", "40", "1", "3", "11", "6", "0"]
    ranges = [line[1:] for line in found if line[0].startswith("a-fine-tuned")]
    assert ranges[1] == ["400", "400", "360", "40", "1", "3 to 5", "11", "6", "3 to 5"]
    assert ranges[2][-1] == "–"  # not known


def test_counts_that_are_not_the_official_ones_are_said_in_terminal_and_page(record):
    said = record["benchmarks"][0]["differences"][0]
    assert said in " ".join(printed(terminal_table(record)[1]).split())
    assert ["not as released", said] in cells(render_page(record, {}))
    del record["counts"]
    assert said in " ".join(printed(terminal_table(record)[1]).split())


def test_what_was_read_is_on_the_page_with_licence_roots_and_defects(record):
    found = part(render_page(record, {}), "Benchmarks")
    of = record["benchmarks"][0]
    assert ["licence", of["licence"]] in found
    assert ["origin", of["origin"]] in found
    assert ["defects of the release", "duplicate: 6; spaces around a caption: 1,074"] in found
    root = next(line for line in found if line[0] == "images coco_val2017")
    assert root[1].startswith("1,550 of 1,560 found, 9 missing, 1 unreadable first: 000000219570.jpg, ")
    assert root[1].endswith("; Names with COCO_val2014_ are not these.")
    assert ["ties", "half, official: strict"] in found
    assert ["halves of fitted baselines", "share no image; captions may be in both"] in found


def test_differences_and_mcnemar_name_the_first_model_and_hold_every_test(record):
    differences, tests = map(printed, terminal_table(record)[2:4])
    assert "difference to clip-vit-b-32" in differences
    assert "only clip-vit-b-32" in tests
    page = render_page(record, {})
    first, later = ({line[-1].split()[0] for line in part(page, name)} for name in ("Differences", "All differences"))
    for entry in record["differences"]:
        shown = f"{entry['difference']:+.2f}"
        assert (shown in differences) == (shown in first) == entry["headline"]
        assert shown in later
    found = [line[0] for line in part(page, "All differences") if len(line) == 3][1:17]
    assert found == [number for number in ("replace", "swap", "add", "all") for _ in range(4)]
    found = [line[2:] for line in part(page, "McNemar") if len(line) == 8][1:]
    assert found == [["280", "30", "42", "48", "40", probability(entry["p"])] for entry in record["mcnemar"]]


def test_numbers_and_their_signs_are_written_plainly():
    values = (0.00001, 0.0001, 0.0123, 0.5, 1.0, math.nan)
    assert [probability(value) for value in values] == ["< 0.0001", "0.0001", "0.012", "0.50", "1.00", "–"]
    assert [signed(value, 1) for value in (1.26, -1.26, 0.04, -0.04)] == ["+1.3", "-1.3", "0.0", "0.0"]
    assert [whole(values) for values in ([], [None], [1200], [3, 3], [5, None, 3])] == [
        "–",
        "–",
        "1,200",
        "3",
        "3 to 5",
    ]


def test_ties_subsets_overlap_and_cases_are_on_the_page(record):
    page = render_page(record, {})
    assert ["replace", "shorter caption", "90.00", "97.50", "93.75"] in part(page, "Ties")
    subset = record["subsets"][0]
    full = next(row["value"] for row in record["by_seed"] if row["setting"] == "sugarcrepe")
    left = f"{subset['value']:.2f} 7,410"
    assert ["replace", "clip-vit-b-32", f"{full:.2f}", left, left] in part(page, "Subsets of the items")
    assert ["1,560", "166", "812", "113,287"] in [line[2:] for line in part(page, "Images trained on")]
    shares = [f"{100 * case['share']:.1f} ± 0.4 120" for case in record["cases"] if case["operator"] == "swap"]
    assert ["all", "SWAP object", shares[0], shares[4]] in part(page, "Cases")
    assert ["all", "none"] in [line[:2] for line in part(page, "Cases")]
    ours = [entry for entry in record["case_accuracy"] if (entry["operator"], entry["where"]) == ("add", "all")]
    pair = [f"{entry['accuracy']:.1f} ± 2.0 100" for entry in ours if entry["model"] == "negclip"]
    assert ["all", "ADD object", "negclip", *pair] in part(page, "Accuracy per case")


def test_attribution_and_words_have_a_line_per_file_and_a_column_per_class(record):
    page = render_page(record, {})
    first = [entry for entry in record["attribution"] if entry["method"] == "gradcam"][:4]
    assert ["clip-vit-b-32", "500", *(f"{100 * e['share']:.1f} ± 0.4" for e in first)] in part(
        page, "Attribution shares"
    )
    first = [f"{entry['cosine']:.3f} ± 0.002 others 0.412" for entry in record["words"][:3]]
    assert ["clip-vit-b-32", "500", *first] in part(page, "Captions and their words")
    assert ["equal scores", "", *["25.0"] * 4] in part(page, "Attribution shares")


def test_scores_draw_every_model_interval_baseline_chance_and_reference(record):
    found = panels("scores", record)
    for setting, title, *_ in KNOWN:
        axes = found["STS benchmark" if setting == "stsb" else title]
        shown = {line.name for line in lines(record)[setting][:MOST]}
        rows = [row for row in rows_of(record, setting=setting) if row["number"] in shown]
        wanted = [row.get(key) for row in rows for key in ("value", "low", "high", "reference")]
        assert {round(value, 9) for value in wanted if value is not None} <= drawn(axes)
    assert found["Winoground"].get_title(loc="left").endswith("25 of 36 numbers")
    assert found["STS benchmark"].get_xlabel() == "correlation × 100"
    assert found["SugarCrepe"].get_xlabel() == "percent"


def test_the_legend_names_all_that_is_drawn_and_nothing_else(record):
    def words(one):
        return [text.get_text() for text in FIGURES["scores"](one).legends[0].get_texts()]

    assert words(record) == [
        "clip-vit-b-32",
        "a-fine-tuned-clip-with-a-long-name (3 seeds)",
        "negclip",
        "single seeds",
        "best blind baseline",
        "other blind baselines",
        "chance",
        "published CLIP ViT-B/32",
    ]
    assert words(tiny()) == ["clip"]


def test_correlations_below_zero_are_inside_the_axis():
    record = tiny()
    blind = {"control": "shorter", "model": None, "value": -31.0, "low": None, "high": None}
    record["rows"].append(record["rows"][0] | blind)
    assert panels("scores", record)["STS benchmark"].get_xlim()[0] < -31


def test_many_benchmarks_have_fewer_numbers_each_and_say_so(record):
    base = [row for row in record["rows"] if row["setting"] == "winoground"]
    record["rows"] = [row | {"setting": f"benchmark_{k}"} for k in range(10) for row in base]
    figure = FIGURES["scores"](record)
    assert [len(axes.get_yticks()) for axes in figure.axes] == [max(LEAST, ALL // 10)] * 10
    assert all("12 of 36 numbers" in axes.get_title(loc="left") for axes in figure.axes)


def test_cases_and_differences_draw_every_file(record):
    axes = panels("cases", record)["SugarCrepe"]
    wanted = {round(entry["accuracy"], 9) for entry in record["case_accuracy"] if entry["where"] == "all"}
    assert wanted <= drawn(axes)
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white" and line.get_marker() == "o"]
    assert len(hollow) == sum(
        entry["source"] == "algorithm_1" and entry["where"] == "all" for entry in record["case_accuracy"]
    )
    found = panels("differences", record)
    for entry in record["differences"]:
        title = next(title for setting, title, *_ in KNOWN if setting == entry["setting"])
        assert {round(entry[key], 9) for key in ("difference", "low", "high")} <= drawn(found[title])
    assert all(any(list(line.get_xdata()) == [0, 0] for line in axes.lines) for axes in found.values())


def test_attribution_stacks_the_shares_in_the_colours_of_the_attribution_report(record):
    axes = FIGURES["attribution"](record).axes[0]
    widths = [bar.get_width() for bar in axes.patches[:4]]
    assert widths == pytest.approx([entry["share"] for entry in record["attribution"][:4]])
    colours = [to_hex(bar.get_facecolor()) for bar in axes.patches[:4]]
    assert colours == [LOOKS[kind][0].lower() for kind in CLASSES]


@pytest.mark.parametrize("lacking", ["lists", "numbers", "rows", "names"])
def test_figures_page_and_terminal_survive_what_a_record_lacks(lacking, record):
    if lacking == "lists":
        record = tiny()
    if lacking == "rows":
        record["rows"] = []
    if lacking == "numbers":
        for key in LISTS:
            for entry in record[key]:
                entry |= {word: None for word, value in entry.items() if isinstance(value, float)}
    if lacking == "names":
        for entry in (*record["benchmarks"], *record["models"]):
            for word in set(entry) - {"setting", "model"}:
                del entry[word]
        for row in record["rows"]:
            for word in ("headline", "aggregate", "scored", "seeds", "sd", "reference"):
                row.pop(word, None)
    for draw in FIGURES.values():
        draw(record).draw_without_rendering()
    assert render_page(record, {})
    assert [printed(table) for table in terminal_table(record)]


def test_the_report_is_written_whole(tmp_path):
    page = write_report(json.loads(json.dumps(tiny())), tmp_path).read_text()
    assert page.count("<img") == len(FIGURES)
    assert set(REPORT.captions) == set(FIGURES)


def test_the_words_are_those_of_the_baselines():
    assert set(BLIND) == set(blind.BLIND)
    assert set(CONTROLS) == {*blind.BLIND, "chance"}
    assert set(OWN) == set(blind._CODED)


@pytest.mark.parametrize(
    ("key", "name"), [("rows", "number"), ("counts", "model"), ("ties", "number"), ("words", "word_class")]
)
def test_an_entry_without_what_names_it_is_refused(key, name, record, refuses):
    del record[key][0][name]
    with refuses(f"`record['{key}']` must hold entries with", name):
        terminal_table(record)
