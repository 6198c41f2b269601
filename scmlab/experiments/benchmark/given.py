"""What a user asks for on the command line: models with their labels, benchmarks with their files and options."""

import functools
import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.models import is_python
from scmlab.benchmarks.siglip import is_siglip

MADE = "scenes"
"""The benchmark that is drawn here where none is asked for, and the label of the model that is trained here."""


@dataclass(frozen=True)
class AskedModel:
    """label: of tables; models of one label are seeds of one method, numbered from 0. activation: as given."""

    label: str
    seed: int
    source: str
    activation: str | None


@dataclass(frozen=True)
class AskedBenchmark:
    """annotations: folder or file; options: of the loader, as it takes them."""

    name: str
    annotations: Path
    options: tuple[tuple[str, Any], ...]


def asked_models(given: Sequence[str], activations: Sequence[str]) -> tuple[AskedModel, ...]:
    """ "LABEL=SOURCE" or "SOURCE" each, in the given order.

    Without a label the file's name is one, with what tells two apart: the folder, the activation, a number.
    Python's own models and SigLIPs say their activation themselves: the given ones are for the others.
    Errors: an empty label or source; a number of activations that is neither 0 nor 1 nor that of the other models.
    """
    parts = [_labelled(text) for text in given]
    taking = sum(is_clip(source) for _, source in parts)
    if len(activations) > (taking > 0) and len(activations) != taking:
        raise ValueError(f"`activation` must be one for all CLIPs that are given or one for each of them, {taking} in "
                         f"all; got {len(activations)}.")  # fmt: skip
    left = iter(tuple(activations) * taking if len(activations) == 1 else activations)
    each = [next(left, None) if is_clip(source) else None for _, source in parts]
    labels = _told_apart([(label, source, act) for (label, source), act in zip(parts, each, strict=True)])
    found: list[AskedModel] = []
    for (_, source), label, activation in zip(parts, labels, each, strict=True):
        seed = sum(one.label == label for one in found)
        found.append(AskedModel(label, seed, source, activation))
    return tuple(found)


def _labelled(text: str) -> tuple[str, str]:
    label, equals, source = text.partition("=")
    if os.path.exists(text) or not equals or os.sep in label:
        label, source = "", text
    elif not label.strip():
        raise ValueError(f"`model` must have a label before '='; got {text!r}.")
    if not source:
        raise ValueError(f"`model` must be a folder, a file, a hub name or MODULE:FUNCTION; got {text!r}.")
    return label.strip(), os.path.expanduser(source)


def is_clip(source: str) -> bool:
    """Whether it is a CLIP, whose activation, tokenizer and heads can be given."""
    return not is_python(source) and not is_siglip(Path(source))


def file_name(path: str) -> str:
    """The last name of a file or folder that is there; anything else as it is."""
    return os.path.basename(os.path.abspath(os.path.expanduser(path))) if _exists(path) else path


def _exists(path: str) -> bool:
    return os.path.exists(os.path.expanduser(path))


def _told_apart(parts: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Given labels stay; the others are names of files, longer where two are equal."""
    made = [label or file_name(source) for label, source, _ in parts]
    for more in (
        lambda name, source, _: f"{_folder(source)}/{name}" if os.path.exists(source) else name,
        lambda name, _, activation: f"{name} ({activation})" if activation else name,
    ):
        longer = [more(name, source, act) for name, (_, source, act) in zip(made, parts, strict=True)]
        kinds = {name: {new for new, old in zip(longer, made, strict=True) if old == name} for name in made}
        made = [
            new if len(kinds[name]) > 1 and not label else name
            for name, new, (label, *_) in zip(made, longer, parts, strict=True)
        ]
    again = [made[:place].count(name) for place, name in enumerate(made)]
    return [
        f"{name} #{number + 1}" if number and not label else name
        for name, number, (label, *_) in zip(made, again, parts, strict=True)
    ]


def _folder(path: str) -> str:
    return Path(os.path.abspath(path)).parent.name


def asked_benchmarks(
    names: Sequence[str], annotations: Sequence[str], options: Sequence[str]
) -> tuple[AskedBenchmark, ...]:
    """The benchmarks in the given order.

    Errors: an unknown name, one asked for twice, annotations or options that belong to none of them, a benchmark
    without annotations, an option that its loader does not have.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise ValueError(f"`benchmark` must be one of {', '.join(BENCHMARKS)}; got {name!r}.")
        if names.count(name) > 1:
            raise ValueError(f"`benchmark` must name each once; got {name} twice.")
    folders = _by_benchmark("annotations", names, annotations)
    of = {name: dict(_options(name, names, options)) for name in names}
    for text in options:
        key, equals, _ = text.partition("=")
        if not equals or not any(key in (option, f"{name}.{option}") for name in of for option in of[name]):
            known = ", ".join(f"{name}.{option}" for name in names for option in loader_options(name)) or "none"
            raise ValueError(f"`option` must be NAME=VALUE of a loader asked for ({known}); got {text!r}.")
    return tuple(AskedBenchmark(name, folders[name], tuple(of[name].items())) for name in names)


def _by_benchmark(what: str, names: Sequence[str], given: Sequence[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals or name not in names:
            if len(names) != 1:
                known = ", ".join(f"{name}=FOLDER" for name in names) or "left out without a benchmark"
                raise ValueError(f"`{what}` must be {known}; got {text}.")
            name, folder = names[0], text
        if name in found:
            raise ValueError(f"`{what}` must name each benchmark once; got {name} twice.")
        if not _exists(folder):
            raise ValueError(f"`{what}` of {name} must be a folder or file; got {folder}, where there is nothing.")
        found[name] = Path(folder).expanduser()
    for name in names:
        if name not in found:
            files = ", ".join(BENCHMARKS[name].files)
            raise ValueError(f"`{what}` must be given for {name}: the folder that holds {files}; got none.")
    return found


def _options(name: str, names: Sequence[str], given: Sequence[str]) -> list[tuple[str, Any]]:
    known, found = loader_options(name), []
    for text in given:
        key, _, value = text.partition("=")
        owner, dot, option = key.rpartition(".")
        if (option if dot else key) in known and (owner == name or not dot):
            if any(option == one for one, _ in found):
                raise ValueError(f"`option` must give {option} of {name} once; got {text!r} too.")
            found.append((option, _value(option, value, known[option])))
    return found


def _value(name: str, text: str, parameter: inspect.Parameter) -> Any:
    """The text as the loader takes it: a path, a number, a list, a word."""
    kind = str(parameter.annotation)
    if "Path" in kind:
        return Path(text).expanduser()
    several = tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        if "Sequence[int]" in kind:
            return tuple(map(int, several))
        if kind == str(int):
            return int(text)
    except ValueError:
        raise ValueError(f"`option` {name} must be a whole number, or some with commas; got {text!r}.") from None
    return several if "Sequence" in kind else text


def loader_options(name: str) -> Mapping[str, inspect.Parameter]:
    """The options of a benchmark's loader that its name does not fix."""
    load = BENCHMARKS[name].load
    fixed = load.keywords if isinstance(load, functools.partial) else {}
    parameters = inspect.signature(load).parameters
    return {key: one for key, one in parameters.items() if one.kind is one.KEYWORD_ONLY and key not in fixed}


def folders_of(images: Sequence[str]) -> list[str]:
    """The folders among "FOLDER" and "ROOT=FOLDER", as far as they exist."""
    each = (os.path.expanduser(text if os.path.isdir(text) else text.partition("=")[2]) for text in images)
    return [folder for folder in each if os.path.isdir(folder)]
