"""scmlab: see and test why contrastive vision-language models fail at composition."""

__version__ = "0.1.0"
