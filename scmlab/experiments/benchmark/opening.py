"""Opening the models that are asked for, and, before anything is scored, looking whether they can be."""

import os
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scmlab.benchmarks.models import Model, function_of, is_python, open_model
from scmlab.experiments.benchmark.config import Config
from scmlab.experiments.benchmark.given import AskedModel, asked_models, is_clip
from scmlab.experiments.finetune.start import warnings_said
from scmlab.scm.store import BadFile


def check_models(config: Config) -> None:
    """Open each once and say on stderr what its files do not say; import what is Python's, without calling it.

    So that a mistake in the last model does not show after hours with the first.
    Errors (BadFile, ValueError): a model that cannot be opened; a tokenizer or heads without a CLIP that takes them.
    """
    models = asked_models(config.model, config.activation)
    if (config.tokenizer or config.heads) and not any(is_clip(one.source) for one in models):
        raise ValueError("`tokenizer` and `heads` must be for files of a CLIP's weights; got them without such a file.")
    for asked in models:
        if is_python(asked.source):
            _guarded(function_of, asked.source)(asked.source)
            continue
        with warnings_said():
            _opened(asked, models, config, "cpu")


def open_asked(asked: AskedModel, config: Config, device: str) -> Model:
    """The model, on the device, under its label; `check_models` has said what is to be said of it.

    Errors (BadFile): as there; whatever Python's own code raises, in one sentence.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = _opened(asked, asked_models(config.model, config.activation), config, device)
    return replace(model, name=asked.label)


def _opened(asked: AskedModel, models: Sequence[AskedModel], config: Config, device: str) -> Model:
    if is_python(asked.source):
        model = _guarded(open_model, asked.source)(asked.source)
        codes = {name: _guarded(getattr(model, name), asked.source) for name in ("encode_image", "encode_text")}
        return replace(model, **codes)
    try:
        return open_model(asked.source, device=device, **_options(asked, models, config))
    except BadFile as error:
        raise BadFile(str(error).replace("`source`", "`model`")) from None


def _options(asked: AskedModel, models: Sequence[AskedModel], config: Config) -> dict[str, Any]:
    """Tokenizer and heads go to bare files of weights, and to folders where there is no such file."""
    given: dict[str, Any] = {"activation": asked.activation}
    if os.path.isfile(asked.source) or not any(os.path.isfile(one.source) for one in models):
        given |= {"tokenizer": config.tokenizer, "heads": config.heads} if is_clip(asked.source) else {}
    return given


def _guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function, of the model `name`. Errors: BadFile with what else than missing memory or modules it raises."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (BadFile, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:  # code that is not ours raises anything
            if "out of memory" in str(error) or "allocate memory" in str(error):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
            said = (str(error).splitlines() or [""])[0].strip(" .")
            why = f"{where}: {said:.200}" if said else where
            raise BadFile(f"`model` must run without errors; {name} raises {why}.") from error

    return call
