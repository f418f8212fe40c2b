"""YOLOX-nano's backbone and neck, and the two heads Demeter puts on them."""

# pyright: reportMissingImports=false
from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

from demeter_training.training.layers import (
    Conv,
    CrossStage,
    DepthwiseConv,
    Focus,
    PyramidPool,
    silent_bottleneck,
)

STRIDES = (8, 16, 32)
HEAD = 64


class Backbone(nn.Module):
    """From pixels to features at strides 2, 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Focus(16)
        self.stage2 = nn.Sequential(DepthwiseConv(16, 32, 2), CrossStage(32, 32, 1))
        self.stage3 = nn.Sequential(DepthwiseConv(32, 64, 2), CrossStage(64, 64, 3))
        self.stage4 = nn.Sequential(DepthwiseConv(64, 128, 2), CrossStage(128, 128, 3))
        self.stage5 = nn.Sequential(
            DepthwiseConv(128, 256, 2), PyramidPool(256, 256), CrossStage(256, 256, 1, adds=False)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Pixels, BGR 0..255, to (16, 32, 64, 128, 256) channels."""
        f1 = self.stem(x)
        f2 = self.stage2(f1)
        f3 = self.stage3(f2)
        f4 = self.stage4(f3)
        return f1, f2, f3, f4, self.stage5(f4)


def enlarge_by_two(x: Tensor) -> Tensor:
    """Nearest-neighbour enlargement by two."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Neck(nn.Module):
    """Path aggregation: coarse features go down to fine ones and back up.

    On the way down bottlenecks take in what lies around: leaves or plants, sides or soil.
    They begin as nothing, so that weights from before there were any still serve.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lateral = Conv(256, 128, 1)
        self.around5 = nn.Sequential(*(silent_bottleneck(128) for _ in range(3)))
        self.down4 = CrossStage(256, 128, 1, adds=False)
        self.reduce = Conv(128, 64, 1)
        self.around4 = nn.Sequential(*(silent_bottleneck(64) for _ in range(3)))
        self.down3 = CrossStage(128, 64, 1, adds=False)
        self.stride3 = DepthwiseConv(64, 64, 2)
        self.up4 = CrossStage(128, 128, 1, adds=False)
        self.stride4 = DepthwiseConv(128, 128, 2)
        self.up5 = CrossStage(256, 256, 1, adds=False)

    def forward(self, f3: Tensor, f4: Tensor, f5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of 64, 128 and 256 channels at strides 8, 16 and 32, same shapes out."""
        p3, middle, top = self.descend(f3, f4, f5)
        p4 = self.up4(torch.cat((self.stride3(p3), middle), 1))
        p5 = self.up5(torch.cat((self.stride4(p4), top), 1))
        return p3, p4, p5

    def descend(self, f3: Tensor, f4: Tensor, f5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The way down only: stride 8 with all context, and what the way up adds to."""
        top = self.around5(self.lateral(f5))
        middle = self.around4(self.reduce(self.down4(torch.cat((enlarge_by_two(top), f4), 1))))
        return self.down3(torch.cat((enlarge_by_two(middle), f3), 1)), middle, top


class Head(nn.Module):
    """YOLOX's decoupled head for one stride: classes on one side, box and object on the other."""

    def __init__(self, inside: int, classes: int) -> None:
        super().__init__()
        self.stem = Conv(inside, HEAD, 1)
        self.class_convs = nn.Sequential(DepthwiseConv(HEAD, HEAD), DepthwiseConv(HEAD, HEAD))
        self.class_out = nn.Conv2d(HEAD, classes, 1)
        self.box_convs = nn.Sequential(DepthwiseConv(HEAD, HEAD), DepthwiseConv(HEAD, HEAD))
        self.box_out = nn.Conv2d(HEAD, 4, 1)
        self.object_out = nn.Conv2d(HEAD, 1, 1)
        for out in (self.class_out, self.object_out):
            nn.init.constant_(out.bias, -4.6)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """N x inside x H x W to N x (4 + 1 + classes) x H x W, before any sigmoid."""
        x = self.stem(x)
        class_scores = self.class_out(self.class_convs(x))
        box_features = self.box_convs(x)
        return torch.cat(
            (self.box_out(box_features), self.object_out(box_features), class_scores), 1
        )


class DetectorNetwork(nn.Module):
    """YOLOX-nano with any number of classes, and more layers for what is small.

    Plants of the size that is looked for are seen at stride 8; three bottlenecks there begin
    as nothing, so that weights from before there were any still serve.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone, self.neck = Backbone(), Neck()
        self.finer = nn.Sequential(*(silent_bottleneck(64) for _ in range(3)))
        self.heads = nn.ModuleList(Head(c, classes) for c in (64, 128, 256))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """N x A x (5 + classes) decoded to pixels with raw scores; and grid x, y, stride.

        Rows are ``cx, cy, w, h, objectness, classes``; the second value is A x 2 cell
        centres in pixels, the third A strides.
        """
        _, _, f3, f4, f5 = self.backbone(images)
        p3, p4, p5 = self.neck(f3, f4, f5)
        pyramid = (self.finer(p3), p4, p5)
        outs = [head(p) for head, p in zip(self.heads, pyramid, strict=True)]
        flat = torch.cat([o.flatten(2) for o in outs], 2).permute(0, 2, 1).float()
        corner, stride = grid_of(outs)
        centre = (flat[..., :2] + corner) * stride[:, None]
        size = flat[..., 2:4].clamp(max=8).exp() * stride[:, None]
        decoded = torch.cat((centre, size, flat[..., 4:]), -1)
        return decoded, (corner + 0.5) * stride[:, None], stride


def grid_of(outs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The cell (column, row) of every anchor, A x 2, and its stride, A."""
    corners, strides = [], []
    for out, stride in zip(outs, STRIDES, strict=True):
        h, w = out.shape[2:]
        row, column = torch.meshgrid(
            torch.arange(h, device=out.device), torch.arange(w, device=out.device), indexing="ij"
        )
        corners.append(torch.stack((column, row), -1).reshape(-1, 2).float())
        strides.append(torch.full((h * w,), float(stride), device=out.device))
    return torch.cat(corners), torch.cat(strides)
