"""What a run of `benchmark` rests on and says of its files, before any model."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scmlab.benchmarks.images import RootCoverage
from scmlab.benchmarks.loaders.aro_symmetric import BESIDE
from scmlab.experiments import benchmark
from scmlab.experiments.benchmark.plan import tasks_of
from scmlab.experiments.benchmark.recorded import _hint

TINY = replace(benchmark.PRESETS["tiny"], device="cpu")
PAIRS = "main\tf\ty\t1\t2.0\ta dog\ta cat\nmain\tf\ty\t2\t3.0\ta cow\ta hen\n"


def published(folder: Path, **changes: object) -> dict:
    (task,) = tasks_of(replace(TINY, benchmark=("stsb",), annotations=(str(folder),), **changes))
    return dict(task.source.reference)


def test_published_numbers_are_not_those_of_another_split(tmp_path):
    for split in ("test", "dev"):
        (tmp_path / f"sts-{split}.csv").write_text(PAIRS)
    assert published(tmp_path) == published(tmp_path, option=("split=test",)) == {"spearman": 61.5, "pearson": 59.1}
    assert published(tmp_path, option=("split=dev",)) == {}


@pytest.mark.parametrize("name", ["symmetric_relations.txt", BESIDE[1]])
def test_what_is_read_beside_a_single_file_makes_another_run(tmp_path, name):
    path = tmp_path / "visual_genome_relation.json"
    path.write_text(json.dumps([]))
    config = replace(TINY, benchmark=("vg_relation",), annotations=(str(path),))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("near")
    assert replace(config).annotations_sha256 != config.annotations_sha256
    (tmp_path / name).unlink()
    (tmp_path / "notes.txt").write_text("not read")
    assert replace(config).annotations_sha256 == config.annotations_sha256


def test_hints_of_a_record_do_not_name_places_of_the_machine():
    def hint(folder: str, text: str) -> str:
        return _hint(RootCoverage("coco", Path(folder), 1, 0, 1, 0, (), text))

    assert hint("/me/coco", "they are in /me, give that folder") == "they are in the folder above, give that folder"
    for folder, named in (("/me/coco", "/me/coco/a"), ("/coco", "/coco/a"), ("coco", "coco/a")):
        assert hint(folder, f"they are in {named}, give that folder") == "they are in coco/a, give that folder"
