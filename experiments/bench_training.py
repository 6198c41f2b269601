"""Time a training step of scmlab against a plain one, written the way the identifiability literature's code writes it.

python experiments/bench_training.py                                      # batches 1,024 and 6,144: minutes
python experiments/bench_training.py --batches 256 --repeats 2 --json     # seconds

The setting is the literature's: 15 observed dimensions a side (5 shared, 5 perturbed, 5 private), a three-layer leaky
ReLU mixing, two encoders of 1,918,805 parameters each into R^5, temperature 1, gradient norm clipped at 2. The plain
step encodes two batches of both modalities, forms all (B, B, 5) differences within a modality, and takes the
log-sum-exp over them and the positive. Ours encodes one batch, with the other modality as negatives, exactly and in
tiles. The row "scmlab, literature's form" computes what the plain step computes: what it gains or loses is the
implementation's; the rest of the gain is the objective's.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise

import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from scmlab.experiments.provenance import environment
from scmlab.models import EncoderSpec
from scmlab.objectives import Objective, infonce_within
from scmlab.scm import Mixing, SentenceSCM
from scmlab.training import TrainSpec, build_pair, member, train

BLOCK = 5  # dimensions of each latent block and of the code
WIDTHS = (150, 750, 750, 750, 750, 150)
PARAMETERS = 1_918_805  # of one encoder
STEPS = 4  # timed as one, after others that are not; one block of our loop, whose own default is 16
SLOPE = 0.2

SCM = SentenceSCM(*(BLOCK,) * 5, causal="none", dp="perturbed", change=0.75, mixing=Mixing(kind="leaky_mlp", layers=3))
ENCODER = EncoderSpec(BLOCK, widths=WIDTHS, activation="leaky_relu")


@dataclass(frozen=True)
class Bench:
    """What is timed: steps of sampling, encoding, loss, gradients, clipping and Adam, in float32."""

    batches: tuple[int, ...] = (1024, 6144)  # pairs per step
    repeats: int = 5  # rounds over the four kinds of training, four timed steps each
    threads: int = 1  # the same for all
    device: str = "cpu"
    memory_batch: int = 32_768  # pairs of codes whose InfoNCE is measured for memory; 0: none
    seed: int = 0
    json: bool = False  # print the record instead of a table


@dataclass(frozen=True)
class Timing:
    step: str
    batch: int
    seconds: float  # per step and member, median over the rounds
    fastest: float
    slowest: float
    times_faster: float  # than the plain step, by medians


@dataclass(frozen=True)
class Record:
    config: Bench
    timings: tuple[Timing, ...]
    memory_mib: float  # added to the peak by one InfoNCE, forward and backward
    memory_seconds: float
    environment: dict  # versions, device, machine, date


class PlainTraining:
    """The literature's step in its own plain style; nothing of scmlab is used."""

    def __init__(self, bench: Bench, batch: int) -> None:
        torch.manual_seed(bench.seed)
        self.batch, self.device = batch, bench.device
        self.mix_image, self.mix_text = (plain_mixing(3 * BLOCK).to(bench.device) for _ in range(2))
        self.encode_image, self.encode_text = (plain_encoder().to(bench.device) for _ in range(2))
        self.parameters = [*self.encode_image.parameters(), *self.encode_text.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-4)

    def observe(self) -> tuple[Tensor, Tensor]:
        """A batch of pairs: shared content, style perturbed with probability 3/4, private noise; mixed."""
        content, style, step, own_image, own_text = torch.randn(5, self.batch, BLOCK, device=self.device)
        changed = torch.rand(self.batch, BLOCK, device=self.device) < 0.75
        with torch.no_grad():
            image = self.mix_image(torch.cat((content, style, own_image), 1))
            text = self.mix_text(torch.cat((content, style + step * changed, own_text), 1))
        return image, text

    def step(self) -> None:
        """One step, with a fresh second batch for the negatives."""
        (image, text), (image_fresh, text_fresh) = self.observe(), self.observe()
        self.optimizer.zero_grad()
        loss = plain_loss(
            self.encode_image(image),
            self.encode_text(text),
            self.encode_image(image_fresh),
            self.encode_text(text_fresh),
        )
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 2.0)
        self.optimizer.step()
        loss.item()  # as any loop that logs its loss


def plain_mixing(dim: int) -> nn.Module:
    """Three orthogonal layers with leaky ReLU between them."""
    layers: list[nn.Module] = []
    for _ in range(3):
        layers += [nn.Linear(dim, dim, bias=False), nn.LeakyReLU(SLOPE)]
        nn.init.orthogonal_(layers[-2].weight)
    return nn.Sequential(*layers[:-1])


def plain_encoder() -> nn.Module:
    """An MLP of the literature's widths."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((3 * BLOCK, *WIDTHS, BLOCK)):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU()]
    return nn.Sequential(*layers[:-1])


def plain_loss(x: Tensor, y: Tensor, x_fresh: Tensor, y_fresh: Tensor) -> Tensor:
    """Within-modality InfoNCE on squared distances at temperature 1, all differences held at once."""
    positive = -(x - y).square().sum(-1)
    total = torch.zeros_like(positive)
    for codes, fresh in ((x, x_fresh), (y, y_fresh)):
        negatives = -(codes[:, None, :] - fresh[None, :, :]).square().sum(-1)
        total = total + torch.logsumexp(torch.cat((positive[:, None], negatives), 1), 1) - positive
    return total.mean() / 2


def plain_round(bench: Bench, batch: int) -> Callable[[], float]:
    """Seconds per step of a round."""
    training = PlainTraining(bench, batch)

    def seconds() -> float:
        training.step()
        start = now(bench)
        for _ in range(STEPS):
            training.step()
        return (now(bench) - start) / STEPS

    return seconds


def our_round(bench: Bench, batch: int, kind: str, seeds: int) -> Callable[[], float]:
    """Seconds per step and member of a round, through the public `train`."""
    members = [member(bench.seed + i, SCM, device=bench.device) for i in range(seeds)]
    spec = TrainSpec(2 * STEPS, batch, lr=1e-4, warmup=0.0, clip=2.0, block=STEPS, precision="float32")

    def seconds() -> float:
        ends: list[float] = []
        train(
            members,
            ENCODER,
            ENCODER,
            Objective(kind),
            spec,
            device=bench.device,
            on_block=lambda step: ends.append(now(bench)),
        )
        return (ends[1] - ends[0]) / STEPS / seeds

    return seconds


def now(bench: Bench) -> float:
    if bench.device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def check_same_work(bench: Bench) -> None:
    """Both sides train encoders of the same size, and the literature's form is the plain loss."""
    ours = build_pair([member(bench.seed, SCM)], ENCODER, ENCODER)
    sizes = [sum(p.numel() for p in module.parameters()) for module in (ours.image, ours.text, plain_encoder())]
    if sizes != [PARAMETERS] * 3:
        raise RuntimeError(f"encoders must have {PARAMETERS} parameters; got {sizes}.")
    codes = torch.randn(4, 100, BLOCK, generator=torch.Generator().manual_seed(bench.seed))
    torch.testing.assert_close(infonce_within(*codes), plain_loss(*codes))


MEASURE = """
import sys, time, torch
from scmlab.objectives import infonce
torch.set_num_threads(int(sys.argv[1]))
def peak(n, device):
    x, y = (torch.randn(n, 5, device=device, requires_grad=True) for _ in range(2))
    infonce(x, y).backward()
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**20
    # not getrusage: its peak is handed on from the process that started this one
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
before = peak(64, sys.argv[3])
start = time.perf_counter()
print(peak(int(sys.argv[2]), sys.argv[3]) - before, time.perf_counter() - start)
"""


def memory(bench: Bench) -> tuple[float, float]:
    """MiB that one InfoNCE, forward and backward, adds to the peak of a fresh process, and its seconds."""
    command = [sys.executable, "-c", MEASURE, str(bench.threads), str(bench.memory_batch), bench.device]
    added, seconds = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(added), float(seconds)


def run(bench: Bench) -> Record:
    torch.set_num_threads(bench.threads)
    check_same_work(bench)
    timings: list[Timing] = []
    for batch in bench.batches:
        rounds = {
            "plain, literature's form": plain_round(bench, batch),
            "scmlab, literature's form": our_round(bench, batch, "infonce_within", 1),
            "scmlab": our_round(bench, batch, "infonce", 1),
            "scmlab, ensemble of 3, per member": our_round(bench, batch, "infonce", 3),
        }
        seconds: dict[str, list[float]] = {name: [] for name in rounds}
        for _ in range(bench.repeats):  # interleaved: what else the machine does falls on all alike
            for name, timed in rounds.items():
                seconds[name].append(timed())
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        plain = medians["plain, literature's form"]
        timings += [
            Timing(name, batch, medians[name], min(times), max(times), plain / medians[name])
            for name, times in seconds.items()
        ]
    added, took = memory(bench) if bench.memory_batch else (0.0, 0.0)
    return Record(bench, tuple(timings), added, took, environment(bench.device))


def show(record: Record) -> None:
    bench = record.config
    caption = f"medians of {bench.repeats} rounds of {STEPS} steps"
    if bench.memory_batch:
        caption += f"; one InfoNCE of {bench.memory_batch:,} pairs of codes in R^{BLOCK}, forward and backward: "
        caption += f"{record.memory_mib:,.0f} MiB, {record.memory_seconds:.1f} s"
    table = Table(
        title=f"One training step on {bench.device} ({record.environment['machine']}), threads: {bench.threads}",
        caption=caption,
    )
    for column in ("batch", "step", "seconds", "fastest to slowest", "times faster than plain"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for i, t in enumerate(record.timings):
        if i and t.batch != record.timings[i - 1].batch:
            table.add_section()
        spread = f"{t.fastest:.3f} to {t.slowest:.3f}"
        table.add_row(f"{t.batch:,}", t.step, f"{t.seconds:.3f}", spread, f"{t.times_faster:.2f}")
    Console().print(table)


if __name__ == "__main__":
    config = tyro.cli(Bench)
    result = run(config)
    if config.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        show(result)
