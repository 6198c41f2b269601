"""Embeddings of images and captions, of length 1, differentiable."""

import torch
from jaxtyping import Float, Num
from torch import Tensor
from torch.nn.functional import normalize

from scmlab.models.clip.record import Clip
from scmlab.models.clip.tokens import Tokens


def embed_images(clip: Clip, pixels: Num[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
    """Directions of preprocessed images: the projected class token divided by its length.

    Differentiable in the pixels and the weights; the model's mode and device are taken as they are.
    Errors: another size than the model's; files before `preprocess`; integers, which are pixels before `preprocess`
    or `normalise_pixels`.
    """
    if not isinstance(pixels, Tensor):
        raise ValueError(f"`pixels` must be made of the images by `preprocess` first; got {type(pixels).__name__}.")
    if not pixels.is_floating_point():
        raise ValueError(f"`pixels` must be preprocessed images of floating point; got {pixels.dtype}.")
    size = clip.model.config.vision_config.image_size
    if tuple(pixels.shape[2:]) != (size, size):
        raise ValueError(f"`pixels` must be images of {size} x {size} pixels; got {tuple(pixels.shape[2:])}.")
    return normalize(clip.model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)


def embed_texts(clip: Clip, tokens: Tokens) -> Float[Tensor, "n d"]:
    """Directions of captions: the projected state at `tokens.end` divided by its length.

    Attention is causal, so what follows the end changes nothing; a token that `attention_mask` leaves out is not
    attended to. Differentiable in the weights. Errors: captions before `tokenize`.
    """
    if not isinstance(tokens, Tokens):
        raise ValueError(f"`tokens` must be made of the captions by `tokenize` first; got {type(tokens).__name__}.")
    model = clip.model.text_model
    states = model(input_ids=tokens.ids, attention_mask=tokens.attention_mask).last_hidden_state
    ends = states[torch.arange(len(states), device=states.device), tokens.end]
    return normalize(clip.model.text_projection(ends), dim=-1)
