"""Experiments: python -m scmlab.experiments NAME."""
