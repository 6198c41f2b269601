"""Load a CLIP: a folder or hub name in transformers' layout, or open_clip's files, converted."""

import warnings
from dataclasses import replace
from pathlib import Path

import torch

from scmlab.models.clip.build import empty_model
from scmlab.models.clip.files import read_state
from scmlab.models.clip.hub import download, is_hub_name
from scmlab.models.clip.images import Preprocessing
from scmlab.models.clip.load_transformers import from_transformers
from scmlab.models.clip.open_clip import NO_WEIGHTS, OPEN_CLIP_WEIGHTS, OTHERS, from_open_clip, spec_of, to_open_clip
from scmlab.models.clip.preprocessing_files import preprocessing_from_open_clip, read_object
from scmlab.models.clip.record import Clip
from scmlab.models.clip.spec import check_activation, chosen_activation
from scmlab.models.clip.tokenizer_files import TokenizerSource, check_vocabulary, get_tokenizer, has_tokenizer
from scmlab.models.clip.weights import OtherArchitecture, compare, fill
from scmlab.scm.store import BadFile

# what open_clip's configuration can say that changes the embeddings and not the names or shapes of the weights
BOTH = {"final_ln_after_pool": False, "act_kwargs": {}, "norm_kwargs": {}}
ONLY = {
    "vision_cfg": {"pool_type": "tok", "global_average_pool": False, **BOTH},
    "text_cfg": {"pool_type": "argmax", "no_causal_mask": False, **BOTH},
}


def load_clip(
    source: str | Path,
    *,
    tokenizer: TokenizerSource = None,
    activation: str | None = None,
    heads: tuple[int, int] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Clip:
    """The CLIP in `source`, in evaluation mode, on the CPU.

    source      a folder in transformers' layout (config.json) or open_clip's (open_clip_config.json), a file of
                open_clip (.safetensors, or of torch.save: NegCLIP, CLIP-CAE), or a name of the Hugging Face hub
    tokenizer   an object, a folder, or OpenAI's file of merges; without it that of the folder, and for a file that of
                an installed open_clip_torch
    activation  "quickgelu" or "gelu"; without it what the folder says. A bare file does not say: "quickgelu", with
                which OpenAI trained, and a warning. A choice that contradicts the folder is obeyed, with a warning
    heads       of the image and the text transformer, for open_clip's; without it what the folder says, and for a file
                one per 64 of width, as OpenAI's

    Nothing in the files is run. Weights are converted to `dtype`. What open_clip calls SigLIP, CoCa or a ResNet is
    another architecture.
    Errors: BadFile, which names file, key or what to download where.
    """
    if activation is not None:
        check_activation(activation)
    path, name = Path(source), str(source)
    if not path.exists() and is_hub_name(name):
        path = download(name)
    if (path / "config.json").is_file():
        if heads is not None:
            raise BadFile(f"`heads` must be left out for a folder with config.json, which says them; got {heads}.")
        return from_transformers(path, name, tokenizer=tokenizer, activation=activation, dtype=dtype)
    if (path / "open_clip_config.json").is_file():
        return _from_open_clip_folder(path, name, tokenizer, activation, heads, dtype)
    if path.is_dir():
        raise BadFile(f"`source` must hold config.json or open_clip_config.json; got {path}, which has neither.")
    if not path.is_file():
        raise BadFile(
            f"`source` must be an existing file or folder, or a name of the hub as owner/model; got {source}."
        )
    return _from_open_clip(path, name, tokenizer, activation, heads, dtype)


def _from_open_clip_folder(
    path: Path,
    name: str,
    tokenizer: TokenizerSource,
    activation: str | None,
    heads: tuple[int, int] | None,
    dtype: torch.dtype,
) -> Clip:
    file = path / "open_clip_config.json"
    config = read_object(file)
    try:
        cfg = config["model_cfg"]
        vision, text = cfg["vision_cfg"], cfg["text_cfg"]
        said = "quickgelu" if cfg.get("quick_gelu", False) else "gelu"
        heads = heads or (vision["width"] // vision.get("head_width", 64), text.get("heads", 8))
    except (KeyError, TypeError, AttributeError):
        raise BadFile(f"`source` must describe a CLIP of two transformers; got {file}, which does not.") from None
    _refuse_other_transformers(cfg, file)
    weights = [path / weights for weights in OPEN_CLIP_WEIGHTS if (path / weights).is_file()]
    if not weights:
        raise BadFile(f"`source` must hold {' or '.join(OPEN_CLIP_WEIGHTS)}; got {path}, which has neither.")
    activation = chosen_activation(said, activation, name)
    if tokenizer is None and has_tokenizer(path):
        tokenizer = path
    clip = _from_open_clip(weights[0], name, tokenizer, activation, heads, dtype)
    return replace(clip, preprocessing=preprocessing_from_open_clip(file, config, size=clip.preprocessing.size))


def _refuse_other_transformers(config: dict, file: Path) -> None:
    for part, only in ONLY.items():
        for name, value in only.items():
            if (found := config[part].get(name) or value) != value:
                raise BadFile(f"`{name}` of {part} must be {value}, as in CLIP; got {found!r} in {file}.")


def _from_open_clip(
    path: Path,
    name: str,
    tokenizer: TokenizerSource,
    activation: str | None,
    heads: tuple[int, int] | None,
    dtype: torch.dtype,
) -> Clip:
    state = {key: tensor for key, tensor in read_state(path).items() if key not in NO_WEIGHTS}
    if OTHERS["token_embedding.weight"] in state:
        raise BadFile(f"`source` must be the folder, with config.json, of transformers' weights; got the file {path}.")
    try:
        spec, vocabulary = spec_of(state, activation=activation or "quickgelu", heads=heads)
        if activation is None:
            _warn_unsaid(name)
        found = get_tokenizer(tokenizer, context=spec.context)
        check_vocabulary(found, vocabulary, str(path), end_is_last=True)
        model = empty_model(spec, vocabulary=vocabulary, start=found.bos_token_id, end=found.eos_token_id)
        compare(state, to_open_clip(model.state_dict()))
        fill(model, from_open_clip(state), dtype=dtype)
    except OtherArchitecture as error:
        raise BadFile(
            f"`source` must be a CLIP of two transformers in open_clip's layout; got {path}: {error}."
        ) from None
    return Clip(model, found, Preprocessing(spec.image_size), spec.activation, name)


def _warn_unsaid(name: str) -> None:
    warnings.warn(
        f"{name} does not say its activation and is read with quickgelu, with which OpenAI's weights and their "
        "fine-tuned copies were trained: pass activation='quickgelu' or, as published numbers of NegCLIP and its kin "
        "were scored, activation='gelu'.",
        stacklevel=4,
    )
