"""Rendered benches and beds with exact truth, to train on and to test with."""

from demeter.vision.scenes.compose import scene, tile
from demeter.vision.scenes.demo import demo_photos
from demeter.vision.scenes.values import Scene, SceneContainer, SceneEmpty, ScenePlant

__all__ = ["Scene", "SceneContainer", "SceneEmpty", "ScenePlant", "demo_photos", "scene", "tile"]
