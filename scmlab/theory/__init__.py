"""Closed forms and constructions of the theory."""

from scmlab.theory.darmois import darmois, optimum
from scmlab.theory.price import merged_law, negatives_price, pairs_law, price, price_limit, rare_price

__all__ = [
    "darmois",
    "merged_law",
    "negatives_price",
    "optimum",
    "pairs_law",
    "price",
    "price_limit",
    "rare_price",
]
