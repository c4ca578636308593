"""Run-time models: an ONNX graph and the card that says how to feed and read it."""

from photochrom.models.answer import DEFAULT_VIVIDNESS, Answer
from photochrom.models.card import Card
from photochrom.models.catalogue import DEFAULT, cards, catalogue, find, members
from photochrom.models.network import Network, load_network
from photochrom.models.session import Session, load

__all__ = [
    "DEFAULT",
    "DEFAULT_VIVIDNESS",
    "Answer",
    "Card",
    "Network",
    "Session",
    "cards",
    "catalogue",
    "find",
    "load",
    "load_network",
    "members",
]
