"""Scenes of objects in a relation: their causal model, images, captions, and edits that make the captions false."""

from scmlab.scm.scenes.captions import caption_scenes, describe_scenes
from scmlab.scm.scenes.edits import EDITS, EditedScenes, edit_scenes
from scmlab.scm.scenes.export import export_scenes
from scmlab.scm.scenes.law import push_scenes, sample_scenes, scene_noise
from scmlab.scm.scenes.layout import boxes, holds
from scmlab.scm.scenes.places import structural
from scmlab.scm.scenes.record import Scenes, join_scenes
from scmlab.scm.scenes.render import render
from scmlab.scm.scenes.spec import SceneSpec
from scmlab.scm.scenes.truth import true_of

__all__ = [
    "EDITS",
    "EditedScenes",
    "SceneSpec",
    "Scenes",
    "boxes",
    "caption_scenes",
    "describe_scenes",
    "edit_scenes",
    "export_scenes",
    "holds",
    "join_scenes",
    "push_scenes",
    "render",
    "sample_scenes",
    "scene_noise",
    "structural",
    "true_of",
]
