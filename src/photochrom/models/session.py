"""Running an ONNX graph: the only place that knows ONNX Runtime."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read at import
import onnxruntime

from photochrom.errors import ModelError, OptionError
from photochrom.models.catalogue import DEFAULT, find
from photochrom.photo.strips import processors
from photochrom.provenance import file_sha256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from photochrom.color import Float
    from photochrom.models.card import Card

# The providers' short names: what ONNX Runtime calls them, and the package that brings them
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
}
PROVIDER = "PHOTOCHROM_PROVIDER"  # the environment variable by which worker processes know, too


class Session:
    """A loaded model. Thread-safe: ONNX Runtime allows concurrent runs."""

    def __init__(self, card: Card, graph: onnxruntime.InferenceSession, threads: int):
        self.card, self.threads = card, threads
        self._session = graph
        self._inputs = {item.name for item in graph.get_inputs()}

    @property
    def providers(self) -> tuple[str, ...]:
        """The execution providers that run it, by ONNX Runtime's names, the first one first."""
        return tuple(self._session.get_providers())

    def run(self, output: str, **inputs: Float) -> Float:
        """One output of the graph, as `run_many`."""
        return np.asarray(self.run_many([output], **inputs)[0])

    def run_many(self, outputs: Sequence[str], **inputs: Float) -> list[Any]:
        """Several outputs of one pass; inputs that the graph does not know are left out."""
        known = {name: value for name, value in inputs.items() if name in self._inputs}
        return list(self._session.run(list(outputs), known))

    def run_both(
        self, first: tuple[Sequence[str], dict[str, Float]], second: tuple[Sequence[str], dict[str, Float]]
    ) -> tuple[list[Any], list[Any]]:
        """Two passes (outputs, inputs), at once where the model may use several threads.

        A seventh less time than one after the other on two threads: a small network leaves each of its
        threads waiting for the other at every layer.
        """
        if self.threads == 1:
            return self.run_many(first[0], **first[1]), self.run_many(second[0], **second[1])
        with ThreadPoolExecutor(1, "pass") as beside:
            other = beside.submit(self.run_many, second[0], **second[1])
            return self.run_many(first[0], **first[1]), other.result()


def available_providers() -> list[str]:
    """Execution providers of this ONNX Runtime, fastest first."""
    return list(onnxruntime.get_available_providers())


def load(
    model: str | Path = DEFAULT, *, threads: int | None = None, providers: Sequence[str] | None = None
) -> Session:
    """Load a model by name, run folder or .onnx file.

    providers: short names ("cuda") or ONNX Runtime's ("CUDAExecutionProvider"), tried in order; by default
    PHOTOCHROM_PROVIDER, a list of them with commas, or the CPU.
    Raises UnknownModel, ModelError (also where the file is not the one its card names), OptionError.
    """
    wanted = chosen_providers(providers or os.environ.get(PROVIDER, "cpu").split(","))
    path, card = find(model)
    threads = threads or processors()
    graph = _load(card.name, path, path.stat().st_mtime_ns, card.sha256, threads, wanted)
    return Session(card, graph, threads)


def chosen_providers(names: Sequence[str]) -> tuple[str, ...]:
    """ONNX Runtime's names of the providers that are there.

    Raises OptionError for one that is not, unless cpu stands behind it.
    """
    there = available_providers()
    wanted = [PROVIDERS.get(name.strip().lower(), (name.strip(), ""))[0] for name in names]
    found = tuple(name for name in wanted if name in there)
    if len(found) == len(wanted) or (wanted[-1] == PROVIDERS["cpu"][0] and len(wanted) > 1):
        return found
    missing = next(name for name in wanted if name not in there)
    known = {full: (short, package) for short, (full, package) in PROVIDERS.items()}
    if missing not in known:
        raise OptionError(f"no provider is called {missing!r}: use one of {', '.join(PROVIDERS)}")
    short, package = known[missing]
    raise OptionError(
        f"this ONNX Runtime has no {missing}: pip uninstall onnxruntime, then pip install {package}; "
        f"or fall back with --provider {short},cpu (it has {', '.join(there)})"
    )


@lru_cache(maxsize=4)
def _load(
    name: str, path: Path, _changed: int, expected: str, threads: int, providers: tuple[str, ...]
) -> onnxruntime.InferenceSession:
    actual = file_sha256(path)
    if actual != expected:
        raise ModelError(
            f"the model {name} has changed: {path} is not the file its card names "
            f"({actual[:12]}…, not {expected[:12]}…): import or export it again"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would steal their cores from what comes next, in this process and in others
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = False  # sizes vary: an arena would keep a block for each
    try:
        graph = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
    except Exception as error:  # ONNX Runtime's errors share no base class but this
        raise ModelError(
            f"{path} is not a network that ONNX Runtime can load: {str(error).splitlines()[0][:200]}"
        ) from error
    if (started := graph.get_providers()[0]) != providers[0] and len(providers) == 1:
        raise OptionError(
            f"{providers[0]} did not start ({started} would have been used): check its driver, "
            "or fall back with cpu behind a comma"
        )
    return graph
