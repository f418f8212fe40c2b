"""The building blocks of YOLOX (Ge et al., 2021, arXiv:2107.08430), depthwise as in nano.

Modules are declared in the order in which they run, so that weights of another
implementation can be copied convolution by convolution.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import torch
from torch import Tensor, nn


class Conv(nn.Sequential):
    """Convolution, batch norm, SiLU."""

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(
            nn.Conv2d(
                inside, outside, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False
            ),
            nn.BatchNorm2d(outside, eps=1e-3, momentum=0.03),
            nn.SiLU(inplace=True),
        )


class DepthwiseConv(nn.Sequential):
    """A 3 x 3 convolution for each channel, then a 1 x 1 that mixes them."""

    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__(Conv(inside, inside, 3, stride, groups=inside), Conv(inside, outside, 1))


class Bottleneck(nn.Module):
    """1 x 1, then depthwise 3 x 3, added to its input where ``adds``."""

    def __init__(self, channels: int, adds: bool) -> None:
        super().__init__()
        self.squeeze, self.spread = Conv(channels, channels, 1), DepthwiseConv(channels, channels)
        self.adds = adds

    def forward(self, x: Tensor) -> Tensor:
        """Same shape in and out."""
        y = self.spread(self.squeeze(x))
        return x + y if self.adds else y


def silent_bottleneck(channels: int) -> Bottleneck:
    """A bottleneck that adds nothing until it has learnt what: weights from before it serve."""
    bottleneck = Bottleneck(channels, adds=True)
    last = [m for m in bottleneck.modules() if isinstance(m, nn.BatchNorm2d)][-1]
    nn.init.zeros_(last.weight)
    return bottleneck


class CrossStage(nn.Module):
    """Half the channels go through bottlenecks, half pass by; both are merged."""

    def __init__(self, inside: int, outside: int, depth: int, adds: bool = True) -> None:
        super().__init__()
        half = outside // 2
        self.through, self.past = Conv(inside, half, 1), Conv(inside, half, 1)
        self.deep = nn.Sequential(*(Bottleneck(half, adds) for _ in range(depth)))
        self.merge = Conv(2 * half, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N x inside x H x W to N x outside x H x W."""
        through, past = self.through(x), self.past(x)
        return self.merge(torch.cat((self.deep(through), past), 1))


class Focus(nn.Module):
    """Each 2 x 2 block of pixels becomes channels; then one convolution."""

    def __init__(self, outside: int) -> None:
        super().__init__()
        self.conv = Conv(12, outside, 3)

    def forward(self, x: Tensor) -> Tensor:
        """N x 3 x H x W to N x outside x H/2 x W/2."""
        parts = (x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2])
        return self.conv(torch.cat(parts, 1))


class PyramidPool(nn.Module):
    """Maxima over 5, 9 and 13 pixels beside the features themselves."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        half = inside // 2
        self.squeeze = Conv(inside, half, 1)
        self.pools = nn.ModuleList(nn.MaxPool2d(k, 1, k // 2) for k in (5, 9, 13))
        self.merge = Conv(half * 4, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N x inside x H x W to N x outside x H x W."""
        x = self.squeeze(x)
        return self.merge(torch.cat([x, *(pool(x) for pool in self.pools)], 1))
