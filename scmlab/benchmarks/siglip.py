"""SigLIP as a model that can be scored, from a folder in transformers' layout."""

import json
from collections.abc import Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scmlab.benchmarks.exact import exact
from scmlab.models.clip.reason import reason
from scmlab.scm.store import BadFile

NEEDED = ("config.json", "preprocessor_config.json", "tokenizer_config.json")
CONTENT = (".json", ".safetensors", ".model", ".txt")
"""Endings of the files that decide a model's codes."""


def is_siglip(source: Path) -> bool:
    """Whether the folder's config.json says so; what cannot be read is none."""
    try:
        config = json.loads((source / "config.json").read_text())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == "siglip"


def read_siglip(source: Path, device: str) -> dict[str, Any]:
    """The fields of a `Model`: identity, activation, prepare, encode_image, encode_text, cut.

    float32. Captions are filled up to the context, as in training: the model reads the last place. Nothing in the
    files is run, weights are safetensors alone. Source: `SiglipModel` of transformers.
    Errors: BadFile for missing files, weights that are not the configuration's, a tokenizer of other tokens.
    """
    for name in NEEDED:
        if not (source / name).is_file():
            raise BadFile(f"`source` must hold {', '.join(NEEDED)} and model.safetensors; got {source} without {name}.")
    model, processor, tokenizer = _load(source)
    text = model.config.text_config
    if len(tokenizer) > text.vocab_size:
        raise BadFile(
            f"`source` must have a tokenizer of at most {text.vocab_size} tokens; got {len(tokenizer)} in {source}."
        )
    model, context = model.eval().to(device), text.max_position_embeddings

    def prepare(image: Any) -> torch.Tensor:
        return processor(images=[image], return_tensors="pt")["pixel_values"]

    def encode_image(pixels: Sequence[torch.Tensor]) -> torch.Tensor:
        with torch.inference_mode(), exact(device):
            return model.get_image_features(torch.cat(list(pixels)).to(device)).pooler_output

    def encode_text(captions: Sequence[str]) -> torch.Tensor:
        options = {"padding": "max_length", "max_length": context, "truncation": True, "return_tensors": "pt"}
        with torch.inference_mode(), exact(device):
            return model.get_text_features(tokenizer(list(captions), **options)["input_ids"].to(device)).pooler_output

    def cut(captions: Sequence[str]) -> np.ndarray:
        return np.array([len(ids) > context for ids in tokenizer(list(captions), verbose=False)["input_ids"]])

    activations = {text.hidden_act, model.config.vision_config.hidden_act}
    return {
        "identity": _identity(source, device),
        "activation": ", ".join(sorted(activations)),
        "prepare": prepare,
        "encode_image": encode_image,
        "encode_text": encode_text,
        "cut": cut,
    }


def _load(source: Path) -> tuple[Any, Any, Any]:
    try:
        from transformers import AutoTokenizer, SiglipImageProcessorPil, SiglipModel
        from transformers.utils import logging
    except ImportError:
        raise ModuleNotFoundError(
            "SigLIP needs transformers: pip install 'scmlab[clip]'.", name="transformers"
        ) from None
    said = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        model, report = SiglipModel.from_pretrained(
            source, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
        processor = SiglipImageProcessorPil.from_pretrained(source, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    except Exception as error:  # their errors are of every kind
        raise BadFile(f"`source` must hold a SigLIP that transformers reads; got {source} ({reason(error)}).") from None
    finally:
        logging.set_verbosity(said)
    wrong = sorted(map(str, (*report["missing_keys"], *report["unexpected_keys"], *report["mismatched_keys"])))
    if wrong:
        raise BadFile(f"`source` must hold the SigLIP of its config.json; got other weights in {source}: {wrong[0]}.")
    return model, processor, tokenizer


def _identity(source: Path, device: str) -> str:
    """Of the files' names and content, and of the kind of device."""
    total = sha256(f"siglip {torch.device(device).type}".encode())
    for path in sorted(source.iterdir()):
        if path.suffix in CONTENT:
            with path.open("rb") as file:
                total.update(f"{path.name} {file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()
