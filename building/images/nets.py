"""The families of nets over pictures, each from (rows, channels, height, width) to (rows,) or (rows, outputs).

Residual nets: He et al. 2016 (https://arxiv.org/abs/1512.03385); vision transformers: Dosovitskiy et al. 2021
(https://arxiv.org/abs/2010.11929); both, and all others, by timm.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (timm's types are incomplete)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from torch import Tensor, nn

from ...errors import Refused
from ..extra import built_with

TIMM: Final = "timm:"
_HEADS: Final = 4
_PATCHES: Final = 8
"""Patches along the shorter side of a picture, about."""


class ImageNet(nn.Module):
    """One of the families."""

    def __init__(
        self, shape: Mapping[str, Any], example: tuple[int, ...], outputs: int, *, pretrained: bool = False
    ) -> None:
        super().__init__()
        family: str = shape["family"]
        if family.startswith(TIMM):
            self.net = _of_timm(family.removeprefix(TIMM), example[0], outputs, shape["dropout_rate"], pretrained)
        else:
            self.net = {"cnn": _cnn, "resnet": _resnet, "vit": _vit}[family](shape, example, outputs)

    def forward(self, pictures: Tensor) -> Tensor:
        """What is said of pictures, float32, shape (rows, channels, height, width)."""
        said = self.net(pictures)
        return said.squeeze(-1) if said.shape[1] == 1 else said


def _cnn(shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
    """Blocks of two convolutions, each half the size and twice the width of the one before, and their mean."""
    parts: list[nn.Module] = []
    before, smallest = example[0], min(example[1:])
    for place in range(shape["blocks"]):
        width = shape["width"] * 2 ** min(place, 4)
        for _ in range(2):
            parts += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            before = width
        if smallest >= 4:
            parts.append(nn.MaxPool2d(2))
            smallest //= 2
    return nn.Sequential(
        *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(shape["dropout_rate"]), nn.Linear(before, outputs)
    )


def _resnet(shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
    resnet = built_with("timm.models.resnet")
    net = resnet.ResNet(
        resnet.BasicBlock, layers=(max(1, shape["blocks"] // 2),) * 4,
        num_classes=outputs, in_chans=example[0], drop_rate=shape["dropout_rate"],
        channels=tuple(shape["width"] * 2**place for place in range(4)),
    )  # fmt: skip
    if min(example[1:]) < 64:  # a small picture would be gone before the first block
        net.conv1 = nn.Conv2d(example[0], net.conv1.out_channels, 3, padding=1, bias=False)
        net.maxpool = nn.Identity()
    return net


def _vit(shape: Mapping[str, Any], example: tuple[int, ...], outputs: int) -> nn.Module:
    transformer = built_with("timm.models.vision_transformer")
    patch = max(1, min(example[1:]) // _PATCHES)
    size = tuple(side // patch * patch for side in example[1:])
    width = _HEADS * -(-shape["width"] * 4 // _HEADS)
    net = transformer.VisionTransformer(
        img_size=size, patch_size=patch, in_chans=example[0], num_classes=outputs, embed_dim=width,
        depth=2 * shape["blocks"], num_heads=_HEADS, mlp_ratio=2.0, drop_rate=shape["dropout_rate"],
    )  # fmt: skip
    return net if size == tuple(example[1:]) else nn.Sequential(_Cut(size), net)


class _Cut(nn.Module):
    """The middle of pictures, of a size that patches fill."""

    def __init__(self, size: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size

    def forward(self, pictures: Tensor) -> Tensor:
        """The same but for the edges."""
        top, left = ((whole - part) // 2 for whole, part in zip(pictures.shape[2:], self.size, strict=True))
        return pictures[:, :, top : top + self.size[0], left : left + self.size[1]]


def _of_timm(name: str, channels: int, outputs: int, dropout: float, pretrained: bool) -> nn.Module:
    """A model of timm by its name. Raises `Refused` where there is none, or its weights are not to be had."""
    timm = built_with("timm")
    if not timm.is_model(name):
        near = timm.list_models(f"*{name[:6]}*")[:4]
        hint = f"did you mean {', '.join(near)}?" if near else "timm.list_models() lists them"
        raise Refused(f"timm has no model {name!r}; {hint}")
    try:
        return timm.create_model(name, pretrained=pretrained, in_chans=channels, num_classes=outputs, drop_rate=dropout)
    except (OSError, RuntimeError, TypeError) as error:
        why = str(error).splitlines()[0][:160]
        raise Refused(
            f"the model {name!r} of timm cannot be had ({why}); connect, or set pretrained to false"
        ) from error
