"""Ray's actors as the workers of a batch: a `Pool` whose processes may be on any machine.

Each actor holds one model session and does one photo at a time. No more photos are out than twice as many as
there are actors, so memory is bounded however long the list is. An actor that dies, or a machine that goes,
costs its photo another attempt elsewhere; after the third death the photo is lost with the reason. (Ray Data
would repeat whole blocks and hold their results; here a photo is the unit of both.)
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from photochrom.batch.pool import THREAD_COUNTS, Lost
from photochrom.errors import MissingExtra, ModelError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
R = TypeVar("R")
_PROVIDERS = ("AWS_", "GOOGLE_", "AZURE_", "PHOTOCHROM_")
_KNOCKING = 10.0  # seconds until nobody is thought to listen at an address
_ATTEMPTS = 3  # deaths of an actor that a photo may cause or suffer
_WAITING = 1  # photos an actor has waiting beside the one that it does: the next is there at once


class _Actor:
    """What runs on the cluster."""

    def __init__(self, setup: Callable[[], Callable[[Any], Any]]):
        self._work = setup()

    def ready(self) -> bool:
        return True

    def do(self, task: Any) -> Any:
        try:
            return self._work(task)
        except Exception as error:  # noqa: BLE001 (a bug must not stop the batch: it is reported as this task's)
            return Lost(f"unexpected {type(error).__name__}: {error}")


class _Out(NamedTuple, Generic[T]):
    """A photo that an actor has, and since when it is the one that the actor is at."""

    actor: Any
    task: T
    since: float


class Cluster(Generic[T, R]):
    """Up to `workers` actors of `cpus` processors and `gpus` each, as many as the cluster has room for.

    Both may be shares of one. With `gpus` the network runs on the GPU (provider cuda, unless another is asked
    for). Raises MissingExtra without [ray], OptionError where no cluster answers at `address`, or where no
    node of it has so many processors and GPUs.
    """

    def __init__(
        self,
        setup: Callable[[], Callable[[T], R]],
        *,
        address: str | None = None,
        workers: int | None = None,
        cpus: float = 1.0,
        gpus: float = 0.0,
        timeout: float | None = None,
    ):
        self._ray = _connected(address)
        room = _room(self._ray.nodes(), cpus, gpus)
        self._room = min(room, workers or room)
        self._timeout = timeout
        self._deadly = (self._ray.exceptions.RayActorError, self._ray.exceptions.OutOfMemoryError)
        self._make = (
            self._ray.remote(_Actor)
            .options(
                num_cpus=cpus,
                num_gpus=gpus,
                max_restarts=0,
                runtime_env={"env_vars": _environment(cpus, gpus)},
            )
            .remote
        )
        self._setup = self._ray.put(setup)
        self._coming: dict[Any, Any] = {}  # word that it is ready, to come -> actor
        self._lines: dict[Any, deque[Any]] = {}  # actor that is ready -> answers to come, in their order
        self._out: dict[Any, _Out[T]] = {}  # by answer to come
        self._again: deque[T] = deque()  # photos whose actor died
        self._deaths: Counter[T] = Counter()
        self._failed_starts = 0

    def run(self, tasks: Iterable[T]) -> Iterator[tuple[T, R | Lost]]:
        """Each task with its result, as they are ready. Tasks are drawn as there is room for them.

        Raises ModelError where no actor can be started.
        """
        source, more = iter(tasks), True
        while more or self._again or self._out:
            if len(self._lines) + len(self._coming) < self._room and (more or self._again):
                actor = self._make(self._setup)
                self._coming[actor.ready.remote()] = actor
            while (self._again or more) and len(self._out) < len(self._lines) * (1 + _WAITING):
                if self._again:
                    self._give(self._again.popleft())
                elif (task := next(source, None)) is None:
                    more = False
                else:
                    self._give(task)
            yield from self._collect()

    def _give(self, task: T) -> None:
        actor = min(self._lines, key=lambda actor: len(self._lines[actor]))
        answer = actor.do.remote(task)
        self._lines[actor].append(answer)
        self._out[answer] = _Out(actor, task, time.monotonic())

    def _welcome(self, word: Any) -> None:
        """An actor that was made is ready, or could not be started."""
        actor = self._coming.pop(word)
        try:
            self._ray.get(word)
        except self._ray.exceptions.RayActorError as error:
            self._failed_starts += 1
            if self._failed_starts >= _ATTEMPTS and not self._lines:
                reason = str(error).strip().splitlines()[-1][:300]
                raise ModelError(f"no worker can be started on the cluster: {reason}") from None
        else:
            self._lines[actor] = deque()

    def _collect(self) -> Iterator[tuple[T, R | Lost]]:
        """What is ready, waiting until at least one is; a second at most where photos have a time limit."""
        waited = [*self._out, *self._coming]
        if not waited:
            return
        ready, _ = self._ray.wait(waited, num_returns=1, timeout=1.0 if self._timeout else None)
        for answer in ready:
            if answer in self._coming:
                self._welcome(answer)
                continue
            out = self._out[answer]
            try:
                result = self._ray.get(answer)
            except self._deadly:
                yield from self._bury(out.actor, None)
                continue
            self._done(answer, out)
            yield out.task, result
        if self._timeout:
            yield from self._overdue(self._timeout)

    def _done(self, answer: Any, out: _Out[T]) -> None:
        """The next in the line begins now."""
        del self._out[answer]
        line = self._lines[out.actor]
        line.remove(answer)
        if line:
            self._out[line[0]] = self._out[line[0]]._replace(since=time.monotonic())

    def _bury(self, actor: Any, lost: Lost | None) -> Iterator[tuple[T, R | Lost]]:
        """What an actor that is no more has done all the same.

        The photo that it was at is `lost`, or tried again; what waited behind it goes to another.
        """
        was_at = True
        for answer in self._lines.pop(actor):
            task = self._out.pop(answer).task
            try:
                yield task, self._ray.get(answer)
            except self._deadly as error:
                if was_at and (reason := lost or self._third_death(task, error)):
                    yield task, reason
                else:
                    self._again.append(task)
                was_at = False

    def _third_death(self, task: T, error: Exception) -> Lost | None:
        self._deaths[task] += 1
        if self._deaths[task] < _ATTEMPTS:
            return None
        memory = isinstance(error, self._ray.exceptions.OutOfMemoryError)
        reason = "there was not enough memory" if memory else "the program that read it ended"
        return Lost(f"{reason}, {_ATTEMPTS} times")

    def _overdue(self, limit: float) -> Iterator[tuple[T, R | Lost]]:
        """End actors whose photo takes too long."""
        heads = [self._out[line[0]] for line in self._lines.values() if line]
        for out in heads:
            if time.monotonic() - out.since > limit:
                self._ray.kill(out.actor)
                yield from self._bury(out.actor, Lost(f"it took longer than {limit:g} seconds"))

    def close(self) -> None:
        """End all actors; what they are at is dropped."""
        for actor in (*self._lines, *self._coming.values()):
            self._ray.kill(actor)
        self._coming, self._lines, self._out = {}, {}, {}


def _room(nodes: Iterable[Any], cpus: float, gpus: float) -> int:
    """How many actors the nodes that live have room for. Raises OptionError where none fits."""
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    if gpus and not any(there.get("GPU") for there in resources):
        raise OptionError("the Ray cluster has no GPU: leave --gpus out, or start its nodes with --num-gpus")
    wanted = {"CPU": cpus, "GPU": gpus} if gpus else {"CPU": cpus}
    fits = [min(there.get(kind, 0) / share for kind, share in wanted.items()) for there in resources]
    room = sum(int(count + 1e-6) for count in fits)
    if room == 0:
        more = f" and {gpus:g} GPUs" if gpus else ""
        raise OptionError(
            f"no node of the Ray cluster has {cpus:g} processors{more}: give --cpus a smaller number"
        )
    return room


def _environment(cpus: float, gpus: float) -> dict[str, str]:
    """What actors need of the driver's environment: the way to the stores, and a thread a processor."""
    stores = {name: value for name, value in os.environ.items() if name.startswith(_PROVIDERS)}
    if gpus:
        stores.setdefault("PHOTOCHROM_PROVIDER", "cuda")
    return stores | dict.fromkeys(THREAD_COUNTS, str(max(1, int(cpus))))


def _connected(address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it is read at import; nothing is sent anywhere
    try:
        import ray
    except ImportError:
        raise MissingExtra("--engine ray", "ray") from None
    if not ray.is_initialized():
        where = address or os.environ.get("RAY_ADDRESS") or "local"  # "local": one of our own, always
        page = False if where == "local" else None
        try:
            _knock(where)
            ray.init(where, log_to_driver=False, configure_logging=False, include_dashboard=page)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            reason = " ".join(str(error).split())[:240] or type(error).__name__
            raise OptionError(
                f"no Ray cluster can be used at {where} ({reason}): check --ray-address, that both "
                "sides run the same versions of Ray and Python, and RAY_AUTH_MODE=token where it has tokens"
            ) from None
    return ray


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at host:port; Ray itself asks for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCKING).close()
