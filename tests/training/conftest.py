from dataclasses import replace

import pytest

from scmlab.models import EncoderSpec
from scmlab.objectives import Objective
from scmlab.scm import SentenceSCM
from scmlab.training import TrainSpec, member, train

SCM = SentenceSCM(inv=2, dp_img=1, dp_tex=1, pr_img=1, pr_tex=1)
ENCODER = EncoderSpec(2, width=16, depth=1)
SPEC = TrainSpec(steps=44, batch=32, block=8)  # the last block is half a one


@pytest.fixture
def fit():
    """fit(seeds, encoder=, objective=, checkpoint=, ..., **changes of the training spec): a small training."""

    def run(
        seeds=(0, 1), *, scm=SCM, encoder=ENCODER, objective=None, checkpoint=None, every=1000, on_block=None, **spec
    ):
        return train(
            [member(seed, scm) for seed in seeds],
            encoder,
            encoder,
            objective or Objective(),
            replace(SPEC, **spec),
            checkpoint=checkpoint,
            checkpoint_every=every,
            on_block=on_block or (lambda step: None),
        )

    return run
