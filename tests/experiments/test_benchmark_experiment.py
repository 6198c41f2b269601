"""The experiment `benchmark`: its numbers against direct computation, resume, several benchmarks and models."""

import json
import os
import sys
from collections import Counter
from dataclasses import replace
from math import comb
from pathlib import Path
from statistics import fmean, stdev
from types import ModuleType
from zlib import crc32

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from scmlab.experiments import benchmark
from scmlab.experiments.benchmark.given import asked_models
from scmlab.experiments.runner import Output, run_experiment
from scmlab.models.clip import (
    ClipSpec,
    build_clip,
    embed_images,
    embed_texts,
    load_clip,
    preprocess,
    save_clip,
    tokenize,
    train_tokenizer,
)
from scmlab.scm.store import BadFile
from scmlab.scm.streams import stream

DATA = os.environ.get("SCMLAB_DATA")
OFFICIAL = {"add_obj": 2062, "add_att": 692, "replace_obj": 1652, "replace_att": 788, "replace_rel": 1406,
            "swap_obj": 245, "swap_att": 666}  # fmt: skip
TINY = replace(benchmark.PRESETS["tiny"], device="cpu", attributed=0, negatives=0)
COLOURS, THINGS = ("red", "blue", "green", "white"), ("cube", "dog", "table")
NOT_OF_THE_RUN = ("date", "wall_seconds", "resumed")


def caption(number: int) -> str:
    ours, theirs = COLOURS[number % 4], COLOURS[(number + 1) % 4]
    return f"a {ours} {THINGS[number % 3]} on a {theirs} {THINGS[(number + 1) % 3]}"


def draw(path: Path, number: int, side: int = 20) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (side, side + 3, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def sugarcrepe(folder: Path, items: int = 8) -> list[str]:
    """Three categories, three images for every four items; one negative equals its caption. Returns command words."""
    for place, category in enumerate(("add_obj", "add_att", "swap_att")):
        rows = {}
        for row in range(items):
            words = caption(place * items + row)
            wrong = {"add_obj": f"{words} and a cat", "add_att": words.replace("a ", "a big ", 1),
                     "swap_att": " ".join(reversed(words.split()))}[category]  # fmt: skip
            rows[str(row)] = {"filename": f"{row * 3 // 4:012}.jpg", "caption": words, "negative_caption": wrong}
        rows["0"]["negative_caption"] = rows["0"]["caption"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{category}.json").write_text(json.dumps(rows))
    for number in range(items * 3 // 4):
        draw(folder / "val2017" / f"{number:012}.jpg", number)
    return ["add_obj", "add_att", "swap_att"]


@pytest.fixture
def files(tmp_path):
    """SugarCrepe's folder with images."""
    sugarcrepe(tmp_path / "sc")
    return tmp_path / "sc"


def of_sugarcrepe(files: Path, **changes):
    given = {"benchmark": ("sugarcrepe",), "annotations": (str(files),), "images": (str(files / "val2017"),),
             "option": ("categories=add_obj,add_att,swap_att",)}  # fmt: skip
    return replace(TINY, **given | changes)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A folder with a CLIP of random weights."""
    tokenizer = train_tokenizer([caption(number) for number in range(12)], vocabulary=600, context=20)
    made = build_clip(ClipSpec(16, 8, 32, 1, 2, 32, 1, 2, 20, 16), tokenizer, generator=stream(0, "init"))
    with torch.no_grad():
        for number, parameter in enumerate(made.model.parameters()):
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=stream(0, "noise", number)))
    return save_clip(made, tmp_path_factory.mktemp("clip") / "clipA", "huggingface")


class Hashed:
    """A model whose codes are drawn by the content of what it gets, and which counts that."""

    activation = "none"

    def __init__(self, seed: int, stop_after: int | None = None) -> None:
        self.seed, self.stop_after, self.identity = seed, stop_after, f"hashed {seed}"
        self.seen: list[object] = []
        self.calls = 0

    def encode_image(self, images: list) -> np.ndarray:
        return self._codes([image.tobytes() for image in images])

    def encode_text(self, captions: list[str]) -> np.ndarray:
        return self._codes([text.encode() for text in captions])

    def _codes(self, contents: list[bytes]) -> np.ndarray:
        self.calls += 1
        if self.stop_after is not None and self.calls > self.stop_after:
            raise KeyboardInterrupt
        self.seen += contents
        return np.stack([np.random.default_rng([crc32(one), self.seed]).normal(size=6) for one in contents])


@pytest.fixture
def models(monkeypatch):
    """Python's own models "hashed:one", "hashed:two"; the objects that they gave last are in the module."""
    module = ModuleType("hashed")
    module.made, module.stop_after = {}, None

    def give(name: str, seed: int):
        module.made[name] = Hashed(seed, module.stop_after)
        return module.made[name]

    module.one, module.two, module.three = (lambda n=n, s=s: give(n, s) for s, n in enumerate(("one", "two", "three")))
    monkeypatch.setitem(sys.modules, "hashed", module)
    return module


def items_of(folder: Path, **chosen: object) -> list[dict]:
    """Rows of items.parquet that are a model's own and have these values."""
    rows = pq.read_table(folder / "items.parquet").to_pylist()
    return [row for row in rows if row["baseline"] is None and all(row[key] == value for key, value in chosen.items())]


def numbers(record: dict, control: str | None = None, **chosen: object) -> dict[str, float]:
    found = [row for row in record["rows"] if row["control"] == control]
    return {row["number"]: row["value"] for row in found if all(row[key] == value for key, value in chosen.items())}


def test_every_item_is_scored_as_the_official_code_does_one_at_a_time(files, clip, tmp_path):
    record = benchmark.run(of_sugarcrepe(files, model=(str(clip),)), folder=tmp_path / "run" / "jobs")
    loaded, expected = load_clip(clip), {}
    for category in ("add_obj", "add_att", "swap_att"):
        for key, row in json.loads((files / f"{category}.json").read_text()).items():
            with Image.open(files / "val2017" / row["filename"]) as opened:
                image = embed_images(loaded, preprocess([opened.convert("RGB")], loaded.preprocessing))[0]
            right, wrong = (embed_texts(loaded, tokenize(loaded, [row[name]]))[0] for name in
                            ("caption", "negative_caption"))  # fmt: skip
            cosines = [torch.cosine_similarity(image, text, dim=0).item() for text in (right, wrong)]
            expected[f"{category}/{key}"] = cosines[0] > cosines[1]
    rows = items_of(tmp_path / "run", model="clipA")
    assert {row["key"]: bool(row["correct"]) for row in rows} == expected
    assert len(rows) == 24
    assert 0 < sum(expected.values()) < 21
    assert [row["tied"] for row in rows if row["key"].endswith("/0")] == [True] * 3
    shown = numbers(record, model="clipA", aggregate="sugarcrepe/1")
    of = {name: 100 * fmean(right for key, right in expected.items() if key.startswith(start))
          for name, start in {"add_obj": "add_obj", "add_att": "add_att", "swap_att": "swap_att", "add": "add",
                              "all": ""}.items()}  # fmt: skip
    assert shown == pytest.approx(of)
    (counts,) = record["counts"]
    assert (counts["items"], counts["scored"], counts["tied"], counts["defective"]) == (24, 24, 3, 3)
    (subset,) = (one for one in record["subsets"] if one["number"] == "all")
    assert subset["scored"] == 21
    assert subset["value"] == pytest.approx(100 * fmean(right for key, right in expected.items() if key[-2:] != "/0"))


@pytest.mark.realdata
@pytest.mark.skipif(DATA is None, reason="SCMLAB_DATA is not set")
def test_the_official_annotations_give_the_official_counts_and_blind_scores(clip, tmp_path, monkeypatch):
    # slow, and tested on their own: the cases of the captions, the fitted baselines
    monkeypatch.setattr(sys.modules["scmlab.experiments.benchmark.gather"], "_cases", lambda of: None)
    monkeypatch.setattr("scmlab.experiments.benchmark.score.names_for", lambda of, codes: ("shorter",))
    annotations = Path(DATA) / "sugarcrepe"
    names = {row["filename"] for name in OFFICIAL
             for row in json.loads((annotations / f"{name}.json").read_text()).values()}  # fmt: skip
    for number, name in enumerate(sorted(names)):
        draw(tmp_path / "images" / name, number, 8)
    config = replace(TINY, benchmark=("sugarcrepe",), annotations=(str(annotations),), model=(str(clip),),
                     images=(str(tmp_path / "images"),), resamples=2)  # fmt: skip
    said = " ".join(benchmark.announce(config))
    assert "7,511 items" in said
    assert "1,560 of 1,560 images" in said
    record = benchmark.run(config, folder=tmp_path / "run" / "jobs")
    assert Counter(row["category"] for row in items_of(tmp_path / "run", model="clipA")) == OFFICIAL
    assert record["benchmarks"][0]["differences"] == []
    assert [check["held"] for check in record["checks"] if check["name"] in ("number of items", "images")] == [True] * 2
    shorter = numbers(record, "shorter")
    assert shorter["add_obj"] == pytest.approx(98.9, abs=0.1)
    assert shorter["add_att"] == pytest.approx(99.6, abs=0.1)


def test_a_killed_run_goes_on_and_ends_with_the_record_of_one_that_was_not(files, models, tmp_path):
    config = of_sugarcrepe(files, model=("hashed:one",), batch=4, negatives=1, attributed=4)
    whole = run_experiment("benchmark", benchmark, "tiny", config, Output(tmp_path / "whole", quiet=True))
    everything = models.made["one"].seen
    assert len(set(everything)) == len(everything)
    seen = []
    out = Output(tmp_path / "killed", quiet=True)
    for models.stop_after in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            run_experiment("benchmark", benchmark, "tiny", config, out)
        seen += models.made["one"].seen
        (folder,) = (path for path in (tmp_path / "killed" / "benchmark").iterdir() if path.name != "embeddings")
        assert {path.name for path in folder.iterdir()} == {"config.json", "jobs"}
    (folder / "items.parquet.1.part").write_text("of a run that had no time to clean up")
    models.stop_after = None
    record = run_experiment("benchmark", benchmark, "tiny", config, out)
    seen += models.made["one"].seen
    assert not list(folder.glob("*.part"))
    assert sorted(seen) == sorted(everything)
    assert record["resumed"]
    for one in (record, whole):
        for name in NOT_OF_THE_RUN:
            del one[name]
    assert record == whole
    (other,) = (tmp_path / "whole" / "benchmark").glob("*/items.parquet")
    assert pq.read_table(folder / "items.parquet").equals(pq.read_table(other))


def test_a_model_without_identity_is_never_read_from_disk(files, models, tmp_path, monkeypatch):
    monkeypatch.setattr(Hashed, "identity", "", raising=False)
    monkeypatch.setattr(Hashed, "__setattr__", lambda self, key, value: key == "identity" or
                        object.__setattr__(self, key, value))  # fmt: skip
    config = of_sugarcrepe(files, model=("hashed:one",), cache=str(tmp_path / "codes"))
    for run in ("a", "b"):
        assert benchmark.run(config, folder=tmp_path / run / "jobs")["models"][0]["identity"] == ""
        assert models.made["one"].seen
    assert not (tmp_path / "codes").exists()


def several(folder: Path) -> dict:
    """Four benchmarks of four rules: the fields of a configuration."""
    sugarcrepe(folder / "sugarcrepe")
    pairs = [(row, caption(row), caption(row * 5 + 1)) for row in range(16)]
    rows = [f"main\tMSRpar\t2012test\t{row:04}\t{row / 4:.3f}\t{first}\t{second}" for row, first, second in pairs]
    (folder / "stsb").mkdir()
    (folder / "stsb" / "sts-test.csv").write_text("\n".join(rows) + "\n")
    lines, listed = [], []
    for row in range(8):
        first, second = caption(row), " ".join(reversed(caption(row).split()))
        lines.append({"id": row, "image_0": f"ex_{row}_img_0", "image_1": f"ex_{row}_img_1", "caption_0": first,
                      "caption_1": second, "tag": "Noun", "secondary_tag": "", "num_main_preds": 1,
                      "collapsed_tag": ("Object", "Relation")[row % 2]})  # fmt: skip
        for place in range(2):
            draw(folder / "winoground" / "images" / f"ex_{row}_img_{place}.png", 100 + 2 * row + place)
        name = f"val2014/COCO_val2014_{row:012}.jpg"
        draw(folder / "coco" / name, 200 + row)
        listed.append({"image": name, "caption": [caption(row), f"{caption(row)} today"]})
    (folder / "winoground" / "examples.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "coco" / "coco_karpathy_test.json").write_text(json.dumps(listed))
    folders = {"sugarcrepe": "sugarcrepe", "stsb": "stsb", "winoground": "winoground", "coco_retrieval": "coco"}
    return {
        "benchmark": tuple(folders),
        "annotations": tuple(f"{name}={folder / where}" for name, where in folders.items()),
        "images": (f"coco_val2017={folder / 'sugarcrepe' / 'val2017'}", f"coco={folder / 'coco'}",
                   f"winoground={folder / 'winoground' / 'images'}"),
        "option": ("sugarcrepe.categories=add_obj,add_att,swap_att",),
    }  # fmt: skip


@pytest.fixture(scope="module")
def both(clip, tmp_path_factory):
    """(record, folder): a CLIP and a model of Python's own on four benchmarks."""
    folder, module = tmp_path_factory.mktemp("several"), ModuleType("hashed")
    module.two = lambda: Hashed(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "hashed", module)
        config = replace(TINY, model=(str(clip), "two=hashed:two"), attributed=4, negatives=1, **several(folder))
        return benchmark.run(config, folder=folder / "run" / "jobs"), folder


WHERE = {"setting", "control"}
MODEL = WHERE | {"model", "seed"}
CONTRACT = {
    "benchmarks": {"setting", "title", "rule", "ties", "official_ties", "aggregate", "says", "licence", "origin",
                   "cited", "items", "images", "captions", "expected", "defects", "differences", "roots", "halves"},
    "models": {"model", "seed", "source", "activation", "identity", "truncated"},
    "rows": WHERE | {"model", "aggregate", "number", "headline", "scored", "value", "low", "high", "se", "seeds", "sd",
                     "reference"},
    "by_seed": MODEL | {"aggregate", "number", "value", "low", "high", "se"},
    "counts": MODEL | {"items", "scored", "missing", "unreadable", "tied", "defective", "duplicates"},
    "ties": MODEL | {"number", "strict", "first", "half"},
    "subsets": MODEL | {"subset", "scored", "number", "value"},
    "differences": MODEL | {"against", "aggregate", "number", "headline", "difference", "low", "high", "se"},
    "mcnemar": MODEL | {"against", "part", "only_first", "only_second", "both", "neither", "left_out", "p"},
    "cases": WHERE | {"source", "where", "operator", "category", "count", "of", "share", "se"},
    "case_accuracy": MODEL | {"source", "where", "operator", "category", "scored", "accuracy", "se"},
    "attribution": MODEL | {"method", "word_class", "share", "se", "captions"},
    "words": MODEL | {"word_class", "cosine", "se", "captions", "words"},
    "checks": WHERE | {"name", "expected", "measured", "held"},
}  # fmt: skip


def test_every_list_of_the_record_has_its_keys_for_every_benchmark_that_has_it(both):
    record, _ = both
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    for name, keys in CONTRACT.items():
        assert record[name], name
        for entry in record[name]:
            assert keys <= set(entry), name
    every = {"sugarcrepe", "stsb", "winoground", "coco_retrieval"}
    seeing = every - {"stsb"}
    expected = {"rows": every, "counts": every, "differences": every, "mcnemar": seeing, "words": seeing,
                "attribution": seeing, "cases": {"sugarcrepe", "winoground", *seeing}}  # fmt: skip
    for name, settings in expected.items():
        assert {entry["setting"] for entry in record[name]} == settings, name
    assert {entry["model"] for entry in record["attribution"]} == {"clipA"}
    assert {entry["model"] for entry in record["words"]} == {"clipA", "two"}
    assert {row["setting"]: row["rule"] for row in record["benchmarks"]} == {
        "sugarcrepe": "choice", "stsb": "similarity", "winoground": "group", "coco_retrieval": "retrieval",
    }  # fmt: skip
    assert record["files"] == {"items": "items.parquet"}
    chance = {row["number"]: row["value"] for row in record["rows"]
              if (row["setting"], row["control"]) == ("winoground", "chance") and row["headline"]}  # fmt: skip
    assert chance == pytest.approx({"text": 25, "image": 25, "group": 100 / 6})


def test_differences_and_mcnemars_test_are_those_of_the_items(both):
    record, folder = both
    for setting, number, part in (
        ("sugarcrepe", "all", "correct"),
        ("winoground", "text", "text"),
        ("winoground", "image", "image"),
        ("winoground", "group", "group"),
        ("coco_retrieval", "image_to_text_r1", "correct"),
    ):
        first, second = (
            {row["key"]: row[part] for row in items_of(folder / "run", benchmark=setting, model=model)}
            for model in ("clipA", "two")
        )
        (found,) = (one for one in record["differences"] if (one["setting"], one["number"]) == (setting, number))
        assert (found["model"], found["against"]) == ("two", "clipA")
        assert found["difference"] == pytest.approx(100 * (fmean(second.values()) - fmean(first.values())))
        assert found["low"] <= found["difference"] <= found["high"]
        (test,) = (one for one in record["mcnemar"] if (one["setting"], one["part"]) == (setting, part))
        pairs = Counter((bool(first[key]), bool(second[key])) for key in first)
        assert [test[name] for name in ("only_first", "only_second", "both", "neither")] == [
            pairs[True, False], pairs[False, True], pairs[True, True], pairs[False, False],
        ]  # fmt: skip
        n, least = pairs[True, False] + pairs[False, True], min(pairs[True, False], pairs[False, True])
        assert test["p"] == pytest.approx(min(1, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n))


def test_the_record_names_files_and_no_place_of_the_machine(both, clip):
    record, folder = both
    text = json.dumps(record)
    assert str(folder) not in text
    assert str(clip.parent) not in text
    assert record["config"]["model"] == ["clipA", "two=hashed:two"]
    assert record["config"]["annotations"][0] == "sugarcrepe=sugarcrepe"
    assert record["config"]["images"][0] == "coco_val2017=val2017"


def test_files_of_one_label_are_seeds_of_one_row(files, models):
    config = of_sugarcrepe(files, model=("three=hashed:three", "mine=hashed:one", "mine=hashed:two"))
    record = benchmark.run(config)
    for row in (row for row in record["rows"] if (row["control"], row["model"]) == (None, "mine")):
        each = [one["value"] for one in record["by_seed"]
                if (one["control"], one["model"], one["number"]) == (None, "mine", row["number"])]  # fmt: skip
        assert len(each) == row["seeds"] == 2
        assert row["value"] == pytest.approx(fmean(each))
        assert row["sd"] == pytest.approx(stdev(each))
        assert row["low"] is row["high"] is row["se"] is None
    assert {row["seeds"] for row in record["rows"] if row["model"] == "three"} == {1}
    beyond = {one["name"]: one for one in record["checks"] if "beyond blind" in one["name"]}
    assert beyond["mine: beyond blind"]["expected"] == "the mean over seeds above every blind baseline"
    assert "from" not in beyond["mine: beyond blind"]["measured"]
    assert beyond["three: beyond blind"]["expected"] == "the 95 % interval above every blind baseline"
    assert [(one["model"], one["seed"]) for one in record["models"]] == [("three", 0), ("mine", 0), ("mine", 1)]
    assert {(one["model"], one["seed"], one["against"]) for one in record["differences"]} == {
        ("mine", 0, "three"),
        ("mine", 1, "three"),
    }


def test_models_get_labels_that_tell_them_apart(tmp_path):
    paths = [str(tmp_path / part / "clip") for part in ("p", "q")]
    for path in paths:
        Path(path).mkdir(parents=True)
    labels = lambda *given, **activation: [one.label for one in asked_models(given, activation.get("activation", ()))]  # noqa: E731
    assert labels(paths[0]) == ["clip"]
    assert labels(*paths) == ["p/clip", "q/clip"]
    assert labels(paths[0], paths[0], activation=("gelu", "quickgelu")) == ["clip (gelu)", "clip (quickgelu)"]
    assert labels(paths[0], paths[0]) == ["clip", "clip #2"]
    assert labels(f"clip={paths[0]}", paths[1]) == ["clip", "q/clip"]
    assert labels(f"mine={paths[0]}", paths[1]) == ["mine", "clip"]
    given = asked_models((paths[0], "some.module:function", paths[1]), ("gelu",))
    assert [one.activation for one in given] == ["gelu", None, "gelu"]
    given = asked_models((paths[0], "some.module:function", paths[1]), ("gelu", "quickgelu"))
    assert [one.activation for one in given] == ["gelu", None, "quickgelu"]
    given = asked_models(("a=x", "b=y", "a=z"), ())
    assert [(one.label, one.seed, one.source) for one in given] == [("a", 0, "x"), ("b", 0, "y"), ("a", 1, "z")]


def test_one_file_under_both_activations_is_two_models(files, clip, tmp_path):
    config = of_sugarcrepe(files, model=(str(clip), str(clip)), activation=("quickgelu", "gelu"))
    record = benchmark.run(config, folder=tmp_path / "run" / "jobs")
    first, second = record["models"]
    assert (first["activation"], second["activation"]) == ("quickgelu", "gelu")
    assert first["identity"] != second["identity"]
    assert (first["model"], second["model"]) == ("clipA (quickgelu)", "clipA (gelu)")
    one, two = ([row["scores"] for row in items_of(tmp_path / "run", model=of["model"])] for of in (first, second))
    assert one != two


def test_another_text_of_a_models_module_is_another_run(files, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    digests = []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        (tmp_path / "written_here.py").write_text(text)
        digests.append(of_sugarcrepe(files, model=("written_here:f",)).model_sha256)
    assert digests[0] == digests[2] != digests[1]


def test_ties_count_as_asked(files, models):
    values = {}
    for ties in ("official", "strict", "first", "half"):
        record = benchmark.run(of_sugarcrepe(files, model=("hashed:one",), ties=ties))
        values[ties] = numbers(record, model="hashed:one")["all"]
        assert record["benchmarks"][0]["ties"] == ("strict" if ties == "official" else ties)
        assert record["benchmarks"][0]["official_ties"] == "strict"
    assert values["official"] == values["strict"]
    assert values["first"] - values["strict"] == pytest.approx(100 * 3 / 24)  # the three whose captions are equal
    assert values["half"] - values["strict"] == pytest.approx(50 * 3 / 24)


def test_options_and_further_aggregates(files, models, refuses):
    rows = {"0": {"filename": f"{0:012}.jpg", "caption": "a dog", "negative_caption": "a cat"}}
    for category in set(OFFICIAL) - {"add_obj", "add_att", "swap_att"}:
        (files / f"{category}.json").write_text(json.dumps(rows))
    config = of_sugarcrepe(files, model=("hashed:one",), option=("categories=swap_obj,swap_att",))
    assert {row["number"] for row in benchmark.run(config)["rows"]} == {"swap_obj", "swap_att", "swap", "all"}
    record = benchmark.run(replace(config, option=(), aggregate=("sugarcrepe_cae/1", "accuracy/1")))
    one = numbers(record, model="hashed:one", aggregate="sugarcrepe/1")
    cae = numbers(record, model="hashed:one", aggregate="sugarcrepe_cae/1")
    assert cae["relation"] == pytest.approx(one["replace_rel"])
    assert cae["attribute"] == pytest.approx(fmean(one[name] for name in ("add_att", "replace_att", "swap_att")))
    assert cae["object"] == pytest.approx(fmean(one[name] for name in ("add_obj", "replace_obj", "swap_obj")))
    assert numbers(record, model="hashed:one", aggregate="accuracy/1")["accuracy"] == pytest.approx(one["all"])
    assert {entry["source"] for entry in record["cases"]} == {"benchmark"}  # no negatives of Algorithm 1
    assert not record.get("words")
    assert not record.get("attribution")


def test_images_of_training_are_counted_and_left_out_of_a_subset(files, models, tmp_path):
    (tmp_path / "list.txt").write_text("train2017/000000000001.jpg\n000000000099.jpg\n")
    config = of_sugarcrepe(files, model=("hashed:one",), train_list=str(tmp_path / "list.txt"))
    record = benchmark.run(config, folder=tmp_path / "run" / "jobs")
    (found,) = record["overlap"]
    assert (found["images"], found["found"], found["listed"]) == (6, 1, 2)
    assert found["names"] == ["coco_val2017/000000000001.jpg"]
    keys = {"0": 0, "1": 0, "2": 1, "3": 2, "4": 3, "5": 3, "6": 4, "7": 5}
    left = [row["correct"] for row in items_of(tmp_path / "run") if keys[row["key"].split("/")[1]] != 1]
    subset = next(one for one in record["subsets"] if one["number"] == "all" and "training" in one["subset"])
    assert found["items"] == 24 - len(left)
    assert subset["scored"] == len(left)
    assert subset["value"] == pytest.approx(100 * fmean(left))


def test_a_second_run_with_other_options_embeds_nothing(files, models, tmp_path):
    config = of_sugarcrepe(files, model=("hashed:one",), cache=str(tmp_path / "codes"))
    first = benchmark.run(config, folder=tmp_path / "a" / "jobs")
    assert models.made["one"].calls
    second = benchmark.run(replace(config, ties="half", resamples=5), folder=tmp_path / "b" / "jobs")
    assert models.made["one"].calls == 0
    third = benchmark.run(config, folder=tmp_path / "c" / "jobs")
    assert first == third != second


def cut_off(path: Path) -> None:
    """Its header stays whole, half of its pixels go."""
    draw(path, 7, 200)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def test_missing_images_stop_before_any_model_is_opened(files, models, refuses):
    (files / "val2017" / "000000000001.jpg").unlink()
    config = of_sugarcrepe(files, model=("hashed:one",))
    with pytest.raises(BadFile) as stopped:
        benchmark.total_steps(config)
    for part in ("5 of 6 images", "1 missing (such as 000000000001.jpg)", "21 of 24 items", "--on-error skip"):
        assert part in str(stopped.value)
    (files / "elsewhere").mkdir()
    for path in (files / "val2017").iterdir():
        path.rename(files / "elsewhere" / path.name)
    with pytest.raises(BadFile, match="0 of 6 images"):
        benchmark.total_steps(of_sugarcrepe(files, model=("hashed:one",)))
    assert models.made == {}


@pytest.mark.parametrize(("place", "named"), [("val2017/more", "val2017/more"), (".", "the folder above")])
def test_skipped_items_are_counted_and_stay_in_the_table(files, models, tmp_path, place, named):
    (files / place).mkdir(exist_ok=True)
    (files / "val2017" / "000000000001.jpg").rename(files / place / "000000000001.jpg")
    cut_off(files / "val2017" / "000000000002.jpg")
    (files / "val2017" / "000000000003.jpg").write_text("no image")
    config = of_sugarcrepe(files, model=("hashed:one",), on_error="skip")
    record = benchmark.run(config, folder=tmp_path / "run" / "jobs")
    rows = items_of(tmp_path / "run")
    assert len(rows) == 24
    gone = {row["key"] for row in rows if row["missing"]}
    assert gone == {f"{name}/{key}" for name in ("add_obj", "add_att", "swap_att") for key in (2, 3, 4, 5)}
    assert all((row["correct"] is None) == (row["key"] in gone) for row in rows)
    (counts,) = record["counts"]
    assert [counts[name] for name in ("items", "scored", "missing", "unreadable")] == [24, 12, 12, 2]
    (root,) = record["benchmarks"][0]["roots"]
    assert [root[name] for name in ("wanted", "found", "missing", "unreadable")] == [6, 4, 1, 1]
    assert root["hint"] == f"they are in {named}, give that folder"
    assert {row["scored"] for row in record["rows"]} == {12}  # baselines too, on the same items
    assert not next(check for check in record["checks"] if check["name"] == "images")["held"]
    kept = [row["correct"] for row in rows if not row["missing"]]
    assert numbers(record, model="hashed:one")["all"] == pytest.approx(100 * fmean(kept))
    assert str(tmp_path) not in json.dumps(record)


def test_an_image_that_only_decoding_finds_broken_stops_the_run(files, models, tmp_path, refuses):
    cut_off(files / "val2017" / "000000000002.jpg")
    with refuses("1 of sugarcrepe", "000000000002.jpg", "--on-error skip", error=BadFile):
        benchmark.run(of_sugarcrepe(files, model=("hashed:one",)), folder=tmp_path / "run" / "jobs")
    assert not list((tmp_path / "run").glob("items.parquet*"))


def test_where_no_image_can_be_used_there_is_no_score(files, models, refuses):
    for path in (files / "val2017").iterdir():
        cut_off(path)
    with refuses("at least one readable image", error=BadFile):
        benchmark.run(of_sugarcrepe(files, model=("hashed:one",), on_error="skip"))
