"""Published figures that a report sets beside its own, always with their protocol."""

from __future__ import annotations

from typing import NamedTuple

SIGGRAPH17_NAME = "siggraph17 (published)"
SIGGRAPH17_PROTOCOL = (
    "Zhang et al. 2017: 1000 ImageNet-val images, 256², 6×6 px mean hints, the authors' curve"
)
SIGGRAPH17 = {
    0: 24.43,
    1: 25.37,
    2: 26.20,
    5: 27.39,
    10: 28.42,
    20: 29.34,
    50: 30.42,
    100: 31.13,
    200: 31.70,
}  # hints: PSNR in dB


COLORFUL = (
    ("MultiColor 2024", 38.24, 24.69),
    ("SeAda 2025", 36.98, 24.53),
    ("DDColor-L 2023", 38.65, 23.74),
)  # system, colorfulness, PSNR in dB
COLORFUL_NOTE = (
    "A point a vividness of 0, 0.25, 0.5, 0.75 and 1. Diamonds: as collected second-hand, on ImageNet-val "
    "(the first two on its first 5,000 images, the last on all 50,000): other photos than these."
)


class Published(NamedTuple):
    """One system's figures as its authors, or the source named, give them."""

    system: str
    protocol: str
    figures: str


TABLE = (
    Published("MultiColor 2024", "imagenet-val5k", "FID 2.17, PSNR 24.69 dB, CF 38.24 (second-hand)"),
    Published("SeAda 2025", "imagenet-val5k", "FID 3.36, PSNR 24.53 dB, CF 36.98 (second-hand)"),
    Published(
        "DDColor-L 2023",
        "imagenet-val5k",
        "FID 3.92, CF 38.26 (an independent re-measurement: 3.78 and 34.33)",
    ),
    Published("DDColor-L 2023", "imagenet-val50k", "FID 0.96, PSNR 23.74 dB, CF 38.65 (second-hand)"),
    Published(
        "Zhang 2016, full method", "10,000 ImageNet-val", "AuC 89.5 %, rebalanced 67.3 %, fooling rate 32.3 %"
    ),
    Published("grey", "10,000 ImageNet-val", "AuC 89.1 %, rebalanced 58.0 %"),
    Published("L2 regression", "10,000 ImageNet-val", "AuC 91.2 %, rebalanced 64.4 %"),
)
