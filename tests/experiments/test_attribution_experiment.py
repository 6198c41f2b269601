import json
import shutil
from dataclasses import replace

import pytest
import torch

from scmlab.attribution import METHODS, word_map
from scmlab.experiments import attribution
from scmlab.experiments.attribution.checks import checks
from scmlab.experiments.attribution.measure import entries
from scmlab.experiments.attribution.work import data_of, start_of
from scmlab.experiments.finetune.measure import read_held_out
from scmlab.models.clip import save_clip, tokenize
from scmlab.report import render_page, report_of, terminal_table
from scmlab.report.attribution_figures import heat_maps, words
from scmlab.scm.store import BadFile

TINY = replace(attribution.PRESETS["tiny"], workers=1, device="cpu")
KINDS = ("other", "object", "attribute", "relation")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attribution")
    return attribution.run(TINY, folder=folder), folder


@pytest.fixture(scope="module")
def start(written):
    """Model and data of the first seed, as the run left them."""
    return start_of(TINY, 0, written[1], "cpu", lambda name, step: None), data_of(TINY, 0, written[1])


def test_the_record_is_plain_data_and_comes_again_without_another_training(written, monkeypatch):
    record, folder = written
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    monkeypatch.setattr("scmlab.experiments.attribution.work.train_clip", None)  # whatever trains now, fails
    assert attribution.run(TINY, folder=folder) == record


def test_there_is_a_row_for_every_model_method_and_class_and_shares_sum_to_1(written):
    rows = written[0]["rows"]
    assert {(r["model"], r["method"], r["word_class"]) for r in rows} == {
        (model, method, kind) for model in TINY.models for method in METHODS for kind in KINDS
    }
    assert {r["control"] for r in rows if r["model"] == "plain"} == {"plain"}
    for model in TINY.models:
        for method in ("attention", "gradcam", "gradient"):
            shares = [r["share"] for r in rows if (r["model"], r["method"]) == (model, method)]
            assert sum(shares) == pytest.approx(1)


def test_the_numbers_are_those_of_a_slow_reference_word_by_word(start):
    clip, data = start
    held, corrupt = read_held_out(clip, data.held.pairs, "stop")
    assert corrupt == {}
    by_class, by_method = entries(clip, held)
    tokens = tokenize(clip, held.captions)
    words = word_map(tokens, held.captions)
    scores = METHODS["gradient"](clip, held.pixels[held.image_of], tokens).detach().double()
    found, shares = {kind: [] for kind in KINDS}, {kind: [] for kind in KINDS}
    for row in range(len(held.captions)):
        total = sum(scores[row, t].item() for t in range(scores.shape[1]) if words.words[row, t] >= 0)
        sums = dict.fromkeys(KINDS, 0.0)
        for word in range(int(words.words[row].max()) + 1):
            places = [t for t in range(scores.shape[1]) if words.words[row, t] == word]
            if places:
                kind = KINDS[words.classes[row, places[0]]]
                found[kind].append(sum(scores[row, t].item() for t in places) / len(places))
                sums[kind] += sum(scores[row, t].item() for t in places)
        for kind in KINDS:
            shares[kind].append(sums[kind] / total)
    for entry in by_class:
        if entry["method"] == "gradient":
            values = torch.tensor(found[entry["word_class"]], dtype=torch.float64)
            assert entry["words"] == len(values)
            if len(values):
                assert entry["mean"] == pytest.approx(values.mean().item(), rel=1e-5)
                assert entry["q50"] == pytest.approx(values.quantile(0.5).item(), rel=1e-5)
                assert entry["q95"] == pytest.approx(values.quantile(0.95).item(), rel=1e-5)
            expected = sum(shares[entry["word_class"]]) / len(held.captions)
            assert entry["share"] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    composed = found["attribute"] + found["relation"]
    excess = sum(found["object"]) / len(found["object"]) - sum(composed) / len(composed)
    (entry,) = [e for e in by_method if e["method"] == "gradient"]
    assert entry["excess"] == pytest.approx(excess, rel=1e-4)
    assert entry["hinge"] == max(0.0, entry["excess"])


def test_examples_name_the_words_of_their_caption(written):
    for example in written[0]["examples"]:
        letters = "".join("".join(example["words"]).split())
        assert letters == "".join(example["caption"].split())
        assert len(example["words"]) == len(example["classes"])
        assert all(len(scores) == len(example["words"]) for scores in example["scores"].values())
        assert len(example["heat"]) == len(example["heat"][0]) == 48 // TINY.patch


def test_a_given_model_and_folder_are_measured_and_damage_is_refused_or_counted(written, start, tmp_path, refuses):
    scenes = written[1] / "scenes_0"
    save_clip(start[0], tmp_path / "model")
    lines = (scenes / "captions.jsonl").read_text().splitlines()
    missing = json.dumps({"image": "none.png", "caption": "a circle", "negatives": []})
    (tmp_path / "captions.jsonl").write_text("\n".join([*lines, missing]) + "\n")
    config = replace(
        TINY,
        model=str(tmp_path / "model"),
        captions=str(tmp_path / "captions.jsonl"),
        images=str(scenes),
        methods=("attention",),
        seeds=(0,),
    )
    with refuses("`captions` must name images under", "none.png", error=BadFile):
        attribution.total_steps(config)
    record = attribution.run(replace(config, on_error="skip"))
    assert record["data"][0]["missing_names"] == ["none.png"]
    assert record["model"] | {"parameters": 0} == {"source": "model", "activation": "gelu", "parameters": 0}
    with refuses("`model` must be an existing file or folder", "nowhere", error=BadFile):
        attribution.total_steps(replace(config, model="nowhere"))
    assert [row["model"] for row in record["methods"] if row["method"] == "attention"] == [
        "start",
        "plain",
        "cae_attention",
    ]
    assert record["config"]["model"] == "model"
    with refuses("`batch` must be at most the training pairs", error=BadFile):
        attribution.total_steps(replace(config, on_error="skip", batch=60))


def test_damaged_training_images_and_cut_captions_are_counted_too(written, start, tmp_path):
    shutil.copytree(written[1] / "scenes_0", tmp_path / "scenes")
    save_clip(start[0], tmp_path / "model")
    captions = tmp_path / "scenes" / "captions.jsonl"
    items = [json.loads(line) for line in captions.read_text().splitlines()]
    items[0]["caption"] += " and a red circle" * 30
    captions.write_text("".join(json.dumps(item) + "\n" for item in items))
    damaged = [item["image"] for item in items[::4]]
    for name in damaged:
        (tmp_path / "scenes" / name).write_bytes(b"no image")
    given = {"model": str(tmp_path / "model"), "captions": str(captions), "images": str(tmp_path / "scenes")}
    config = replace(TINY, **given, methods=("attention",), seeds=(0,), on_error="skip")
    held = {pair.image for pair in data_of(config, 0, tmp_path).held.pairs}
    found = attribution.run(config)["data"][0]
    held_out = [name for name in damaged if (tmp_path / "scenes" / name).resolve() in held]
    assert set(held_out) < set(found["corrupt"]) <= set(damaged)
    assert found["corrupt_images"] == len(found["corrupt"])
    assert sum(found["truncated"].values()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ("attention", "lime")}, "`methods` must be some of attention, gradcam, perturbation, gradient"),
        ({"images": "nowhere"}, "`model` must be given where model, captions or images are; got none"),
        ({"on_error": "ignore"}, "`on_error` must be one of stop, skip; got 'ignore'"),
        ({"batch": 49}, "`batch` must be at most `scenes` = 48; got 49"),
        ({"seeds": ()}, "`seeds` must be different non-negative integers"),
        ({"activation": "relu"}, "`activation` must be one of quickgelu, gelu; got 'relu'"),
        ({"patch": 7}, "`patch` must divide 48"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(refuses, change, said):
    with refuses(said):
        replace(TINY, **change)


def made_up(hinges):
    """Checks of one loss: model -> hinge of both seeds."""
    found = [
        {"model": model, "method": "attention", "seed": seed, "hinge": value}
        for model, values in hinges.items()
        for seed, value in enumerate(values)
    ]
    return next(iter(checks(replace(TINY, methods=("attention",)), found)), None)


GOOD = {"start": (0.2, 0.2), "plain": (0.2, 0.3), "cae_attention": (0.1, 0.2)}


def test_a_loss_that_lowers_its_hinge_holds_with_every_seed_or_where_there_is_nothing_to_lower():
    assert made_up(GOOD)["held"]
    one = made_up(GOOD | {"plain": (0.2, 0.0), "cae_attention": (0.1, 0.0)})
    assert one["held"]
    assert "1 of 2 seeds below, 1 with nothing to lower" in one["measured"]


def test_a_loss_with_nothing_to_lower_in_any_seed_is_not_called_held():
    assert made_up(GOOD | dict.fromkeys(("plain", "cae_attention"), (0.0, 0.0))) is None


def test_the_check_fails_where_a_loss_raises_a_hinge_that_was_zero():
    assert not made_up(GOOD | {"plain": (0.2, 0.0), "cae_attention": (0.1, 0.1)})["held"]


@pytest.mark.parametrize("tuned", [(0.1, 0.3), (0.1, 0.4), (0.2, 0.3), (0.1, None), (None, None)])
def test_the_check_fails_where_a_seed_is_not_lower_or_missing(tuned):
    assert not made_up(GOOD | {"cae_attention": tuned})["held"]


def test_the_check_compares_with_plain_fine_tuning_and_not_with_the_start():
    assert not made_up(GOOD | {"start": (0.9, 0.9), "plain": (0.1, 0.1)})["held"]


def test_the_page_shows_every_model(written):
    record = written[0] | {"id": "ab12cd34"}
    report = report_of(record)
    page = render_page(record, {name: b"" for name in report.figures})
    for part in ("loss on perturbation", "plain fine-tuning", "before, by GradCAM", "own hinge"):
        assert part in page
    assert page.count("captions longer than the context, cut off") == 2  # of training and held out, the first seed's
    assert len(terminal_table(record)) == 2


def test_the_words_figure_says_what_is_before_and_what_is_after(written):
    (legend,) = words(written[0] | {"id": "ab12cd34"}).legends
    assert {"before (outline)", "after (filled)"} <= {text.get_text() for text in legend.get_texts()}


@pytest.mark.parametrize("models", [("start", "plain"), TINY.models])
@pytest.mark.parametrize("number", [1, 6])
def test_the_caption_of_the_last_heat_map_is_inside_the_figure(written, number, models):
    record = written[0] | {"id": "ab12cd34"}
    shown = [[e | {"caption": str(i)} for e in record["examples"][::2]] for i in range(number)]
    found = {"examples": [e for each in shown for e in each], "pictures": record["pictures"][:1] * number}
    found["rows"] = [row for row in record["rows"] if row["model"] in models]
    figure = heat_maps(record | found)
    figure.draw_without_rendering()
    captions = [text for axes in figure.axes for text in axes.texts]
    assert len(captions) == number
    assert min(text.get_window_extent().y0 for text in captions) >= 0
