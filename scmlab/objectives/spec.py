"""An objective as data: which loss, its similarity and temperature, and the floor below which it cannot fall."""

import math
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from scmlab.models.encoders import Space
from scmlab.objectives.alignment import alignment, alignment_entropy
from scmlab.objectives.infonce import Codes, Similarity, infonce, infonce_within
from scmlab.scm.equations import is_count


@dataclass(frozen=True)
class Objective:
    """A loss and its settings.

    kind   'infonce' (cross-modal), 'infonce_within' (the literature's), 'alignment_entropy', 'alignment' (no negatives)
    similarity, temperature   of InfoNCE
    neighbours   of the entropy estimate in 'alignment_entropy'
    """

    kind: Literal["infonce", "infonce_within", "alignment_entropy", "alignment"] = "infonce"
    similarity: Similarity = "distance"
    temperature: float = 1.0
    neighbours: int = 4

    def __post_init__(self) -> None:
        kinds = ("infonce", "infonce_within", "alignment_entropy", "alignment")
        if self.kind not in kinds:
            raise ValueError(f"`kind` of an objective must be one of {', '.join(kinds)}; got {self.kind!r}.")
        if self.similarity not in ("cosine", "distance"):
            raise ValueError(f"`similarity` must be 'cosine' or 'distance'; got {self.similarity!r}.")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"`temperature` must be positive and finite; got {self.temperature}.")
        if not is_count(self.neighbours, 1):
            raise ValueError(f"`neighbours` must be an integer >= 1; got {self.neighbours}.")

    @property
    def batches(self) -> int:
        """How many independent batches a step draws: 2 where the negatives are a fresh batch."""
        return 2 if self.kind == "infonce_within" else 1


def loss(spec: Objective, image: Codes, text: Codes) -> Float[Tensor, "*m"]:
    """The objective's value per member. With `spec.batches` = 2 the second half of the pairs is the fresh batch."""
    scale = {"similarity": spec.similarity, "temperature": spec.temperature}
    if spec.kind == "infonce":
        return infonce(image, text, **scale)
    if spec.kind == "infonce_within":
        (x, x_fresh), (y, y_fresh) = image.chunk(2, -2), text.chunk(2, -2)
        return infonce_within(x, y, x_fresh, y_fresh, **scale)
    if spec.kind == "alignment_entropy":
        return alignment_entropy(image, text, neighbours=spec.neighbours)
    return alignment(image, text)


def floor(spec: Objective, *, space: Space, out: int, batch: int) -> float:
    """A value that the loss cannot go below, in its own unit (nats, or squared distance for 'alignment').

    alignment                      0, attained
    alignment_entropy              0, attained in the cube (in exact arithmetic); -inf in R^out: no bound on entropy
    infonce, distance in R^out     0, the infimum: approached by aligned codes of growing scale
    infonce, bounded similarity    log(1 + (n - 1) exp(-D)), D the largest mean difference between the similarity of a
                                   pair and that of a mismatched one: Jensen's inequality; n / (n - 1) / temperature for
                                   the cosine, n / (n - 1) * out / (2 temperature) for distances in the cube. Attained
                                   by a simplex (n <= out + 1 on the sphere), else only a bound.
    infonce_within                 the same with n negatives that need not average to the mean: the largest difference
                                   between two single scores
    """
    if spec.kind in ("alignment", "alignment_entropy"):
        return -math.inf if spec.kind == "alignment_entropy" and space == "real" else 0.0
    if spec.similarity == "distance" and space == "real":
        return 0.0
    cosine = spec.similarity == "cosine"
    if spec.kind == "infonce_within":
        spread = (2 if cosine else 4 if space == "sphere" else out) / spec.temperature
        return math.log1p(batch * math.exp(-spread))
    if batch < 2:
        return 0.0
    spread = 1 if cosine else 2 if space == "sphere" else out / 2
    return math.log1p((batch - 1) * math.exp(-spread * batch / (batch - 1) / spec.temperature))
