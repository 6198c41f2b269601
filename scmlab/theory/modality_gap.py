"""The modality gap: its measures, what it does to rankings, and how blindness of one side shows on the other.

Image codes minus caption codes of pairs are often nearly one constant vector, orthogonal to the spans of the centred
codes (Liang et al. 2022; Zhang et al. 2023). Let d be such a vector.

    x . (y + d) = x . y + x . d            x . d is one number for all x where d is orthogonal to the centred x
    |y + d|^2 = |y|^2 + 2 y . d + |d|^2    one number for all y of one length where d is orthogonal to the centred y

so a constant gap orthogonal to both centred spans changes no ranking: by dot product or distance of any codes, by
cosine of codes of one length. Source: arXiv 2510.26302 links the gap to composition; this form is reconstructed.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Gap:
    """Measures of the differences d_i = image_i - text_i of n pairs, with the mean difference d.

    length      |d|, in the codes' unit
    direction   mean_i cos(d_i, d); 1 where all pairs differ in one direction
    spread      sqrt(mean_i |d_i - d|^2) / |d|; 0 iff the gap is constant
    along       share of the variance of the centred codes, both modalities, that lies along d, in [0, 1]; 0 iff d is
                orthogonal to both centred spans
    principal   |cos(d, r-th principal direction)| of the centred codes, by decreasing variance
    """

    length: float
    direction: float
    spread: float
    along: float
    principal: Float[Tensor, " k"]


def modality_gap(image: Float[Tensor, "n k"], text: Float[Tensor, "n k"]) -> Gap:
    """The measures of the gap between paired codes; float64.

    Principal directions are those of the images centred at their mean together with the captions centred at theirs;
    directions of no variance are included last. Source: Liang et al. 2022; Zhang et al. 2023; `spread` and `along`
    ours. Errors: fewer than two pairs, shapes that differ, no gap at all.
    """
    if image.shape != text.shape or len(image) < 2:
        raise ValueError(
            f"`text` must have the shape of `image`, of two pairs or more; got {tuple(image.shape)} and "
            f"{tuple(text.shape)}."
        )
    x, y = image.double(), text.double()
    differences = x - y
    gap = differences.mean(0)
    length = gap.norm()
    if not length > 0:
        raise ValueError(f"`image` and `text` must have different means; got a gap of length {length.item()}.")
    unit = gap / length
    centred = torch.cat((x - x.mean(0), y - y.mean(0)))
    # the same directions as of `centred` itself, whose full factors would hold a matrix (2 n, 2 n)
    directions = torch.linalg.svd(torch.linalg.qr(centred, mode="r").R, full_matrices=True).Vh
    total = centred.square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    return Gap(
        length.item(),
        torch.nn.functional.cosine_similarity(differences, gap[None]).mean().item(),
        ((differences - gap).square().sum(-1).mean().sqrt() / length).item(),
        ((centred @ unit).square().sum() / total).item(),
        (directions @ unit).abs(),
    )


def score_matrix(
    image: Float[Tensor, "*m n k"], text: Float[Tensor, "*m p k"], similarity: Literal["dot", "cosine", "distance"]
) -> Float[Tensor, "*m n p"]:
    """s(x_i, y_j): inner product, cosine, or minus the squared distance. Errors: another name."""
    if similarity == "dot":
        return image @ text.mT
    if similarity == "cosine":
        return torch.nn.functional.normalize(image, dim=-1) @ torch.nn.functional.normalize(text, dim=-1).mT
    if similarity == "distance":
        return -(image[..., :, None, :] - text[..., None, :, :]).square().sum(-1)
    raise ValueError(f"`similarity` must be 'dot', 'cosine' or 'distance'; got {similarity!r}.")


def reordered(scores: Float[Tensor, "n p"], others: Float[Tensor, "n p"], *, tolerance: float = 1e-10) -> float:
    """Share of comparisons that differ between two score matrices, in [0, 1].

    A comparison is of two captions for one image, or of two images for one caption; it is >, < or a tie. Scores within
    `tolerance` tie. Cubic in the number of codes. Errors: shapes that differ, fewer than two rows or columns.
    """
    if scores.shape != others.shape or min(scores.shape) < 2:
        raise ValueError(
            f"`others` must have the shape of `scores`, 2 x 2 or larger; got {tuple(others.shape)} and "
            f"{tuple(scores.shape)}."
        )

    def order(s: Tensor) -> Tensor:
        gaps = s[:, :, None] - s[:, None, :]
        return gaps.sign() * (gaps.abs() > tolerance)

    changed = torch.cat([(order(a) != order(b)).flatten() for a, b in ((scores, others), (scores.mT, others.mT))])
    compared = torch.cat([_off_diagonal(s.shape) for s in (scores, scores.mT)])
    return changed[compared].double().mean().item()


def typical_distance(codes: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """Root mean squared distance of two of the codes, sqrt(2 sum_k var_k) with variances over n - 1."""
    return (2 * codes.var(0).sum()).sqrt()


def moves(
    codes: Float[Tensor, "n k"], edited: Float[Tensor, "n k"], *, unit: Float[Tensor, ""] | None = None
) -> Float[Tensor, " n"]:
    """How far each edit moves a code, |edited_i - codes_i| / unit.

    unit   without it `typical_distance(codes)`; that of more codes where `codes` are some of them

    0 is blind to the edit; about 1 is as far as to another pair's code. Errors: shapes that differ; without a unit,
    codes that are all equal.
    """
    if codes.shape != edited.shape:
        raise ValueError(f"`edited` must have the shape of `codes`, {tuple(codes.shape)}; got {tuple(edited.shape)}.")
    if unit is None:
        unit = typical_distance(codes) if len(codes) > 1 else codes.new_zeros(())
        if not unit > 0:
            raise ValueError(f"`codes` must not all be equal; got a root mean squared distance of {unit.item()}.")
    distance = (edited - codes).norm(dim=-1)
    return torch.where(distance == 0, distance, distance / unit)  # 0 by a unit of 0 is no move


@dataclass(frozen=True)
class Agreement:
    """Shares of the edits to which both encoders are blind, neither is, only the text's is, only the image's is."""

    both: float
    neither: float
    text_only: float
    image_only: float

    @property
    def share(self) -> float:
        """Share of the edits on which the two sides agree."""
        return self.both + self.neither


def agreement(text_moves: Float[Tensor, " n"], image_moves: Float[Tensor, " n"], *, blind_below: float) -> Agreement:
    """Edit by edit, whether text-side and image-side blindness agree; a measurement, not a theorem.

    Blind: the edit moves the code by less than `blind_below`, in the unit of `moves`. Errors: no edits, numbers of
    edits that differ.
    """
    if text_moves.shape != image_moves.shape or not len(text_moves):
        raise ValueError(
            f"`image_moves` must be of the same edits as `text_moves`, at least one; got {len(image_moves)} and "
            f"{len(text_moves)}."
        )
    text, image = text_moves < blind_below, image_moves < blind_below

    def share(edits: Bool[Tensor, " n"]) -> float:
        return edits.double().mean().item()

    return Agreement(share(text & image), share(~text & ~image), share(text & ~image), share(~text & image))


def _off_diagonal(shape: torch.Size) -> Bool[Tensor, " q"]:
    rows, columns = shape
    return ~torch.eye(columns, dtype=torch.bool).expand(rows, -1, -1).flatten()
