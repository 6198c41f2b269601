"""Time SugarCrepe: one pair at a time, as its own code scores it, against everything embedded once, and a second run.

SCMLAB_DATA=DIR python experiments/bench_benchmarks.py                       # ViT-B/32 on the CPU: 10 minutes
SCMLAB_DATA=DIR python experiments/bench_benchmarks.py --small --pairs 7511  # a tiny model, every pair: minutes
python experiments/bench_benchmarks.py --annotations DIR --out FILE          # writes the record

The annotations are the real ones; images are made, 640 x 480 JPEG under the names of COCO; the model is a CLIP with
random weights, its tokenizer trained on the captions.

one pair at a time   open the image, preprocess, encode it, tokenize and encode both captions, each in a batch of its
                     own and padded to the context, as open_clip's tokenizer gives them; compare. Timed on drawn pairs,
                     half of them before and half after what it is compared with, and scaled to all
  without padding    the same, each caption as long as it is: what the padding costs is not counted as a gain
embed once           load the annotations, find the images, embed everything into an empty cache, score
second run           the same with that cache
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import tyro
from PIL import Image
from rich.console import Console
from rich.table import Table

from scmlab.benchmarks.blind import blind_scores, blind_similarities
from scmlab.benchmarks.cache import Cache
from scmlab.benchmarks.decode import open_rgb
from scmlab.benchmarks.embed import WORKERS, embed
from scmlab.benchmarks.images import resolve
from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.loaders.sugarcrepe import REFINED, ROOT, load_sugarcrepe
from scmlab.benchmarks.models import of_clip
from scmlab.benchmarks.scoring import Scored, score_items
from scmlab.benchmarks.similarities import similarities
from scmlab.experiments.provenance import environment
from scmlab.models.clip import (
    VIT_B_32,
    Clip,
    ClipSpec,
    build_clip,
    embed_images,
    embed_texts,
    preprocess,
    tokenize,
    train_tokenizer,
)
from scmlab.scm.streams import stream

CLOSE = 1e-6  # margins below it may change sign by rounding
BLIND = ("add_obj", "add_att")  # where the shorter caption is nearly always right
VOCABULARY = 8192


@dataclass(frozen=True)
class Bench:
    """What is timed."""

    annotations: Path = field(default_factory=lambda: Path(os.environ.get("SCMLAB_DATA", "data"), "sugarcrepe"))
    images_folder: Path | None = None  # of the made images, kept; without it they are deleted
    image_size: tuple[int, int] = (640, 480)
    pairs: int = 100  # scored one at a time
    small: bool = False  # a tiny model
    batch: int = 64
    threads: int = 1  # of torch, in everything that is timed
    seed: int = 0
    json: bool = False  # print the record instead of a table
    out: Path | None = None  # file for the record


@dataclass(frozen=True)
class Timing:
    """Seconds by the clock, and of processor time, which other processes on the machine lengthen less."""

    what: str
    pairs: int  # timed
    seconds: float
    processor_seconds: float
    seconds_of_all: float  # scaled to all pairs where not all were timed
    processor_seconds_of_all: float


@dataclass(frozen=True)
class Agreement:
    """Drawn pairs scored one at a time (captions padded) against the same items of the whole run."""

    pairs: int
    disagreements: tuple[dict, ...]  # item, both margins
    below_1e_6: int  # margins of the pairs, by either way
    largest_difference: float  # of margins
    median_margin: float  # of its size


@dataclass(frozen=True)
class Record:
    config: Bench
    parameters: int
    items: dict[str, int]  # per category
    images: int
    captions: int  # different ones
    tokens: float  # per caption, with start and end
    timings: tuple[Timing, ...]
    ratio: float  # one pair at a time : embed once
    ratio_without_padding: float
    processor_ratio: float
    processor_ratio_without_padding: float
    second_run_seconds: dict[str, float]  # by part
    peak_gib: float  # of the process, model included
    agreement: Agreement
    accuracy: dict[str, float]  # of the random model
    shorter: dict[str, dict[str, float]]  # tie policy -> category -> percent
    environment: dict


class Clock:
    """Adds up what passes inside `timed`."""

    def __init__(self) -> None:
        self.seconds = self.processor = 0.0

    @contextmanager
    def timed(self) -> Iterator[None]:
        before = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - before[0]
        self.processor += time.process_time() - before[1]

    def timing(self, what: str, pairs: int, total: int) -> Timing:
        scale = total / pairs
        whole = self.seconds * scale, self.processor * scale
        return Timing(what, pairs, self.seconds, self.processor, *whole)


def build(bench: Bench, benchmark: Benchmark) -> Clip:
    captions = sorted({caption for item in benchmark.items for caption in item.captions})
    tokenizer = train_tokenizer(captions, vocabulary=VOCABULARY, context=77)
    spec = ClipSpec(context=77) if bench.small else VIT_B_32
    return build_clip(spec, tokenizer, generator=stream(bench.seed, "init"))


def draw_images(bench: Bench, benchmark: Benchmark, folder: Path) -> None:
    """Smooth colours with some noise: a JPEG of them is about as large as a photograph's."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in dict.fromkeys(image for item in benchmark.items for image in item.images):
        if not (path := folder / image.path).exists():
            draw = np.random.default_rng([bench.seed, int(path.stem)])
            coarse = Image.fromarray(draw.integers(0, 256, (24, 32, 3), dtype=np.uint8))
            smooth = np.asarray(coarse.resize(bench.image_size, Image.Resampling.BICUBIC), dtype=np.float32)
            noisy = smooth + draw.normal(0, 8, smooth.shape).astype(np.float32)
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=90)


def margin(clip: Clip, item: Item, folder: Path, length: int | None) -> float:
    """Right minus wrong score of one pair; length: what captions are padded to."""
    pixels = preprocess([open_rgb(folder / item.images[0].path)], clip.preprocessing)
    image = embed_images(clip, pixels)
    right, wrong = (embed_texts(clip, tokenize(clip, [caption], length=length)) for caption in item.captions)
    return (image @ right.T).item() - (image @ wrong.T).item()


def one_at_a_time(
    clip: Clip, items: Sequence[Item], folder: Path, clocks: tuple[Clock, Clock]
) -> list[tuple[float, float]]:
    """Margins with captions padded to the context, and as long as they are; one pair after the other, in turn."""
    found = []
    with torch.inference_mode():
        for item in items:
            margins = []
            for clock, length in zip(clocks, (clip.context, None), strict=True):
                with clock.timed():
                    margins.append(margin(clip, item, folder, length))
            found.append(tuple(margins))
    return found


def whole(bench: Bench, clip: Clip, images: Path, codes: Path) -> tuple[Scored, dict[str, float]]:
    """Everything from annotations to scores, and the seconds of each part."""
    seconds, start = {}, time.perf_counter()

    def done(part: str) -> None:
        seconds[part] = time.perf_counter() - start - sum(seconds.values())

    benchmark = load_sugarcrepe(bench.annotations)
    done("annotations")
    coverage = resolve(benchmark, {ROOT: images})
    done("images found")
    model = of_clip(clip)
    done("model hashed")
    cache = Cache(codes, model)
    embeddings = embed(benchmark, model, coverage.paths, cache, batch=bench.batch, progress=progress)
    done("codes")
    scored = score_items(benchmark, similarities(benchmark, embeddings))
    done("scores")
    return scored, seconds


def progress(kind: str, done: int, total: int) -> None:
    print(f"\r{kind}: {done:,} of {total:,}   ", end="", file=sys.stderr, flush=True)


def agreement(items: Sequence[Item], margins: Sequence[float], scored: Scored) -> Agreement:
    place = {item.key: row for row, item in enumerate(scored.benchmark.items)}
    rows = [place[item.key] for item in items]
    alone, together = np.array(margins), scored.margin[rows]
    apart = ((alone > 0) != (together > 0)) | ((alone > 0) != (scored.correct[rows] == 1))
    return Agreement(
        pairs=len(items),
        disagreements=tuple(
            {"item": items[i].key, "one_at_a_time": float(alone[i]), "whole": float(together[i])}
            for i in np.flatnonzero(apart)
        ),
        below_1e_6=int((np.minimum(abs(alone), abs(together)) < CLOSE).sum()),
        largest_difference=float(abs(alone - together).max()),
        median_margin=float(np.median(abs(together))),
    )


def percent(scored: Scored) -> dict[str, float]:
    categories = np.array(scored.categories)
    return {name: round(100 * float(scored.correct[categories == name].mean()), 3) for name in REFINED}


def shorter(bench: Bench, benchmark: Benchmark) -> dict[str, dict[str, float]]:
    """What the shorter caption gets, by tie policy."""
    scores = blind_scores(benchmark, "shorter", generator=stream(bench.seed, "halves"))
    cosines = blind_similarities(benchmark, scores)
    return {
        ties: {name: percent(score_items(benchmark, cosines, ties=ties))[name] for name in BLIND}
        for ties in ("strict", "half")
    }


def run(bench: Bench) -> Record:
    torch.set_num_threads(bench.threads)
    where = environment("cpu")
    where["versions"] |= {name: version(name) for name in ("transformers", "tokenizers", "pillow")}
    benchmark = load_sugarcrepe(bench.annotations)
    clip, total = build(bench, benchmark), len(benchmark.items)
    order = torch.randperm(total, generator=stream(bench.seed, "pairs")).tolist()[: bench.pairs]
    drawn = [benchmark.items[row] for row in order]
    with (
        tempfile.TemporaryDirectory() as codes,
        nullcontext(bench.images_folder) if bench.images_folder else tempfile.TemporaryDirectory() as images,
    ):
        draw_images(bench, benchmark, folder := Path(images))
        one_at_a_time(clip, drawn[:2], folder, (Clock(), Clock()))  # not timed: first calls
        padded, bare, once, again = (Clock() for _ in range(4))
        margins = one_at_a_time(clip, drawn[: len(drawn) // 2], folder, (padded, bare))
        with once.timed():
            scored, parts = whole(bench, clip, folder, Path(codes))
        print(f"\nembedded once: {once.seconds:.1f} s", {k: round(v, 2) for k, v in parts.items()}, file=sys.stderr)
        margins += one_at_a_time(clip, drawn[len(drawn) // 2 :], folder, (padded, bare))
        with again.timed():
            second, parts = whole(bench, clip, folder, Path(codes))
    if not np.array_equal(second.margin, scored.margin):
        raise AssertionError("The second run must score as the first.")
    captions = sorted({caption for item in benchmark.items for caption in item.captions})
    timings = (
        padded.timing("one pair at a time", len(drawn), total),
        bare.timing("one pair at a time, without padding", len(drawn), total),
        once.timing("embed once, score", total, total),
        again.timing("second run", total, total),
    )
    return Record(
        config=bench,
        parameters=sum(p.numel() for p in clip.model.parameters()),
        items=dict(Counter(scored.categories)),
        images=len({image for item in benchmark.items for image in item.images}),
        captions=len(captions),
        tokens=float((tokenize(clip, captions).end + 1).double().mean()),
        timings=timings,
        ratio=timings[0].seconds_of_all / once.seconds,
        ratio_without_padding=timings[1].seconds_of_all / once.seconds,
        processor_ratio=timings[0].processor_seconds_of_all / once.processor,
        processor_ratio_without_padding=timings[1].processor_seconds_of_all / once.processor,
        second_run_seconds=parts,
        peak_gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,  # KiB on Linux
        agreement=agreement(drawn, [one for one, _ in margins], scored),
        accuracy=percent(scored),
        shorter=shorter(bench, benchmark),
        environment=where,
    )


def show(record: Record) -> None:
    bench, total = record.config, sum(record.items.values())
    table = Table(
        title=f"SugarCrepe, {total:,} pairs, {record.images:,} images, {record.captions:,} captions, "
        f"{record.parameters:,} parameters, {record.environment['machine']}, threads: {bench.threads} "
        f"(images are read ahead by {WORKERS} more)",
        caption=f"{record.tokens:.1f} tokens a caption; peak {record.peak_gib:.2f} GiB",
    )
    for column in ("what", "pairs timed", "seconds", "CPU s", "all pairs: seconds", "CPU s"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for one in record.timings:
        numbers = (one.seconds, one.processor_seconds, one.seconds_of_all, one.processor_seconds_of_all)
        table.add_row(one.what, f"{one.pairs:,}", *(f"{number:,.1f}" for number in numbers))
    Console().print(table)
    scaled = "" if bench.pairs >= total else f" (scaled from {bench.pairs} drawn pairs)"
    found, parts = record.agreement, record.second_run_seconds
    wall, processor = (f"{record.ratio:.1f}{scaled}", f"{record.processor_ratio:.1f}")
    print(f"One pair at a time : embed once = {wall}, in CPU time {processor}.")
    bare = record.ratio_without_padding, record.processor_ratio_without_padding
    print(f"Without padding one pair at a time: {bare[0]:.1f}, in CPU time {bare[1]:.1f}.")
    print("Second run:", ", ".join(f"{part} {seconds:.2f} s" for part, seconds in parts.items()))
    print(f"{found.pairs:,} pairs, {len(found.disagreements)} of another result; margins differ by at most "
          f"{found.largest_difference:.1e}, their median size is {found.median_margin:.1e}, {found.below_1e_6} are "
          "below 1e-6.")  # fmt: skip
    for one in found.disagreements:
        print("  ", one)
    print("Items:", record.items, "as published" if record.items == dict(REFINED) else "NOT as published")
    print("Accuracy (random weights):", record.accuracy)
    print("Shorter caption:", record.shorter)


if __name__ == "__main__":
    config = tyro.cli(Bench)
    result = run(config)
    plain = asdict(result)
    for name in ("out", "annotations", "images_folder"):  # where things lie is not part of the record
        del plain["config"][name]
    text = json.dumps(plain, indent=2)
    if config.out:
        config.out.write_text(text + "\n")
    if config.json:
        print(text)
    else:
        show(result)
