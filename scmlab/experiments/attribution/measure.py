"""How a model's attribution is distributed over word classes, and what it is word by word and patch by patch."""

import base64
import io

import torch
from torch import Tensor

from scmlab.attribution import CLASSES, METHODS, class_shares, image_gradcam, word_scores
from scmlab.experiments.finetune.measure import HeldOut, attributions, excess, labelled
from scmlab.language import parse
from scmlab.models.clip import Clip, Preprocessing

KINDS = ("other", *CLASSES)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SIDE = 128  # most pixels of an example's side in the record


def entries(clip: Clip, held: HeldOut) -> tuple[list[dict], list[dict]]:
    """(one entry per method and word class, one per method).

    mean, q05 ... q95   of the scores of all words of the class; the score of a word is the mean over its tokens
    share               of the class in a caption's attribution, mean over captions; negative scores count as 0
    excess, hinge       mean A_obj - mean A_comp over all words, and max(0, it + 0)
    """
    tokens, words, pixels = labelled(clip, held.captions, held)
    by_class, by_method = [], []
    for name in METHODS:
        scores = attributions(clip, pixels, tokens, name)
        of_words = word_scores(scores.double(), words)
        shares = class_shares(scores.double(), words).nanmean(0).tolist()
        for number, kind in enumerate(KINDS):
            of_class = of_words.scores[(of_words.classes == number) & (of_words.tokens > 0)]
            by_class.append({"method": name, "word_class": kind, "words": len(of_class), "share": shares[number]}
                            | _distribution(of_class))  # fmt: skip
        value = excess(scores, words)["value"]
        by_method.append({"method": name, "excess": value, "hinge": None if value is None else max(0.0, value)})
    return by_class, by_method


def _distribution(scores: Tensor) -> dict:
    names = [f"q{100 * q:02.0f}" for q in QUANTILES]
    if not len(scores):
        return dict.fromkeys(("mean", *names))
    found = scores.quantile(torch.tensor(QUANTILES, dtype=scores.dtype)).tolist()
    return {"mean": scores.mean().item()} | dict(zip(names, found, strict=True))


def examples(clip: Clip, held: HeldOut, number: int) -> list[dict]:
    """The first held-out pairs: words of the caption with class and score by each method, heat map of the image."""
    captions = held.captions[:number]
    tokens, words, pixels = labelled(clip, captions, held)
    heat = image_gradcam(clip, pixels.to(clip.device), tokens.to(clip.device)).float().cpu()
    found = [{"caption": caption, "heat": heat[row].tolist(), "scores": {}} for row, caption in enumerate(captions)]
    for name in METHODS:
        of_words = word_scores(attributions(clip, pixels, tokens, name), words)
        for row, caption in enumerate(captions):
            seen = [place for place, count in enumerate(of_words.tokens[row].tolist()) if count]
            texts = parse(caption).tokens
            found[row]["words"] = [caption[texts[place].start : texts[place].end] for place in seen]
            found[row]["classes"] = [KINDS[of_words.classes[row, place]] for place in seen]
            found[row]["scores"][name] = of_words.scores[row, seen].tolist()
    return found


def pictures(held: HeldOut, number: int, preprocessing: Preprocessing) -> list[str]:
    """The images of the examples as the model sees them, cut and scaled: PNG in base64."""
    from PIL import Image

    mean, std = (torch.tensor(v)[:, None, None] for v in (preprocessing.mean, preprocessing.std))
    found = []
    for place in held.image_of[:number].tolist():
        pixels = ((held.pixels[place] * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)
        image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
        image.thumbnail((SIDE, SIDE))
        content = io.BytesIO()
        image.save(content, "PNG")
        found.append(base64.b64encode(content.getvalue()).decode())
    return found
