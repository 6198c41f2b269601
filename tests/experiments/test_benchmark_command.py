"""The command `benchmark`: every mistake of a user is one sentence and status 2."""

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from scmlab.benchmarks.known import BENCHMARKS
from scmlab.experiments.__main__ import main
from scmlab.models.clip import ClipSpec, build_clip, save_clip, train_tokenizer
from scmlab.scm.streams import stream

FAST = ["--preset", "tiny", "--device", "cpu", "--attributed", "0", "--negatives", "0"]
OPTION = ["--option", "categories=swap_att"]


def codes(given: list) -> np.ndarray:
    return np.stack([np.arange(1.0, 5.0) + len(str(one)) for one in given])


def model(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{"encode_image": codes, "encode_text": codes} | changes)


def fails(_: list) -> np.ndarray:
    raise KeyError("no such weight")


BROKEN = {
    "nan": (lambda given: codes(given) * np.nan, "`encode_text` must give codes that are finite and not zero"),
    "zero": (lambda given: codes(given) * 0, "`encode_text` must give codes that are finite and not zero"),
    "flat": (lambda given: codes(given)[:, 0], "must give one vector of numbers for each of 6; got float"),
    "fewer": (lambda given: codes(given)[1:], "`encode_text` must give one vector of numbers for each of 6"),
    "whole": (lambda given: codes(given).astype(int), "must give one vector of numbers for each of 6; got int"),
    "ragged": (lambda given: [[1.0], *([1.0, 2.0] for _ in given[1:])], "`encode_text` must give one vector"),
    "nothing": (lambda given: None, "`encode_text` must give one vector of numbers"),
    "wider": (lambda given: np.ones((len(given), 7)), "`model` must give images and captions codes of one width"),
    "fails": (fails, "`model` must run without errors; made:fails raises KeyError in test_benchmark_command.py, line"),
}  # fmt: skip


@pytest.fixture
def made(monkeypatch):
    """Python's own models: "made:good" and one of each mistake."""
    module = ModuleType("made")
    module.good, module.calls = model, []
    for name, (encode, _) in BROKEN.items():
        setattr(module, name, lambda encode=encode: model(encode_text=encode))
    module.half = lambda: SimpleNamespace(encode_image=codes)
    module.needs = lambda weights: model()
    module.number = 3
    module.odd = lambda: model(identity=3)
    monkeypatch.setitem(sys.modules, "made", module)
    return module


@pytest.fixture
def files(tmp_path):
    """A category of SugarCrepe with its images, and a file of STS."""
    folder = tmp_path / "sc"
    (folder / "val2017").mkdir(parents=True)
    rows = {}
    for number in range(3):
        name = f"{number:012}.jpg"
        Image.new("RGB", (9, 8), (50 * number, 90, 20)).save(folder / "val2017" / name)
        rows[str(number)] = {"filename": name, "caption": f"a dog and {number} cats",
                             "negative_caption": f"{number} cats and a dog, again"}  # fmt: skip
    (folder / "swap_att.json").write_text(json.dumps(rows))
    (tmp_path / "sts-test.csv").write_text("main\tMSRpar\t2012test\t1\t3.0\ta dog\ta cat\n")
    return folder


@pytest.fixture
def refused(capsys, tmp_path):
    """refused(words, *said): the command ends with status 2 and one sentence on stderr that says all this."""

    def check(words, *said, status=2, sentences=1):
        with pytest.raises(SystemExit) as stopped:
            main(["benchmark", *map(str, words), "--out", str(tmp_path / "out"), "--quiet"])
        assert stopped.value.code == status
        shown = capsys.readouterr().err
        assert "Traceback" not in shown
        assert shown.startswith("scmlab: ")
        assert len(shown.splitlines()) == 1
        assert len(re.findall(r"\.\s+[A-Z]", shown)) < sentences
        for part in said:
            assert str(part) in shown
        # what a failed run leaves is its own folder
        runs = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert {path.name for path in runs} <= {"config.json"}

    return check


def given(files: Path, *more: str, name: str = "made:good") -> list[str]:
    return [*FAST, "--benchmark", "sugarcrepe", "--annotations", str(files), "--images", str(files / "val2017"),
            *OPTION, "--model", name, *more]  # fmt: skip


def test_a_run_writes_record_items_and_page(files, made, tmp_path, capsys):
    words = ["benchmark", *given(files), "--out", str(tmp_path / "out")]
    main(words)
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "sugarcrepe: 3 items, 6 different captions." in shown.out
    assert "swap_att holds 3 items where the official release has 666" in shown.out
    (record,) = (tmp_path / "out" / "benchmark").glob("*/record.json")
    assert {path.name for path in record.parent.iterdir()} >= {"config.json", "items.parquet", "report.html", "jobs"}
    assert json.loads(record.read_text())["rows"]
    main(words)
    assert "shown again, not repeated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--benchmark", "sugarcrape"], "`benchmark` must be one of sugarcrepe, sugarcrepe_unrefined"),
        (["--benchmark", "stsb", "--benchmark", "stsb"], "`benchmark` must name each once; got stsb twice"),
        (["--benchmark", "stsb"], "`annotations` must be given for stsb: the folder that holds sts-test.csv"),
        (
            ["--benchmark", "stsb", "--annotations", "/none"],
            "of stsb must be a folder or file; got /none, where",
        ),
        (["--annotations", "."], "`annotations` must be left out without a benchmark; got ."),
        (["--images", "."], "`images` must be left out without a benchmark; got ."),
        (["--option", "split=dev"], "`option` must be NAME=VALUE of a loader asked for (none)"),
        (
            ["--aggregate", "sugarcrepe_cae/1"],
            "benchmarks asked for (none, scenes are drawn instead)",
        ),
        (["--aggregate", "mean"], "`aggregate` must be one of accuracy/1, order/1"),
        (["--activation", "relu"], "`activation` must be one of quickgelu, gelu; got 'relu'"),
        (["--activation", "gelu"], "one for all CLIPs that are given or one for each of them, 0 in all; got 1"),
        (["--heads", "0", "2"], "`heads` must be two positive numbers; got (0, 2)"),
        (["--heads", "2", "2"], "`tokenizer` and `heads` must be for files of a CLIP's weights"),
        (["--ties", "last"], "`ties` must be one of official, strict, first, half; got 'last'"),
        (["--on-error", "ignore"], "`on_error` must be one of stop, skip; got 'ignore'"),
        (["--train-list", "/none"], "`train_list` must be a file with one name per line; got /none"),
        (["--resamples", "1"], "`resamples` must be at least 2; got 1"),
        (["--batch", "0"], "`batch` must be at least 1; got 0"),
        (["--cache", __file__], f"`cache` must be a folder; got the file {__file__}"),
        (["--shortcut", "nan"], "`shortcut` must be in [0, 1]; got nan"),
        (["--model", "=x"], "`model` must have a label before '='; got '=x'"),
        (["--model", "a="], "`model` must be a folder, a file, a hub name or MODULE:FUNCTION; got 'a='"),
        (["--model", "nonsense"], "`model` must be an existing file or folder, or a name of the hub as owner/model"),
        (["--model", "no_such.module:function"], "got no_such.module:function, and no no_such.module"),
        (["--model", "json:no_such"], "must name a function of the module; got json:no_such, and json has none"),
        (["--preset", "huge"], "`preset` must be one of quick, full, tiny; got 'huge'"),
    ],
)
def test_a_mistake_in_the_options_is_one_sentence(refused, words, said):
    refused(words, said)


def test_a_name_of_the_hub_without_network_says_what_to_fetch(refused, monkeypatch):
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    refused(["--model", "openai/clip-vit-base-patch32"], "`model` must be a folder, a file or a name of the hub",
            "cannot be reached", "https://huggingface.co/openai/clip-vit-base-patch32")  # fmt: skip


def test_folders_and_names_that_do_not_fit_are_said(refused, files, made, tmp_path):
    refused(given(files, "--option", "no=1"), "(sugarcrepe.categories); got 'no=1'")
    refused(given(files, "--option", "sugarcrepe.categories=add_obj"), "`option` must give categories", "once")
    refused([*given(files)[:-4], "--option", "categories=swap_at"], "`categories` must be different ones of", "swap_at")
    refused([*given(files)[:-4], "--option", "categories="], "`categories` must be different ones of", "got none")
    refused(
        [*given(files)[:-4]], "must be a folder with add_obj.json, add_att.json ... swap_att.json", "has no add_obj"
    )
    refused(given(files, "--images", f"vg={files}"), "`images` must be coco_val2017=FOLDER; got vg=")
    refused(given(files, "--images", str(files)), "`images` must name each root once; got coco_val2017 twice")
    refused(given(files, "--aggregate", "valse_cae/1"), "must fit one of the benchmarks asked for (sugarcrepe)")
    refused(given(files, "--aggregate", "sugarcrepe_cae/1"), "must fit one of the benchmarks asked for (sugarcrepe)")
    refused(given(files, "--activation", "gelu"), "0 in all; got 1")
    stsb = ["--benchmark", "stsb", "--annotations", f"stsb={tmp_path}"]
    words = [*stsb, "--benchmark", "sugarcrepe", "--images", str(files / "val2017"), *OPTION]
    refused([*words, "--annotations", str(files)], "must be stsb=FOLDER, sugarcrepe=FOLDER; got")
    refused([*stsb, "--option", "split=tests"], "`split` must be one of train, dev, test; got 'tests'")
    nothing = tmp_path / "none.txt"
    nothing.write_text("\n \n")
    refused(given(files, "--train-list", str(nothing)), "`train_list` must hold names of images", "got none")
    other = [word if word != str(files / "val2017") else str(tmp_path / "no") for word in given(files)]
    refused(other, "`images` of coco_val2017 must be a folder", "where there is nothing")
    other = [word if word != str(files / "val2017") else str(files) for word in given(files)]
    refused(other, "0 of 3 images", "give that folder", "0 of 3 items", "Give the right folder.", sentences=9)


def test_of_several_image_roots_each_needs_its_name(refused, files, made, tmp_path):
    listed = [{"image": "val2014/one.jpg", "caption": ["a dog"]}]
    (tmp_path / "coco_karpathy_test.json").write_text(json.dumps(listed))
    words = [*FAST, "--model", "made:good", *OPTION]
    for name, folder in (("sugarcrepe", files), ("coco_retrieval", tmp_path)):
        words += ["--benchmark", name, "--annotations", f"{name}={folder}"]
    refused([*words, "--images", files / "val2017"], "`images` must be coco=FOLDER, coco_val2017=FOLDER; got")
    refused([*words, "--images", f"coco_val2017={files / 'val2017'}"], "no folder given for 1 images: give coco=FOLDER",
            sentences=9)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({}, "must be an object of rows by key; got no object with entries"),
        ([{"id": 0}], "must be an object of rows by key; got a list, as SugarCrepe++ has"),
        ({"0": {"filename": "a.jpg", "caption": "a dog"}}, "must have the key negative_caption; got filename, caption"),
        ({"0": {"filename": "../a.jpg", "caption": "a", "negative_caption": "b"}}, "must be a path below its root"),
        ({"0": {"filename": "/etc/a.jpg", "caption": "a", "negative_caption": "b"}}, "must be a path below its root"),
        ({"0": {"filename": "a.jpg", "caption": "a", "negative_caption": 7}}, "must be text; got 7"),
    ],
)
def test_annotations_of_another_kind_are_said_with_their_place(refused, files, made, rows, said):
    (files / "swap_att.json").write_text(json.dumps(rows))
    refused(given(files), files / "swap_att.json", said)


def test_annotations_that_are_no_json_are_said_with_their_line(refused, files, made):
    (files / "swap_att.json").write_text('{"0":\n')
    refused(given(files), files / "swap_att.json", "must be complete JSON; line 2")


@pytest.mark.parametrize("name", BROKEN)
def test_codes_that_cannot_be_are_the_models_mistake(refused, files, made, name):
    refused(given(files, name=f"made:{name}"), BROKEN[name][1])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("half", "`model` must give an object with encode_image and encode_text; made:half gives no encode_text"),
        ("needs", "`model` must run without errors; made:needs raises TypeError"),
        ("number", "`model` must name a function of the module; got made:number"),
        ("odd", "`identity` and `activation` of the model must be strings"),
    ],
)
def test_a_function_that_gives_no_model_is_said(refused, files, made, name, said):
    refused(given(files, name=f"made:{name}"), said)


def test_a_module_that_fails_when_it_is_imported_is_said_with_its_line(refused, files, tmp_path, monkeypatch):
    (tmp_path / "badly_made.py").write_text("x = 1\nraise RuntimeError('no such file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    refused(given(files, name="badly_made:f"), "RuntimeError in badly_made.py, line 2: no such file")


def test_the_last_models_mistake_stops_before_the_first_is_scored(refused, files, made, tmp_path):
    scored = []
    made.first = lambda: scored.append(1)
    refused(given(files, "--model", "nonsense", name="made:first"), "`model` must be an existing file or folder")
    refused(given(files, "--model", str(tmp_path), name="made:first"), "must hold config.json or open_clip_config.json")
    assert scored == []
    # a model that fails after another was scored leaves no table of that one's items
    refused(given(files, "--model", "made:fails"), "made:fails raises KeyError")


def test_a_bare_file_beside_a_folder_takes_heads_and_says_its_activation_once(files, made, tmp_path, capsys):
    tokenizer = train_tokenizer(["a dog and 2 cats"], vocabulary=600, context=20)
    clip = build_clip(ClipSpec(16, 8, 32, 1, 2, 32, 1, 4, 20, 16), tokenizer, generator=stream(0, "init"))
    folder = save_clip(clip, tmp_path / "folder", "huggingface")
    save_clip(clip, tmp_path / "open", "open_clip")
    file = tmp_path / "open" / "open_clip_model.safetensors"
    words = ["--model", str(folder), "--model", str(file), "--heads", "2", "4", "--tokenizer", str(folder)]
    main(["benchmark", *given(files, *words), "--out", str(tmp_path / "out"), "--quiet"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scmlab: ")
    assert "--activation quickgelu" in line
    (path,) = (tmp_path / "out" / "benchmark").glob("*/record.json")
    record = json.loads(path.read_text())
    assert [one["activation"] for one in record["models"]] == ["", "quickgelu", "quickgelu"]
    assert record["models"][1]["identity"] == record["models"][2]["identity"]


def test_a_failed_run_goes_on_once_the_mistake_is_mended(files, made, tmp_path, refused):
    made.later = made.fails
    refused(given(files, name="made:later"), "raises KeyError")
    made.later = made.good
    main(["benchmark", *given(files, name="made:later"), "--out", str(tmp_path / "out"), "--quiet"])
    (record,) = (tmp_path / "out" / "benchmark").glob("*/record.json")
    assert json.loads(record.read_text())["resumed"]


def test_the_list_names_every_benchmark_with_licence_origin_and_options(capsys, refused):
    main(["benchmark", "--list"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in BENCHMARKS)
    main(["benchmark", "--list", "winoground", "sugarcrepe"])
    shown = capsys.readouterr().out
    for part in (
        "research only",
        "facebook/winoground",
        "fine_tags=none",
        "images winoground=FOLDER",
        "images coco_val2017",
    ):
        assert part in shown
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", "--list", "nonsense"])
    assert stopped.value.code == 2
    assert "`list` must be followed by some of sugarcrepe" in capsys.readouterr().err
