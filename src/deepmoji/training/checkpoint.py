"""A training run on disk, from which a killed run goes on as if nothing had happened."""

import os
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch

from deepmoji.errors import DeepmojiError, InputError
from deepmoji.files import LATEST, atomic_path

# What torch raises for a file that is none of its own, or not whole.
_DAMAGE = (RuntimeError, UnpicklingError, EOFError, LookupError, ValueError, struct.error)

_LATER = {"arithmetic", "corpus content"}  # what older fingerprints do not say
_OF_STEPS = {"arithmetic", "order"}  # what does not matter to a run that has made all its steps


@dataclass
class State:
    """What changes during a run, besides weights and optimiser."""

    step: int = 0  # steps done
    steps: int = 0  # to do in all, when this was saved
    is_finished: bool = False  # the last step is done, or validation stopped improving
    seconds: float = 0.0  # spent in all parts of the run
    best_loss: float = float("inf")  # of validation
    best_step: int = 0
    history: list[dict[str, float]] = field(default_factory=list[dict[str, float]])
    # Whether the best evaluation is one that only the end of the run made: a longer run does not.
    is_best_extra: bool = False
    settings: dict[str, Any] = field(default_factory=dict[str, Any])  # that the latest part had
    hardware: dict[str, Any] = field(default_factory=dict[str, Any])  # likewise

    @property
    def is_evaluated(self) -> bool:
        """Whether the weights of this step have been evaluated."""
        return bool(self.history) and self.history[-1]["step"] == self.step

    def record(self, evaluation: dict[str, float], *, is_extra: bool = False) -> bool:
        """Note an evaluation; tell whether it is the best so far."""
        self.history.append({"step": self.step, "seconds": round(self.seconds, 1)} | evaluation)
        better = evaluation["natural_loss"] < self.best_loss
        if better:
            self.best_loss, self.best_step = evaluation["natural_loss"], self.step
            self.is_best_extra = is_extra
        return better

    def waited(self, every: int) -> int:
        """Return how many evaluations have passed since the best one."""
        return (self.step - self.best_step) // every


class Saved(NamedTuple):
    """What a checkpoint holds; the rest are state dicts."""

    state: State
    network: dict[str, Any]
    optimiser: dict[str, Any]
    average: dict[str, Any]  # of the weights; empty where none is kept
    goes_on: bool = True  # False: it is finished, and more steps would be of another kind


class Checkpoint:
    """The folder of a run: its last few states, and the weights that validated best.

    Args:
        folder: where; made if it is missing.
        fingerprint: what must be the same for a run to go on: corpus, sizes, settings.
        kept: how many states: the latest, and those to go back to if the disk spoils it.
    """

    def __init__(self, folder: Path, fingerprint: dict[str, Any], *, kept: int = 1) -> None:
        self.folder, self._kept = folder, kept
        self._fingerprint = fingerprint
        self._latest, self._best = folder / LATEST, folder / "best.pt"
        self._extra = folder / "end.pt"

    @property
    def arithmetic(self) -> dict[str, Any]:
        """Device and precision of the run; nothing where it was opened to be read."""
        return self._fingerprint.get("arithmetic", {})

    def save(self, saved: Saved) -> None:
        """Write everything that the next step depends on."""
        content = {
            "fingerprint": self._fingerprint,
            "state": vars(saved.state),
            "network": saved.network,
            "optimiser": saved.optimiser,
            **({"average": saved.average} if saved.average else {}),
        }
        self._write(content, self._latest)
        self._keep(self.folder / f"step-{saved.state.step:09}.pt")

    def _keep(self, path: Path) -> None:
        """Keep the latest state under its own name too, and of older ones as many as wanted."""
        path.unlink(missing_ok=True)
        try:
            os.link(self._latest, path)
        except OSError:  # a file system without hard links
            with atomic_path(path) as temporary:
                shutil.copyfile(self._latest, temporary)
        for old in self._older()[self._kept :]:
            old.unlink()

    def _older(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)

    def save_best(self, network: dict[str, Any], *, is_extra: bool = False) -> None:
        """Write the weights that validated best.

        Args:
            network: the weights.
            is_extra: they are those of an evaluation that a longer run does not make. The best ones
                before are left, for the run to go on from.
        """
        self._write(network, self._extra if is_extra else self._best)

    def _write(self, content: dict[str, Any], path: Path) -> None:
        try:
            with atomic_path(path) as temporary:
                torch.save(content, temporary)
        except RuntimeError as error:  # how torch says that the disk is full
            reason = str(error).strip().splitlines()[0]
            raise DeepmojiError(
                f"cannot write the checkpoint {path}: {reason}; make room and start again, "
                "training goes on from the checkpoint before"
            ) from error

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except _DAMAGE as error:
            raise InputError(
                f"the checkpoint {path} is damaged; delete {self.folder} to start again"
            ) from error

    def _changed(self, before: dict[str, Any]) -> list[str]:
        """Return in what a run is another one, by the fingerprint of its checkpoint."""
        now = self._fingerprint
        return [
            name
            for name in before | now
            if before.get(name) != now.get(name)
            and not (name in _LATER and None in (before.get(name), now.get(name)))
        ]

    def _read_latest(self) -> dict[str, Any] | None:
        if not self._latest.exists():
            return None
        content = self._readable()
        before = content["fingerprint"]
        changed = self._changed(before)
        # Tuning runs have no such state: of them all has to be the same, at their end too.
        is_finished = content.get("state", {}).get("is_finished", False)
        if changed and is_finished and set(changed) <= _OF_STEPS:
            return content | {"goes_on": False}
        if changed == ["order"]:
            raise InputError(
                f"{self.folder} holds an unfinished run of a version that drew batches in another "
                "order; finish it with that version, delete the folder, or choose another --out"
            )
        if changed:
            raise InputError(
                f"{self.folder} holds a run with another "
                f"{'; '.join(_told(n, before.get(n), self._fingerprint.get(n)) for n in changed)}; "
                "continue with the same settings, delete the folder, or choose another --out"
            )
        return content

    def _readable(self) -> dict[str, Any]:
        """Return the latest state that can be read."""
        damage: InputError | None = None
        for path in (self._latest, *self._older()):
            try:
                return self._read(path)
            except InputError as error:
                damage = damage or error
        raise damage or InputError(f"{self.folder} holds no state of a run")

    def load(self) -> Saved | None:
        """Return what was saved of the run so far, or None if there is none.

        Raises:
            InputError: if the folder holds a run with other settings or corpus.
        """
        content = self._read_latest()
        if content is None:
            return None
        return Saved(
            State(**content["state"]),
            content["network"],
            content["optimiser"],
            content.get("average", {}),
            content.get("goes_on", True),
        )

    def load_state(self) -> State:
        """Return how far the run has come.

        Raises:
            InputError: if there is no run, or another one.
        """
        saved = self.load()
        if saved is None:
            raise InputError(f"{self.folder} holds no training run; start one with pretrain")
        return saved.state

    def load_best(self, *, is_extra: bool = False) -> dict[str, Any]:
        """Return the weights that validated best; ``is_extra`` as of the run's state.

        Raises:
            InputError: if no evaluation has been made yet.
        """
        path = self._extra if is_extra else self._best
        if not path.exists():
            raise InputError(f"{self.folder} holds no weights yet; let the run go on")
        return self._read(path)


def _told(name: str, before: Any, now: Any) -> str:
    """Return what differs, of settings which."""
    if not isinstance(before, dict) or not isinstance(now, dict):
        return name
    there: dict[str, Any] = before
    keys = [key for key in there | now if there.get(key) != now.get(key)]
    unset = "not given"
    return ", ".join(
        f"{key} ({there.get(key, unset)} there, {now.get(key, unset)} now)" for key in keys
    )
