"""The words of the report of `benchmark`: names, question, how to read each quantity, what each figure shows."""

LISTS = {
    "rows": ("setting", "control", "model", "number"),
    "by_seed": ("setting", "control", "model", "seed", "number"),
    "benchmarks": ("setting",),
    "models": ("model",),
    "counts": ("setting", "model"),
    "ties": ("setting", "control", "model", "number"),
    "subsets": ("setting", "model", "subset", "number"),
    "overlap": ("setting",),
    "differences": ("setting", "model", "against", "number"),
    "mcnemar": ("setting", "model", "against", "part"),
    "cases": ("setting", "source", "where", "operator", "category"),
    "case_accuracy": ("setting", "source", "model", "where", "operator", "category"),
    "attribution": ("setting", "model", "method", "word_class"),
    "words": ("setting", "model", "word_class"),
}
"""Keys that name the entries of its records."""

CHANCE = "chance"
BLIND = {
    "shorter": "shorter",
    "longer": "longer",
    "bigram": "bigram",
    "features": "features",
    "typical": "typical",
    "direction": "direction",
}
"""Blind baselines, as short as columns need."""
CONTROLS = {
    "shorter": "shorter caption",
    "longer": "longer caption",
    "bigram": "bigram plausibility",
    "features": "text features",
    "typical": "typical code",
    "direction": "direction of text codes",
    CHANCE: "chance",
}
OWN = ("typical", "direction")
"""Baselines of a model's own text codes: each model has another."""

SOURCES = {"benchmark": "benchmark", "algorithm_1": "Algorithm 1"}
TIES = ("strict", "first", "half")
SIMILARITY = "correlation × 100"

TITLE = "Benchmarks of composition: the official score, and what it is worth"
QUESTION = (
    "What does each model score on each benchmark by the benchmark's own rule, how sure is that number, and how much "
    "of it does a scorer get that never sees an image? Beside each score stand blind baselines, chance and the "
    "published score of CLIP ViT-B/32; what is missing, tied or defective is counted."
)

HOW_TO_READ = (
    (
        "Score",
        "In percent, by the benchmark's official rule and the aggregate named; STS-B and SICK-R: correlation × 100. "
        "Several files of one model name: mean ± standard deviation (n − 1) over them.",
    ),
    (
        "Interval",
        "95 % bootstrap over clusters: items that share an image (also by way of a third item), or together make one "
        "question, are drawn together. It says how much the score hangs on the draw of items, and nothing of the "
        "training of the model. Where all items are right, or all wrong, it has no width, which says little of few "
        "items.",
    ),
    (
        "Blind baselines",
        "Scores of captions that look at no image, through the same rule and aggregate, and the same policy for ties, "
        "but where that is first: their ties then count by chance (half). Shorter, longer: number of characters. "
        "Bigram: mean log probability of a word after the one before. Features: logistic regression on length and "
        "frequencies of words and pairs. Of a model's own text codes: typical, the cosine with the mean code of right "
        "captions; direction, along mean right minus mean wrong code. All but shorter and longer are fitted on one "
        "half of the benchmark and scored on the other; what the halves share is said for each benchmark.",
    ),
    (
        "Best blind",
        "The highest of the blind baselines of a number, picked after the fact, which flatters it on few items. At "
        "least that much can be had without an image; another blind scorer may get more.",
    ),
    (
        "Chance",
        "What independent random scores get on average: with one right option of k, 100 / k; with two images and two "
        "captions 25, 25 and 16.67 for text, image and group. A correlation is 0 by chance, which is not drawn.",
    ),
    (
        "Published",
        "CLIP ViT-B/32, from the source named for each benchmark. It compares with a score only if the official files "
        "and the official aggregate were used and nothing is missing. QuickGELU or GELU makes a difference of several "
        "points with the same weights: the activation of each model is listed.",
    ),
    (
        "Tie",
        "Right and wrong option score exactly alike. Strict: wrong. First: right where the right option comes first, "
        "as of an argmax. Half: one over the number of equally good orders, 1/2 for a pair. The official policy "
        "differs between benchmarks; all three stand side by side, and where they are far apart the score is the "
        "policy's. Captions of one length tie in shorter and longer too.",
    ),
    (
        "Missing, unreadable",
        "An image is not in the folder, or no image. Its items are neither right nor wrong and count in no number; "
        "scored are the others. In retrieval a missing image makes the gallery smaller, which is easier.",
    ),
    (
        "Defective, duplicate",
        "Defective: what the release itself has wrong, such as equal positive and negative, an empty caption, a "
        "fragment; spaces around a caption, which tokenizers strip, do not count. Duplicate: images and captions of "
        "an earlier item. Official scores keep both. Without defective or duplicate items: the same score with those "
        "left out.",
    ),
    (
        "Without training images",
        "The score on items none of whose images is named in the list of training files. Compared are names, not "
        "pixels.",
    ),
    (
        "Difference",
        "A model minus the first one, on the items that both have scored, with its interval over the same draws for "
        "both. Several files of one name are compared seed by seed.",
    ),
    (
        "McNemar",
        "Of the items that only one of two models has right: p is the two-sided probability of a split at least as "
        "uneven, were either as likely to be the right one. Items are taken as independent; where many share an "
        "image, go by the interval of the difference. Not corrected for the number of tests.",
    ),
    (
        "Cases, Algorithm 1",
        "Which operator makes the wrong caption of the right one (SWAP, REPLACE, ADD, REMOVE) and of what, from the "
        "two texts alone; mixed: several wrong captions of different cases. None: they say the same, or share too "
        "little. Beside it the edits that Algorithm 1 makes of the same right captions for the same images, each a "
        "choice of two with chance 50, ties wrong. Standard errors are of independent items, and 0 where all are "
        "right or all wrong, which says little of few items.",
    ),
    (
        "Attribution share",
        "What part of a caption's attribution its objects, attributes, relations or other words hold, mean over "
        "captions; negative scores count 0. Methods have units of their own: compare within one. Equal scores: what a "
        "class would hold if all tokens scored alike, which is its share of the tokens.",
    ),
    (
        "Cosine of words",
        "Of a caption's code with the code of a word or phrase of it, mean over captions. Others: the same with "
        "phrases that only other captions have. Codes of a model lie in a cone: only what is above others says "
        "anything.",
    ),
)

CAPTIONS = {
    "scores": (
        "Each number of each benchmark: models with 95 % interval (several files of one name: mean, single files as "
        "small points), the best blind baseline as grey square and the others as grey ticks, chance as dotted mark, "
        "the published score of CLIP ViT-B/32 as hollow diamond. In percent; benchmarks of similarity: correlation × "
        "100. Headline numbers are bold. Where a panel does not hold all numbers, its title says so; the table has "
        "them."
    ),
    "cases": (
        "Accuracy per case: filled the benchmark's own items, hollow Algorithm 1's negatives of the same captions. "
        "Bars: ± 2 standard errors. Dotted: 50, chance between two captions; a benchmark with more options has a "
        "lower one. Grey numbers: scored items of the benchmark / of Algorithm 1, of the first model."
    ),
    "differences": (
        "Each model minus the first, on the same items, in points, with 95 % interval; one mark per file. An interval "
        "that leaves out the line at 0 is a difference beyond the draw of items, training aside. Headline numbers are "
        "bold."
    ),
    "attribution": (
        "How a caption's attribution is divided over the classes of words, for every model (lines), benchmark and "
        "method of attribution (panels). Equal scores: if all tokens scored alike."
    ),
}
