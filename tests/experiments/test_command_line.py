import ast
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import scmlab.experiments.identifiability  # its module `run` is taken from sys.modules below
from scmlab.experiments import __main__ as command_line
from scmlab.experiments import runner
from scmlab.experiments.__main__ import EXPERIMENTS, main
from scmlab.experiments.device import resolve
from scmlab.training import TrainingDiverged

run_module = sys.modules["scmlab.experiments.identifiability.run"]  # the package has a function of that name
FAST = ["identifiability", "--preset", "tiny", "--steps", "2", "--workers", "1"]


def refused(capsys, arguments, status=2):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == status
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    return shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["identifiabilit"], f"`experiment` must be one of {', '.join(EXPERIMENTS)}; got 'identifiabilit'."),
        ([*FAST[:1], "--preset", "quik"], "`preset` must be one of quick, full, tiny; got 'quik'."),
        ([*FAST[:1], "--preset=quik"], "`preset` must be one of quick, full, tiny; got 'quik'."),
        ([*FAST, "--device", "tpu"], "`device` must be auto, cpu, cuda or cuda:N; got 'tpu'."),
        ([*FAST, "--device", "cpu:1"], "`device` must be auto, cpu, cuda or cuda:N; got 'cpu:1'."),
        ([*FAST, "--device", "cuda:99"], "`device` must exist here; got 'cuda:99'"),
        ([*FAST, "--dim", "0"], "`dim` must be at least 1; got 0."),
        ([*FAST, "--tokens", "0"], "`tokens` must be at least 1; got 0."),
        ([*FAST, "--batch", "1"], "`batch` must be at least 2"),
        ([*FAST, "--steps", "many"], "--steps"),
    ],
)
def test_a_mistake_in_the_command_is_one_clear_sentence_and_status_2(capsys, tmp_path, arguments, said):
    assert said in refused(capsys, [*arguments, "--out", str(tmp_path)] if len(arguments) > 1 else arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(capsys, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    assert f"`out` must be a folder that can be written; got {taken}" in refused(capsys, [*FAST, "--out", str(taken)])


def test_a_run_writes_its_folder_and_a_second_call_shows_it_without_repeating(capsys, tmp_path, monkeypatch):
    main([*FAST, "--out", str(tmp_path), "--json"])
    printed = json.loads(capsys.readouterr().out)
    (folder,) = (tmp_path / "identifiability").iterdir()
    assert {"config.json", "record.json", "report.html", "figures", "jobs"} == {path.name for path in folder.iterdir()}
    assert json.loads((folder / "record.json").read_text()) == printed
    assert {"seeds", "steps", "device"} <= set(printed["config"])
    assert {"versions", "machine", "date", "wall_seconds", "device"} <= set(printed)
    monkeypatch.setattr(run_module, "work", None)  # whatever runs now, fails
    main([*FAST, "--out", str(tmp_path)])
    assert "finished on" in capsys.readouterr().out


def test_a_command_without_options_is_the_first_preset(monkeypatch, tmp_path):
    runs = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "execute", runs.append)
    main(["identifiability"])
    assert [run.preset for run in runs] == [next(iter(scmlab.experiments.identifiability.PRESETS))]


def test_a_missing_library_that_was_said_already_keeps_its_sentence(capsys, monkeypatch):
    def lacks(name):
        raise ModuleNotFoundError("Taggers need spacy: pip install 'scmlab[spacy]'.", name="spacy")

    monkeypatch.setattr(command_line, "load", lacks)
    assert refused(capsys, FAST) == "scmlab: Taggers need spacy: pip install 'scmlab[spacy]'.\n"


def test_quiet_prints_nothing(capsys, tmp_path):
    main([*FAST, "--out", str(tmp_path), "--quiet"])
    assert capsys.readouterr() == ("", "")


def test_a_diverged_training_is_a_failed_run(capsys, tmp_path, monkeypatch):
    def diverge(*_, **__):
        raise TrainingDiverged("The loss must stay finite; got nan at step 3 of member 0 (seed 0).")

    monkeypatch.setattr(run_module, "work", diverge)
    assert "got nan at step 3 of member 0" in refused(capsys, [*FAST, "--out", str(tmp_path)], status=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system to fill can only be mounted by root")
def test_a_full_disk_is_a_failed_run_that_leaves_nothing_half_written(capsys, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine does not permit mounting a small file system")
    try:
        shown = refused(capsys, [*FAST, "--out", str(small)], status=1)
        assert "the disk is full" in shown
        for path in small.rglob("*.json"):
            json.loads(path.read_text())
        assert not list(small.rglob(".*"))
    finally:
        subprocess.run(["umount", small], check=True)


def test_help_lists_the_experiments_and_needs_no_run(capsys):
    main([])
    shown = capsys.readouterr().out
    assert all(f"  {name}: {about}" in shown for name, about in EXPERIMENTS.items())


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_a_package_that_says_what_help_says_of_it(name):
    package = ast.parse(Path(find_spec(f"scmlab.experiments.{name}").origin).read_text())
    assert ast.get_docstring(package) == f"Experiment: {EXPERIMENTS[name]}"


def test_a_library_that_is_not_installed_is_named_with_what_installs_it(capsys, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError("No module named 'transformers'", name="transformers")

    monkeypatch.setattr(command_line, "import_module", missing)
    assert "needs transformers, which is not installed: pip install 'scmlab[clip]'." in refused(capsys, FAST)


def test_a_module_of_our_own_that_is_missing_is_a_bug(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(command_line, "import_module", missing)
    with pytest.raises(ModuleNotFoundError, match="identifiability"):
        main(FAST)


def test_the_identity_of_a_run_is_the_code_too():
    assert runner.code_hash() == runner.code_hash()
    assert len(runner.code_hash()) == 64


def test_auto_is_a_device_that_exists():
    assert resolve("auto") in ("cpu", "cuda")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("scmlab", ("torch", "sklearn", "transformers", "matplotlib")),
        ("scmlab.experiments.__main__", ("transformers", "tokenizers", "textblob")),
    ],
)
def test_importing_loads_no_library_that_may_not_be_needed(module, heavy):
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_plan_that_cannot_be_leaves_no_folder(capsys, tmp_path):
    shown = refused(capsys, [*FAST, "--text-encoder", "transformer", "--width", "30", "--out", str(tmp_path)])
    assert "`width` must be a multiple of `heads` = 4; got 30." in shown
    assert list(tmp_path.iterdir()) == []


def test_memory_that_runs_out_is_a_failed_run(capsys, tmp_path):
    shown = refused(capsys, [*FAST, "--batch", str(10**12), "--out", str(tmp_path)], status=1)
    assert "The device ran out of memory" in shown


def test_a_bug_is_not_taken_for_a_mistake_of_the_user(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("zip() argument 2 is longer than argument 1")

    monkeypatch.setattr(run_module, "work", broken)
    with pytest.raises(ValueError, match="zip"):
        main([*FAST, "--out", str(tmp_path), "--quiet"])


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}"])
def test_a_broken_file_of_a_run_is_named_with_what_to_do(capsys, tmp_path, content):
    main([*FAST, "--out", str(tmp_path), "--quiet"])
    (folder,) = (tmp_path / "identifiability").iterdir()
    (folder / "record.json").write_text(content)
    assert f"{folder / 'record.json'} is not: delete it" in refused(capsys, [*FAST, "--out", str(tmp_path)])
    (folder / "record.json").unlink()
    (folder / "jobs" / "darmois.json").write_text(content)
    assert "darmois.json is not: delete it" in refused(capsys, [*FAST, "--out", str(tmp_path)])


def test_options_that_change_no_number_leave_the_preset_its_name(capsys, tmp_path):
    main(["identifiability", "--preset", "tiny", "--workers", "1", "--out", str(tmp_path), "--quiet", "--json"])
    assert json.loads(capsys.readouterr().out)["preset"] == "tiny"
    main([*FAST, "--out", str(tmp_path), "--quiet", "--json"])
    assert json.loads(capsys.readouterr().out)["preset"] == "tiny, changed"


def test_output_that_closes_before_the_run_is_done_is_a_failed_run(capfd, tmp_path, monkeypatch):
    def closed(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr(run_module, "work", closed)
    with pytest.raises(SystemExit) as stopped:
        main([*FAST, "--out", str(tmp_path), "--quiet"])
    assert stopped.value.code == 1
    assert "its output was closed" in capfd.readouterr().err


def test_a_reader_that_stops_early_is_no_failure(tmp_path):
    command = [sys.executable, "-m", "scmlab.experiments", *FAST, "--out", str(tmp_path), "--json"]
    subprocess.run([*command, "--quiet"], check=True, capture_output=True)
    run = subprocess.Popen([*command, "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.close()
    _, shown = run.communicate()
    assert (run.returncode, shown) == (0, b"")
