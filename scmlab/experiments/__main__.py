"""The command line: python -m scmlab.experiments NAME [--preset NAME] [--out DIR] [options of the experiment]."""

import errno
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Annotated

import torch
import tyro
from joblib.externals.loky.process_executor import TerminatedWorkerError
from rich.console import Console, RenderableType

from scmlab.experiments.runner import WIDTH, Output, Run, execute, fail, prepare
from scmlab.scm.store import BadFile
from scmlab.training import TrainingDiverged

EXPERIMENTS: dict[str, str] = {
    "identifiability": "contrastive learning recovers z_inv and nothing else, and fails when an assumption is broken.",
    "price": "what a text encoder blind to word order loses in InfoNCE, beside the closed form of that price.",
    "nonidentifiability": "encoders of one loss that treat edited captions in opposite ways, and where blindness costs "
    "loss.",
    "audit": "which compositions a model trained on a file of captions cannot have learned, and what they are worth.",
    "overlap": "which share of a benchmark's hard negatives SWAP, REPLACE and ADD make, beside those of Algorithm 1.",
    "negatives": "hard negatives of a file of captions by Algorithm 1, and whether text alone gives them away.",
    "intervention": "CLIP trained on scenes of a known causal model; hard-negative accuracy on its law and under do().",
    "iterated": "CLIP's choice among a caption and all negatives of t edits, and what blindness predicts for it.",
    "attribution": "which words a CLIP's similarity rests on, before and after fine-tuning with each attribution loss.",
    "finetune": "any CLIP fine-tuned on a folder of images with captions, measured on other images before and after.",
    "benchmark": "the official score of any CLIP on public benchmarks, beside what a blind scorer gets (--list).",
}
"""Name -> what it is about. Its package is imported when it is asked for: some need libraries that others do not."""
USAGE = f"usage: python -m scmlab.experiments {{{','.join(EXPERIMENTS)}}} [--preset NAME] [--help]"


def main(arguments: list[str]) -> None:
    """Run one experiment. Exit status: 0 done, 1 a failed run, 2 a mistake in what was asked for."""
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = [USAGE, *(f"  {name}: {about}" for name, about in EXPERIMENTS.items())]
        print("\n".join(lines))
        return
    name, *rest = arguments
    try:
        if name not in EXPERIMENTS:
            raise ValueError(f"`experiment` must be one of {', '.join(EXPERIMENTS)}; got {name!r}.")
        module = load(name)
        if "--list" in rest and hasattr(module, "listing"):
            _print(module.listing([word for word in rest if word != "--list"]))
            return
        run = _parse(name, module, rest)
    except (ValueError, ModuleNotFoundError) as error:
        fail(_missing(error) if isinstance(error, ModuleNotFoundError) else str(error), 2)
    try:
        execute(run)
    except ModuleNotFoundError as error:
        fail(_missing(error), 2)
    except BadFile as error:
        fail(str(error), 2)
    except TrainingDiverged as error:
        fail(str(error), 1)
    except BrokenPipeError:  # what reads our output has had enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not (run.folder / "record.json").exists():
            fail("The run stopped because its output was closed; run the same command again to go on.", 1)
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or type(error).__name__
        where = f" ({error.filename})" if error.filename else ""
        fail(f"The run stopped because {what}{where}; run the same command again to go on from the last checkpoint.", 1)
    except TerminatedWorkerError:
        fail("A worker process was ended from outside, most often for lack of memory: choose fewer --workers.", 1)
    except RuntimeError as error:  # torch has a class of its own for CUDA's memory, and only words for the CPU's
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        fail("The device ran out of memory for one batch of all seeds: choose a smaller --batch or fewer --seeds.", 1)
    except KeyboardInterrupt:
        fail("Interrupted; run the same command again to go on from the last checkpoint.", 130)


def _print(shown: Iterable[RenderableType]) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    for one in shown:
        console.print(one)


def load(name: str) -> ModuleType:
    """The package of an experiment. Errors (ModuleNotFoundError): one of its libraries is not installed."""
    return import_module(f"scmlab.experiments.{name}")


def _missing(error: ModuleNotFoundError) -> str:
    """Which library is not installed, and what installs it; a module of our own that is missing is a bug.

    Where the sentence is ours already, it is kept: it knows which extra.
    """
    if error.name is None or error.name.partition(".")[0] == "scmlab":
        raise error
    if not str(error).startswith("No module named"):
        return str(error)
    return f"This experiment needs {error.name}, which is not installed: pip install 'scmlab[clip]'."


def _parse(name: str, module: ModuleType, arguments: list[str]) -> Run:
    """The run that is asked for, checked, with nothing written yet but its empty folder."""
    default = _preset(module, arguments)

    def call(
        config: Annotated[module.Config, tyro.conf.arg(name="")] = module.PRESETS[default],
        *,
        preset: str = default,
        out: Path = Path("results"),
        quiet: bool = False,
        json: bool = False,
    ) -> Run:
        return prepare(name, module, preset, config, Output(out, quiet, json))

    call.__doc__ = f"""{module.__doc__}

    Args:
        config: The experiment's options.
        preset: Where the options below take their defaults from: {", ".join(module.PRESETS)}.
        out: Folder of the results: OUT/{name}/ID/report.html and record.json.
        quiet: Show neither progress nor tables.
        json: Print the record on stdout.
    """
    return tyro.cli(call, args=arguments, prog=f"python -m scmlab.experiments {name}")


def _preset(module: ModuleType, arguments: list[str]) -> str:
    """The preset among the arguments: the defaults that tyro shows depend on it, so it is read first."""
    chosen = next(iter(module.PRESETS))
    for word, following in pairwise([*arguments, ""]):
        if word == "--preset":
            chosen = following
        elif word.startswith("--preset="):
            chosen = word.partition("=")[2]
    if chosen not in module.PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(module.PRESETS)}; got {chosen!r}.")
    return chosen


if __name__ == "__main__":
    main(sys.argv[1:])
