"""Encoders as ensembles of members."""

from scmlab.models.encoders import Encoder, EncoderSpec

__all__ = ["Encoder", "EncoderSpec"]
