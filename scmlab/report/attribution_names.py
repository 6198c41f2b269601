"""Words of the report of `attribution`."""

TITLE = "Which words a CLIP rests on, before and after attribution losses"
QUESTION = (
    "A CLIP may match captions by their objects and pass over attributes and relations. Attribution enhancement "
    "fine-tunes it with a loss on the attribution itself: objects may not score above words of composition. Does each "
    "loss change the attribution it is made of, and what do the other methods of attribution say of the same model?"
)
LISTS = {
    "rows": ("setting", "control", "model", "method", "word_class"),
    "methods": ("setting", "control", "model", "method"),
    "examples": ("model", "caption", "words", "classes", "scores", "heat"),
}
CLASSES = {"object": "objects", "attribute": "attributes", "relation": "relations", "other": "other words"}
METHODS = {
    "attention": "attention",
    "gradcam": "GradCAM",
    "perturbation": "perturbation",
    "gradient": "gradient",
}
SETTINGS = {
    "start": "before",
    "plain": "plain fine-tuning",
    "cae_attention": "loss on attention",
    "cae_gradcam": "loss on GradCAM",
    "cae_perturbation": "loss on perturbation",
    "cae_gradient": "loss on gradient",
}
CONTROLS = {"plain": "no attribution loss"}
HOW_TO_READ = (
    (
        "Attribution",
        "What each word of a caption has to do with the cosine S of caption and image. Attention: that of the "
        "end-of-text token, mean over layers and heads. GradCAM: attention times its slope, rolled out over the "
        "layers. Perturbation: fall of S when the word's token is hidden, which may be negative. Gradient: length of "
        "the slope of S at the token's embedding. Four methods, four units: compare within one only.",
    ),
    ("Score of a word", "The mean over its tokens. Start, end and padding are no words."),
    (
        "Share",
        "What part of a caption's attribution a class of words holds; negative scores count as 0. Mean over held-out "
        "captions. A class with more words has more of it, also where all words score alike.",
    ),
    (
        "Objects above rest, hinge",
        "Mean score of objects less that of attributes and relations together, over all words; the hinge is 0 where "
        "this is negative. It is the attribution loss over all held-out captions at once, without margin and without "
        "normalisation, whatever the training used.",
    ),
    (
        "Plain fine-tuning",
        "The control: as many steps on the same batches without the attribution loss. What it changes, no attribution "
        "loss has done.",
    ),
)
CAPTIONS = {
    "distribution": (
        "Scores of the words of held-out captions by class: thin line from the 5 % to the 95 % quantile, thick line "
        "between the quartiles, tick at the median, mark at the mean; means over seeds. Each panel is one method, with "
        "the model before, after plain fine-tuning, and after fine-tuning with the loss on this method."
    ),
    "shares": (
        "How a caption's attribution is divided over the classes of words, for every model (lines) and method of "
        "attribution (panels). Mean over held-out captions and seeds."
    ),
    "words": (
        "Scores of the words of held-out captions. Filled bars: after fine-tuning with the loss on the panel's own "
        "method, coloured by the word's class; black outlines: before. First seed."
    ),
    "heat_maps": (
        "GradCAM of the image side: which patches the cosine with the caption below rests on. The darker, the less; "
        "all maps of one line have one scale, whose end is the largest value of the line. First seed."
    ),
}
