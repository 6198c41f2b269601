"""The price of composition: how much InfoNCE loses when captions that differ in meaning get one embedding (ours).

Z is discrete, a function of the image and of the caption, with law p; the text encoder sees only m(Z). The loss is the
mean of both directions, in nats; its infimum is over all pairwise critics (the image encoder is re-optimised). These
are bounds on the loss that training can gain from telling the merged values apart; that they explain the behaviour of
trained models is a hypothesis.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from scmlab.objectives import discrete_floor

Law = Float[Tensor, " z"]
Merge = Int[Tensor, " m"]  # of the law's length


def merged_law(law: Law, merge: Merge) -> Float[Tensor, " c"]:
    """P(m(Z) = c) for the classes c = 0, 1, ...; `merge` holds the class of each value. Errors: shapes that differ."""
    if law.shape != merge.shape or law.numel() == 0 or merge.min() < 0:
        raise ValueError(f"`merge` must give each of {law.numel()} values a class >= 0; got {merge.tolist()}.")
    return torch.zeros(int(merge.max()) + 1, dtype=torch.float64).index_add_(0, merge.long(), law.double())


def price(law: Law, merge: Merge, batch: int) -> float:
    """E log n_class - E log n_same, n = 1 + Bin(batch - 1, P): the merged infimum minus the true one; nats, >= 0.

    n counts the batch's items (the positive included) whose value is the positive's, after and before merging: no
    critic can rank the positive above them. Approached as the temperature falls or the scale grows, not attained.
    """
    return discrete_floor(merged_law(law, merge), batch) - discrete_floor(law, batch)


def price_limit(law: Law, merge: Merge) -> float:
    """H(Z | m(Z)), the price for infinitely many negatives; nats. Pairs with odds (1 - e):e give sum_c P(c) h2(e_c)."""
    classes = merged_law(law, merge)
    return (torch.special.entr(law.double()).sum() - torch.special.entr(classes).sum()).item()


def rare_price(law: Law, merge: Merge, batch: int) -> float:
    """The price to first order where batch * P(class) << 1: ln 2 (batch - 1) E_z[P(m(z)) - p(z)]; nats.

    One further item of the class costs ln 2, and two of them are too rare to count.
    """
    gained = merged_law(law, merge)[merge.long()] - law.double()
    return math.log(2) * (batch - 1) * (law.double() * gained).sum().item()


def pairs_law(pairs: int, odds: float) -> tuple[Law, Merge]:
    """`pairs` equally likely pairs of values with odds (1 - e) : e inside, each pair merged: the law and the merge."""
    if pairs < 1 or not 0 <= odds <= 0.5:
        raise ValueError(f"`pairs` must be >= 1 and `odds` in [0, 1/2]; got {pairs} and {odds}.")
    law = torch.tensor([1 - odds, odds], dtype=torch.float64).repeat(pairs) / pairs
    return law, torch.arange(pairs).repeat_interleave(2)


def negatives_price(law: Law, merge: Merge, batch: int, negatives: int, *, shared: bool) -> float:
    """What a merged encoder loses from image to text by K = `negatives` captions of each one's merged value; nats.

    Against the true optimum, for which off-support negatives cost nothing (temperature 0):

        shared by the batch   log(1 + K) + E log n_class - E log n_same
        own negatives only    E log(n_class + K) - E log n_same

    The other direction loses `price`; the symmetric loss is the mean of both. Errors: a negative number of negatives.
    """
    if negatives < 0:
        raise ValueError(f"`negatives` must be >= 0; got {negatives}.")
    if shared:
        return math.log1p(negatives) + price(law, merge, batch)
    return discrete_floor(merged_law(law, merge), batch, ties=negatives) - discrete_floor(law, batch)
