"""Closed forms and constructions of the theory."""

from scmlab.theory.darmois import darmois, optimum

__all__ = ["darmois", "optimum"]
