"""Which settings and controls a configuration asks for, as data."""

from dataclasses import dataclass, replace

from scmlab.experiments.identifiability.config import Config
from scmlab.models import EncoderSpec
from scmlab.objectives import Objective
from scmlab.scm import SCM, DiscreteTokenSCM, Mixing, SentenceSCM, TokenSCM
from scmlab.training import TrainSpec

CORRUPTION = 0.5  # standard deviation of the noise on z_inv in the control that corrupts it
LITERATURE_WIDTHS = (10, 50, 50, 50, 50, 10)  # hidden widths per observed dimension: 1,918,805 parameters at 15


PUBLISHED = {
    "shared_p1": (1.00, 0.00),
    "shared_p075": (0.99, 0.01),
    "shared_p075_stat": (0.99, 0.00),
    "shared_p075_caus": (1.00, 0.00),
    "shared_p075_stat_caus": (0.99, 0.01),
    "separate_p1": (0.99, 0.00),
    "separate_p075": (1.00, 0.00),
    "separate_p075_stat": (0.95, 0.01),
    "separate_p075_caus": (0.98, 0.00),
    "separate_p075_stat_caus": (0.95, 0.03),
}
"""R2 of z_inv, mean and standard deviation over 3 seeds: Daunhawer et al. 2023, Table 1 (300,000 steps)."""


@dataclass(frozen=True)
class Job:
    """One setting under one control (None: no assumption broken), trained for all seeds at once.

    train is None where the encoders are the closed-form optimum.
    """

    setting: str
    control: str | None
    scm: SCM
    image: EncoderSpec
    text: EncoderSpec
    objective: Objective
    train: TrainSpec | None

    @property
    def name(self) -> str:
        """Its name in files and messages."""
        return f"{self.setting}.{self.control}" if self.control else self.setting


def plan(config: Config) -> list[Job]:
    """All jobs of the configuration, in the order of the record."""
    return _daunhawer(config) if config.family == "daunhawer" else _models(config)


def _models(config: Config) -> list[Job]:
    mixing = Mixing(config.mixing)
    common = {"density": config.density, "covariance": config.covariance, "mixing": mixing}
    d = config.dim
    blocks = {"inv": d, "dp_img": d, "pr_img": d}
    sentence = SentenceSCM(**blocks, dp_tex=d, pr_tex=d, **common)
    tokens = TokenSCM(**blocks, tokens=config.tokens, token_dim=max(d, -(-d // config.tokens) + 1), **common)
    discrete = DiscreteTokenSCM(dp_img=d, pr_img=d, covariance=config.covariance, mixing=mixing)

    mlp = EncoderSpec(d, width=config.width, depth=config.depth)
    reader = replace(mlp, kind=config.text_encoder)
    train = TrainSpec(steps=config.steps, batch=config.batch, lr=config.lr)
    job = Job("sentence", None, sentence, mlp, mlp, Objective(), train)
    wide = len(discrete.sizes)  # one dimension per slot of the scene
    jobs = [
        job,
        replace(job, setting="tokens", scm=tokens, text=reader),
        replace(job, setting="discrete", scm=discrete, image=replace(mlp, out=wide), text=replace(reader, out=wide)),
    ]
    ideal = Objective("alignment_entropy")
    cube = replace(mlp, space="cube")
    for setting, scm in (
        ("darmois", sentence),
        ("darmois_mixture", replace(sentence, density="mixture")),
        ("darmois_tokens", tokens),
    ):
        jobs.append(Job(setting, None, scm, cube, cube, ideal, None))

    small, large = replace(mlp, out=d - 1), replace(mlp, out=d + 2)
    controls = {
        "shared_private": {"scm": replace(sentence, private="shared")},
        "dp_equal": {"scm": replace(sentence, dp="equal")},
        "dropped_inv": {"scm": replace(sentence, dropped=1)},
        "corrupted_inv": {"scm": replace(sentence, corruption=CORRUPTION)},
        "encoder_too_small": {"image": small, "text": small},
        "no_negatives": {"objective": Objective("alignment")},
        "encoder_too_large": {"image": large, "text": large},
        "encoder_too_large_within": {"image": large, "text": large, "objective": Objective("infonce_within")},
    }
    return jobs + [replace(job, control=name, **changes) for name, changes in controls.items()]


def _daunhawer(config: Config) -> list[Job]:
    d = config.dim
    settings = {
        "p1": {"change": 1.0},
        "p075": {"change": 0.75},
        "p075_stat": {"change": 0.75, "covariance": "wishart"},
        "p075_caus": {"change": 0.75, "causal": "linear"},
        "p075_stat_caus": {"change": 0.75, "covariance": "wishart", "causal": "linear"},
    }
    jobs = []
    for mixing in ("shared", "separate"):
        private = 0 if mixing == "shared" else d  # the literature's shared-mixing setting has no private latents
        for name, changes in settings.items():
            scm = SentenceSCM(
                inv=d,
                dp_img=d,
                dp_tex=d,
                pr_img=private,
                pr_tex=private,
                density=config.density,
                dp="perturbed",
                shared_mixing=mixing == "shared",
                mixing=Mixing(config.mixing),
                **{"causal": "none", **changes},
            )
            widths = tuple(width * scm.image_dim for width in LITERATURE_WIDTHS)
            encoder = EncoderSpec(d, widths=widths, activation="leaky_relu")
            train = TrainSpec(steps=config.steps, batch=config.batch, lr=config.lr)
            jobs.append(Job(f"{mixing}_{name}", None, scm, encoder, encoder, Objective("infonce_within"), train))
    return jobs
