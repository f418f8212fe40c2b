"""The container segmenter: YOLOX-nano's features, read out at half the input's size."""

# pyright: reportMissingImports=false
from __future__ import annotations

import torch
from torch import Tensor, nn

from demeter_training.training.layers import Conv, DepthwiseConv, silent_bottleneck
from demeter_training.training.network import Backbone, DetectorNetwork, Neck, enlarge_by_two

TYPES = ("background", "segment", "box", "plug", "seedling_tray", "pot")


class SegmenterNetwork(nn.Module):
    """For every other pixel: the type of container it belongs to, and how deep inside.

    What kind of bench the whole picture shows (``bench``) tilts every pixel's type: trays
    and crates look alike from near by, and a photo rarely mixes them. Bottlenecks at a quarter
    and at half the input's size tell a container's side from the ground; they begin as nothing,
    so that weights from before there were any still serve.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone, self.neck = Backbone(), Neck()
        self.coarse = nn.Sequential(
            DepthwiseConv(96, 48), DepthwiseConv(48, 48), *(silent_bottleneck(48) for _ in range(3))
        )
        self.fine = nn.Sequential(
            Conv(64, 32, 1), DepthwiseConv(32, 32), DepthwiseConv(32, 32), silent_bottleneck(32)
        )
        self.types = nn.Conv2d(32, len(TYPES), 1)
        self.bench = nn.Linear(256, len(TYPES))
        self.depth = nn.Conv2d(32, 1, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """N x 3 x H x W to N x 6 x H/2 x W/2 and N x 1 x H/2 x W/2, before softmax and sigmoid."""
        f1, f2, f3, f4, f5 = self.backbone(images)
        p3, _, _ = self.neck.descend(f3, f4, f5)
        x = self.coarse(torch.cat((enlarge_by_two(p3), f2), 1))
        x = self.fine(torch.cat((enlarge_by_two(x), f1), 1))
        bench = self.bench(f5.mean((2, 3)))[:, :, None, None]
        return self.types(x) + bench, self.depth(x)


def segmenter_from(detector: DetectorNetwork) -> SegmenterNetwork:
    """A segmenter that starts from a detector's features."""
    network = SegmenterNetwork()
    state = {k: v for k, v in detector.state_dict().items() if not k.startswith("heads")}
    network.load_state_dict(state, strict=False)
    return network
