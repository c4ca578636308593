"""Run-time models: an ONNX graph and the card that says how to feed and read it."""

from photochrom.models.card import Card
from photochrom.models.catalogue import DEFAULT, catalogue, find
from photochrom.models.session import Session, load

__all__ = ["DEFAULT", "Card", "Session", "catalogue", "find", "load"]
