"""Symmetric InfoNCE: cross-modal negatives, or the within-modality negatives of the identifiability literature."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from scmlab.objectives.pairwise import pairwise_logsumexp

Similarity = Literal["cosine", "distance"]
Codes = Float[Tensor, "*m n k"]


def infonce(
    image: Codes, text: Codes, *, similarity: Similarity = "distance", temperature: float = 1.0
) -> Float[Tensor, "*m"]:
    """Mean over both directions of the cross-entropy of picking the pair's other half among the batch; nats, >= 0.

        L = -1/(2n) sum_i [ log softmax_j(s(x_i, y_j))_i + log softmax_j(s(x_j, y_i))_i ]

    similarity   'cosine': s = cos(x, y) / temperature, as CLIP; 'distance': s = -|x - y|^2 / temperature
    One loss per leading (member) dimension. Exact and tiled: memory grows linearly with n.
    Source: Radford et al. 2021; Chen et al. 2025 (arXiv 2510.26302) for the multimodal reading.
    """
    if image.shape != text.shape:
        raise ValueError(f"`text` must have the shape of `image`, {tuple(image.shape)}; got {tuple(text.shape)}.")
    a, b, row, col = _scored(image, text, similarity, temperature)
    over_rows, over_cols, positive = pairwise_logsumexp(a, b, row, col)
    return ((over_rows + over_cols) / 2 - positive).mean(-1)


def infonce_within(
    image: Codes,
    text: Codes,
    image_fresh: Codes,
    text_fresh: Codes,
    *,
    similarity: Similarity = "distance",
    temperature: float = 1.0,
) -> Float[Tensor, "*m"]:
    """The literature's form: the positive is the pair, the negatives are a fresh batch of the *same* modality; >= 0.

        L = 1/(2n) sum_i [ log(e^p_i + sum_j e^s(x_i, x'_j)) + log(e^p_i + sum_j e^s(y_i, y'_j)) - 2 p_i ]

    with p_i = s(x_i, y_i).

    The public codes of von Kuegelgen et al. 2021, Daunhawer et al. 2023 and Yao et al. 2024 take the mean over the
    n + 1 terms instead of their sum: their value is this one minus log(n + 1).
    """
    a, b, row, col = _scored(image, text, similarity, temperature)
    positive = (a * b).sum(-1) + row + col
    total = torch.zeros_like(positive)
    for codes, fresh in ((image, image_fresh), (text, text_fresh)):
        negatives, _, _ = pairwise_logsumexp(*_scored(codes, fresh, similarity, temperature))
        total = total + torch.logaddexp(positive, negatives)
    return (total / 2 - positive).mean(-1)


def _scored(x: Tensor, y: Tensor, similarity: Similarity, temperature: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """a, b, row, col with s(x_i, y_j) = a_i . b_j + row_i + col_j."""
    if similarity not in ("cosine", "distance"):
        raise ValueError(f"`similarity` must be 'cosine' or 'distance'; got {similarity!r}.")
    if x.ndim < 2 or x.shape[-1] != y.shape[-1] or x.shape[:-2] != y.shape[:-2] or not x.is_floating_point():
        raise ValueError(
            f"`image` and `text` must be real codes (..., n, k) of one k; got {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if not temperature > 0:
        raise ValueError(f"`temperature` must be positive; got {temperature}.")
    if similarity == "cosine":
        a = torch.nn.functional.normalize(x, dim=-1) / temperature
        b = torch.nn.functional.normalize(y, dim=-1)
        return a, b, a.new_zeros(a.shape[:-1]), b.new_zeros(b.shape[:-1])
    # |x - y|^2 from inner products loses digits far from the origin: distances do not change when both move alike
    centre = y.detach().mean(-2, keepdim=True)
    x, y = x - centre, y - centre
    return 2 / temperature * x, y, -x.square().sum(-1) / temperature, -y.square().sum(-1) / temperature
