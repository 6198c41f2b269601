import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from scmlab.experiments import finetune
from scmlab.experiments.finetune.checks import checks
from scmlab.experiments.finetune.data import read_data
from scmlab.experiments.finetune.measure import false_captions, images_of, read_held_out, retrieval, texts_of
from scmlab.experiments.finetune.start import given_clip
from scmlab.experiments.runner import Output, prepare
from scmlab.models.clip import clip_hash, load_clip, save_clip
from scmlab.report import render_page, report_of, terminal_table
from scmlab.report.finetune import accuracies, curves
from scmlab.scm.store import BadFile

TINY = replace(finetune.PRESETS["tiny"], workers=1, device="cpu")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A run on scenes, which leaves models and a folder of images with captions behind."""
    folder = tmp_path_factory.mktemp("finetune") / "jobs"
    return finetune.run(TINY, folder=folder), folder


@pytest.fixture(scope="module")
def given(written):
    """The files of that run as a user's own."""
    folder = written[1]
    return replace(
        TINY,
        model=str(folder / "start"),
        captions=str(folder / "scenes" / "captions.jsonl"),
        images=str(folder / "scenes"),
        steps=2,
        interpolate=(),
    )


def of(record, setting, control=None):
    return {(r["measure"], r["of"]): r for r in record["rows"] if (r["setting"], r["control"]) == (setting, control)}


def test_the_record_is_plain_data_and_comes_again_without_another_training(written, monkeypatch):
    record, folder = written
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    monkeypatch.setattr("scmlab.experiments.finetune.work.train_clip", None)  # whatever trains now, fails
    assert finetune.run(TINY, folder=folder) == record


def test_every_model_is_measured_alike_and_shares_sum_to_1(written):
    models = [of(written[0], *name) for name in (("tuned", "start"), ("tuned",), ("interpolated 0.5",))]
    assert len({tuple(model) for model in models}) == 1
    assert {("R@1", "image to text"), ("hard negatives", "swap"), ("excess", "attention")} <= set(models[0])
    for model in models:
        shares = [row["value"] for (measure, name), row in model.items() if measure == "share" and "attention" in name]
        assert sum(shares) == pytest.approx(1)


def test_the_written_models_are_those_that_were_measured(written):
    record, folder = written
    tuned = load_clip(folder / "models" / "tuned_huggingface")
    assert clip_hash(tuned) == record["model"]["tuned_hash"] != record["model"]["start_hash"]
    assert clip_hash(load_clip(folder / "models" / "tuned_open_clip")) == record["model"]["tuned_hash"]
    data = read_data(str(folder / "scenes" / "captions.jsonl"), str(folder / "scenes"), held=TINY.held, seed=TINY.seed)
    held, _ = read_held_out(tuned, data.held.pairs, "stop")
    images, texts = images_of(tuned, held.pixels), texts_of(tuned, held.captions)
    hits = 0
    for row in range(len(held.captions)):  # one caption per image here; an equal caption is as true
        same = [" ".join(other.casefold().split()) == held.captions[row].casefold() for other in held.captions]
        scores = texts @ images[row]
        hits += scores[same].max() > scores[[not each for each in same]].max()
    assert of(record, "tuned")["R@1", "image to text"]["value"] == pytest.approx(int(hits) / len(held.captions))


def test_no_image_is_in_both_parts_and_half_at_most_are_held_out(given):
    data = read_data(given.captions, given.images, held=10**6, seed=0)
    train, held = ({pair.image for pair in part.pairs} for part in (data.train, data.held))
    assert not train & held
    assert len(held) == len(train | held) // 2


def test_a_given_model_and_folder_with_damage_are_counted_by_name_or_refused(given, tmp_path, refuses):
    folder = tmp_path / "scenes"
    shutil.copytree(given.images, folder)
    lines = (folder / "captions.jsonl").read_text().splitlines()
    names = [json.loads(line)["image"] for line in lines]
    (folder / names[3]).unlink()
    config = replace(given, images=str(folder), captions=str(folder / "captions.jsonl"))
    with refuses("`captions` must name images under", names[3], "line 4", error=BadFile):
        finetune.total_steps(config)
    (folder / names[3]).write_bytes((folder / names[4]).read_bytes())
    for name in names:
        if name not in (names[0], names[1]):
            continue
        (folder / name).write_bytes(b"no image")
    with refuses("`images` must be whole image files", error=BadFile):
        finetune.run(replace(config, negatives="none", steps=20))
    (folder / names[3]).unlink()
    (folder / "other").mkdir()
    other = f"other/{Path(names[1]).name}"  # a second image of the name in another folder
    (folder / names[0]).rename(folder / other)
    captions = folder / "captions.jsonl"
    captions.write_text(captions.read_text().replace(names[0], other))
    config = replace(config, on_error="skip", negatives="negclip", attribution="attention", steps=20, epochs=3)
    assert finetune.total_steps(config) == 3 * (95 // 16)
    record = finetune.run(config)
    assert record["data"]["missing_images"] == 1
    assert record["data"]["missing_names"] == [names[3]]
    assert set(record["data"]["corrupt"]) == {other, names[1]}
    assert record["data"]["corrupt_images"] == 2
    assert str(folder) not in json.dumps(record)
    assert record["config"]["images"] == "scenes"
    assert "hinge, attention" in {check["name"] for check in record["checks"]}
    assert set(record["histories"][0]["curves"]) == {"contrastive", "attribution"}
    assert record["written"] == []


def test_captions_that_are_cut_off_are_counted(given, tmp_path):
    folder = Path(given.images)
    names = [json.loads(line)["image"] for line in (folder / "captions.jsonl").read_text().splitlines()]
    rows = [f"a red circle{' and a blue square' * (20 if row < 3 else 1)}\t{name}" for row, name in enumerate(names)]
    (tmp_path / "captions.tsv").write_text("caption\timage\n" + "\n".join(rows) + "\n")
    record = finetune.run(replace(given, captions=str(tmp_path / "captions.tsv"), negatives="none", held=2))
    cut = record["data"]["truncated"]
    assert 1 <= cut["captions"] <= 3
    assert cut["captions"] + cut["held-out captions"] == 3
    assert record["data"]["repeated_captions"] > 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": None}, "`model` must be given where model, captions or images are"),
        ({"images": "nowhere"}, "`images` must be a folder; got nowhere"),
        ({"captions": "nowhere.tsv"}, "`captions` must be a file of captions; got nowhere.tsv"),
        ({"negatives": "all"}, "`negatives` must be one of none, negclip, algorithm_1; got 'all'"),
        ({"interpolate": (1.5,)}, "`interpolate` must be different numbers between 0 and 1"),
        ({"attribution": "attention", "weight": 0.0}, "`weight` must be above 0"),
        ({"lr": -1.0}, "`lr` must be positive and finite; got -1.0"),
        ({"lr": float("nan")}, "`lr` must be positive and finite; got nan"),
        ({"margin": float("inf")}, "`margin` must be finite; got inf"),
        ({"warmup": -1}, "`warmup` must be at least 0; got -1"),
        ({"chunk": 0}, "`chunk` must be at least 1; got 0"),
        ({"precision": "fp8"}, "`precision` must be one of float32, bf16; got 'fp8'"),
        ({"activation": "relu"}, "`activation` must be one of quickgelu, gelu; got 'relu'"),
        ({"freeze": "both"}, "`freeze` must be one of none, image, text; got 'both'"),
        ({"patch": 7}, "`patch` must divide 48"),
        ({"width": 33}, "`width` be a multiple of 32; got 16 and 33"),
        ({"model": None, "captions": None, "images": None, "batch": 97}, "`batch` must be at most `scenes` = 96"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(given, refuses, change, said):
    with refuses(said):
        replace(given, **change)


def test_a_model_that_cannot_be_read_is_refused_before_anything_is_written(given, tmp_path, refuses):
    output = Output(tmp_path, quiet=True)
    for name, said in (
        ("nowhere", "must be an existing file or folder"),
        ("no one/has it", "must be an existing file"),
    ):
        with refuses("`model`", said, name, error=BadFile):
            prepare("finetune", finetune, "tiny", replace(given, model=name), output)
    (tmp_path / "empty").mkdir()
    with refuses("`model` must hold config.json", error=BadFile):
        prepare("finetune", finetune, "tiny", replace(given, model=str(tmp_path / "empty")), output)
    with refuses("`heads` must be two positive numbers", "(0, 2)"):
        replace(given, heads=(0, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_bare_file_takes_heads_and_its_activation_is_told_in_one_line_on_stderr(written, given, capfd, refuses):
    folder = written[1]
    start = load_clip(folder / "start")
    assert start.model.config.vision_config.num_attention_heads == 1
    save_clip(start, folder / "bare", "open_clip")
    bare = replace(
        given, model=str(folder / "bare" / "open_clip_model.safetensors"), tokenizer=str(folder / "start"), heads=(1, 1)
    )
    with refuses("a width of 32", "`--heads IMAGE TEXT`", error=BadFile):
        finetune.total_steps(replace(bare, heads=None))
    assert finetune.total_steps(bare) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("scmlab: ")
    assert "--activation quickgelu" in line
    assert "UserWarning" not in line
    loaded = given_clip(replace(bare, activation="gelu"), "cpu")
    assert clip_hash(loaded) == clip_hash(start)
    assert [part.num_attention_heads for part in (
        given_clip(replace(bare, heads=(2, 4)), "cpu").model.config.vision_config,
        given_clip(replace(bare, heads=(2, 4)), "cpu").model.config.text_config,
    )] == [2, 4]  # fmt: skip
    assert capfd.readouterr().err == ""


def test_what_cannot_be_trained_on_is_refused_before_a_run(given, refuses):
    with refuses("`batch` must be at most the training pairs, 96; got 97", error=BadFile):
        finetune.total_steps(replace(given, batch=97))
    with refuses("`model` must be an existing file or folder", "nowhere", error=BadFile):
        finetune.run(replace(given, model="nowhere"))


def test_retrieval_counts_equal_captions_as_true_and_ties_against_the_model():
    images, texts = torch.eye(3), torch.eye(3)[[0, 0, 1, 2]]
    found = {(e["measure"], e["of"]): e["value"] for e in retrieval(
        images, texts, torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 2])
    )}  # fmt: skip
    assert found["R@1", "image to text"] == 1
    assert found["R@1", "text to image"] == 1
    found = {(e["measure"], e["of"]): e["value"] for e in retrieval(
        torch.ones(3, 1), torch.ones(3, 1), torch.arange(3), torch.arange(3)
    )}  # fmt: skip
    assert found["R@1", "image to text"] == 0
    assert found["R@5", "text to image"] == 1


def test_false_captions_are_of_their_operator_and_not_true_of_the_image():
    captions = ["a red circle left of a blue square", "a blue circle left of a red square", "a green circle"]
    made = false_captions(captions, torch.tensor([0, 0, 1]), seed=0)
    assert set(made) == {"swap", "replace", "add"}
    assert all(text not in captions[:2] for of_operator in made.values() for row, text in of_operator if row < 2)
    assert made["swap"]
    for row, text in made["swap"]:
        assert sorted(text.split()) == sorted(captions[row].split())


ROWS = [
    ("R@1", "image to text", 0.50, 0.50),
    ("R@1", "text to image", 0.50, 0.45),
    ("hard negatives", "swap", 0.50, 0.70),
    ("hard negatives", "add", 1.00, 1.00),
    ("excess", "attention", 0.2, -0.1),
]


def made_up(changes=(), difference=1e-6):
    """The checks of rows that hold, but for the changes: (measure, of) -> value after."""
    rows = []
    for measure, name, before, after in ROWS:
        after = dict(changes).get((measure, name), after)
        for control, value in (("start", before), (None, after)):
            where = {"setting": "tuned", "control": control, "measure": measure, "of": name}
            rows.append(where | {"value": value, "se": 0.03})
    config = replace(TINY, attribution="attention")
    return {check["name"]: check["held"] for check in checks(config, rows, [{"difference": difference}])}


def test_all_checks_hold_where_they_should():
    assert all(made_up().values())


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        (("R@1", "image to text"), 0.40, "R@1, image to text"),
        (("R@1", "text to image"), None, "R@1, text to image"),
        (("hard negatives", "swap"), 0.55, "hard negatives, swap"),
        (("hard negatives", "add"), 0.90, "hard negatives, add"),
        (("excess", "attention"), 0.3, "hinge, attention"),
        (("excess", "attention"), None, "hinge, attention"),
    ],
)
def test_each_check_fails_on_a_record_that_breaks_it(key, value, name):
    assert [failed for failed, held in made_up({key: value}).items() if not held] == [name]


@pytest.mark.parametrize("difference", [1e-3, None])
def test_models_that_are_read_back_otherwise_fail_their_check(difference):
    assert [name for name, held in made_up(difference=difference).items() if not held] == ["written models"]


def test_the_page_shows_what_was_read_and_written(written):
    record = written[0] | {"id": "ab12cd34"}
    report = report_of(record)
    page = render_page(record, {name: b"" for name in report.figures})
    for part in ("interpolated 0.5", "small CLIP trained on scenes", "models/tuned_open_clip", "R@10: text to image"):
        assert part in page
    assert "1 training run<" in page
    for silent in ("lr –", "chunk –", "<dt>seeds</dt>"):
        assert silent not in page
    assert page.count("longer than the context, cut off") == 3  # captions, false captions, held-out captions
    assert len(terminal_table(record)) == 2


def test_error_bars_end_at_0_and_100_percent_and_steps_are_whole(written):
    record = written[0] | {"id": "ab12cd34"}
    rows = [row | {"value": value, "se": 0.2} for row, value in zip(record["rows"], (0.1, 0.5, 0.9), strict=False)]
    (axes,) = accuracies(record | {"rows": rows}).axes
    ends = {tuple(float(x) for x in segment[:, 0]) for bars in axes.collections for segment in bars.get_segments()}
    assert {tuple(round(x, 6) for x in pair) for pair in ends} == {(0.0, 50.0), (10.0, 90.0), (50.0, 100.0)}
    for axes in curves(record).axes:
        assert all(tick == int(tick) for tick in axes.get_xticks())
