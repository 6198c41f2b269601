"""Peak memory and time of the command `benchmark` on many items: SugarCrepe's pairs, drawn again with other endings.

python experiments/bench_benchmark_memory.py --items 100000 --out experiments/results/bench_benchmark_memory.json
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import tyro
from bench_benchmarks import Bench as Timed
from bench_benchmarks import build, draw_images

from scmlab.benchmarks.loaders.sugarcrepe import REFINED, load_sugarcrepe
from scmlab.experiments.provenance import environment
from scmlab.models.clip import save_clip

ENDINGS = ("red", "blue", "green", "white", "black", "old", "young", "small", "large", "wooden", "shiny", "striped")


@dataclass(frozen=True)
class Bench:
    """What is measured."""

    annotations: Path = field(default_factory=lambda: Path(os.environ.get("SCMLAB_DATA", "data"), "sugarcrepe"))
    items: int = 100_000
    seed: int = 0
    out: Path | None = None  # file for the record


def main(bench: Bench) -> None:
    timed = Timed(annotations=bench.annotations, image_size=(160, 120), small=True, seed=bench.seed)
    benchmark = load_sugarcrepe(bench.annotations)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        draw_images(timed, benchmark, where / "images")
        save_clip(build(timed, benchmark), where / "clip")
        write_items(bench, where / "annotations")
        given = ("--benchmark", "sugarcrepe", "--annotations", where / "annotations", "--images", where / "images")
        command = (sys.executable, "-m", "scmlab.experiments", "benchmark", *given, "--model", where / "clip")
        subprocess.run((*map(str, command), "--out", str(where / "out")), check=True, stdout=subprocess.DEVNULL)
        (path,) = where.glob("out/benchmark/*/record.json")
        record = json.loads(path.read_text())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of that command, the only child
    found = {
        "config": {name: value for name, value in asdict(bench).items() if name not in ("annotations", "out")},
        "scored": record["counts"][0]["scored"],
        "captions": record["benchmarks"][0]["captions"],
        "peak_gib": used.ru_maxrss / 2**20,  # KiB on Linux
        "seconds": record["wall_seconds"],
        "processor_seconds": used.ru_utime + used.ru_stime,
        "environment": environment("cpu"),
    }
    if bench.out:
        bench.out.write_text(json.dumps(found, indent=2) + "\n")
    print(f"{found['scored']:,} items, {found['captions']:,} different captions: peak {found['peak_gib']:.2f} GiB, "
          f"{found['seconds']:.0f} s, {found['processor_seconds']:.0f} processor seconds")  # fmt: skip


def write_items(bench: Bench, folder: Path) -> None:
    """In SugarCrepe's layout, as many of each file as its share; nearly all captions differ."""
    draw, total = random.Random(bench.seed), sum(REFINED.values())
    folder.mkdir()
    for place, (name, official) in enumerate(REFINED.items()):
        rows = list(json.loads((bench.annotations / f"{name}.json").read_text()).values())
        wanted = bench.items * official // total
        if not place:  # the rest of the division
            wanted = bench.items - sum(bench.items * one // total for one in list(REFINED.values())[1:])
        made = {}
        for key in range(wanted):
            row = draw.choice(rows)
            ending = f" near the {draw.choice(ENDINGS)} {draw.choice(ENDINGS)} wall {key % 977}"
            texts = {kind: row[kind].strip().rstrip(".") + ending for kind in ("caption", "negative_caption")}
            made[str(key)] = {"filename": row["filename"], **texts}
        (folder / f"{name}.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(tyro.cli(Bench))
