"""Rendered benches and beds with exact truth, to train on and to test with."""

from demeter_training.scenes.compose import scene, tile
from demeter_training.scenes.demo import demo_photos
from demeter_training.scenes.values import Scene, SceneContainer, SceneEmpty, ScenePlant

__all__ = ["Scene", "SceneContainer", "SceneEmpty", "ScenePlant", "demo_photos", "scene", "tile"]
