"""Models that can be scored: a CLIP of this library, a SigLIP, or any object with encode_image and encode_text."""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool

from scmlab.benchmarks.siglip import is_siglip, read_siglip
from scmlab.scm.store import BadFile

if TYPE_CHECKING:
    from PIL.Image import Image

    from scmlab.models.clip import Clip

VERSION = 2
"""Of what happens between an image file and a code: another one never reads codes of this one."""

CPU_IMAGES = 16
"""Images in a CLIP at once on the CPU: the activations of 64 take 12 % longer, as they leave the processor's cache."""


@dataclass(frozen=True, eq=False)
class Model:
    """What turns images and captions into codes that are compared by their cosine.

    name          as given, for tables
    identity      SHA-256 of all that decides its codes; '' where that is not known: then codes are not kept on disk
    activation    "quickgelu", "gelu", or what the model says of itself; '' where it says nothing
    prepare       an RGB image -> what `encode_image` takes; may run in several threads at once
    encode_image  list of n prepared images -> [n d]
    encode_text   list of n captions -> [n d]
    cut           whether captions are longer than what the model reads; None where that is not known
    clip          the CLIP itself, for what looks inside it, such as attribution; None for Python's own
    """

    name: str
    identity: str
    activation: str
    prepare: Callable[["Image"], Any]
    encode_image: Callable[[Sequence[Any]], Any]
    encode_text: Callable[[Sequence[str]], Any]
    cut: Callable[[Sequence[str]], Bool[np.ndarray, " n"]] | None = None
    clip: "Clip | None" = None


def open_model(
    source: str | Path,
    *,
    activation: str | None = None,
    tokenizer: Any = None,
    heads: tuple[int, int] | None = None,
    device: str = "cpu",
) -> Model:
    """The model in `source`.

    source      a folder or file of a CLIP, as of `scmlab.models.clip.load_clip`; a folder of a SigLIP, as of
                `read_siglip`; or "module:function" of Python, which is imported and called without arguments. It gives
                an object with encode_image(list of Pillow images in RGB) and encode_text(list of captions), both ->
                [n d]; also read where it has them: identity (a string that changes whenever its codes do), activation
    activation  of a CLIP: "quickgelu" or "gelu"; without it what the files say
    tokenizer, heads   of a CLIP, as of `load_clip`
    device      of a CLIP: "cpu", "cuda" ...
    Errors: as of `load_clip`; no such module or function; an object without both methods; options of a CLIP given for
    another model.
    """
    name = str(source)
    if is_python(name):
        if any(option is not None for option in (activation, tokenizer, heads)):
            raise ValueError(f"`activation`, `tokenizer` and `heads` must be left to {name} itself; got one.")
        return _of_python(name)
    if is_siglip(Path(name)):
        if any(option is not None for option in (activation, tokenizer, heads)):
            raise ValueError(f"`activation`, `tokenizer` and `heads` must be left to the SigLIP in {name}; got one.")
        given = read_siglip(Path(name), device)
        return Model(name=name, **given | {"identity": _versioned(given["identity"])})
    from scmlab.models.clip import load_clip

    return of_clip(load_clip(source, tokenizer=tokenizer, activation=activation, heads=heads).to(device), name=name)


def of_clip(clip: "Clip", *, name: str | None = None) -> Model:
    """A CLIP as a model, on the device where it is.

    Its codes on the CPU and on a GPU differ in rounding: they are kept apart. The CLIP must stay as it is then.
    """
    import torch

    from scmlab.benchmarks.exact import exact
    from scmlab.models.clip import clip_hash, embed_images, preprocess, tokenize
    from scmlab.models.clip.inference import for_inference
    from scmlab.models.clip.prefixes import embed_texts_shared

    towers = for_inference(clip) if clip.device.type == "cpu" else clip

    def encode_image(pixels: Sequence[torch.Tensor]) -> torch.Tensor:
        step = CPU_IMAGES if clip.device.type == "cpu" else len(pixels)
        with torch.inference_mode(), exact(clip.device):
            parts = (torch.cat(list(pixels[start : start + step])) for start in range(0, len(pixels), step))
            return torch.cat([embed_images(towers, part.to(clip.device, clip.model.dtype)) for part in parts])

    def encode_text(captions: Sequence[str]) -> torch.Tensor:
        with torch.inference_mode(), exact(clip.device):
            return embed_texts_shared(towers, tokenize(clip, captions).to(clip.device))

    return Model(
        name=clip.source if name is None else name,
        identity=_versioned(f"{clip_hash(clip)} {clip.device.type}"),
        activation=clip.activation,
        prepare=lambda image: preprocess([image], clip.preprocessing),
        encode_image=encode_image,
        encode_text=encode_text,
        cut=lambda captions: tokenize(clip, captions).truncated.numpy(),
        clip=clip,
    )


def is_python(source: str) -> bool:
    """Whether it is module:function, and no file of that name."""
    return bool(re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", source)) and not Path(source).exists()


def function_of(name: str) -> Callable[[], Any]:
    """The function of "module:function". Errors: BadFile for no such module or function; what importing it raises."""
    module, function = name.split(":")
    try:
        found = getattr(importlib.import_module(module), function, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, something that it imports is not
        raise BadFile(f"`model` must be a folder, a file or module:function; got {name}, and no {module}.") from None
    if not callable(found):
        raise BadFile(f"`model` must name a function of the module; got {name}, and {module} has none.")
    return found


def _versioned(identity: str) -> str:
    return sha256(f"{VERSION} {identity}".encode()).hexdigest()


def _of_python(name: str) -> Model:
    made = function_of(name)()
    for method in ("encode_image", "encode_text"):
        if not callable(getattr(made, method, None)):
            raise BadFile(f"`model` must give an object with encode_image and encode_text; {name} gives no {method}.")
    said, activation = getattr(made, "identity", ""), getattr(made, "activation", "")
    if not isinstance(said, str) or not isinstance(activation, str):
        raise BadFile(f"`identity` and `activation` of the model must be strings; got others from {name}.")
    identity = _versioned(f"{name} {said}") if said else ""
    return Model(name, identity, activation, lambda image: image, made.encode_image, made.encode_text)
