"""Kills, full disks, broken inputs: whether each command keeps what it promises.

python -m benchmarks.faults                  # an hour on two cores; the full disk needs root, Linux
python -m benchmarks.faults --only score     # anew, among the results of the others

Each command runs once unbroken. Then it is killed (SIGKILL) at random moments and started again
until it has finished, several times over, and so on with other faults; each time what it leaves
must be what the unbroken run left, byte for byte (records without their times).
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.processes import has_ended, members, workers_of
from benchmarks.record import RESULTS, machine, write
from benchmarks.subjects import NAMES, Subject, leftovers, outcome, prepare, put_back
from tests.helpers.raycluster import started
from tests.helpers.signals import gone, heed_interrupts

KILLS = 20
SEED = 0
_PATIENCE = 600  # seconds for a run, and a minute for its processes to end with it
_ATTEMPTS = 5  # to meet a run in its middle
_SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--kills", type=int, default=KILLS, help="of each command")
    parser.add_argument("--seed", type=int, default=SEED, help="of the moments")
    parser.add_argument("--only", choices=NAMES, help="one command")
    parser.add_argument("--out", type=Path, help="write there, not among the results")
    options = parser.parse_args()
    results = _measured() if options.only and options.out is None else {}
    with tempfile.TemporaryDirectory() as name:
        for subject in prepare(Path(name)):
            if options.only in (None, subject.name):
                print(f"breaking: deepmoji {subject.name}", file=sys.stderr)
                folder = Path(name) / subject.name.replace(" ", "-")
                folder.mkdir()
                trial = Trial(subject, folder, random.Random(options.seed))
                results[subject.name] = {"seed": options.seed} | trial.run(options.kills)
    problems = sum(len(each["problems"]) for each in results.values())
    result = {"problems": problems, "commands": results}
    if options.out is None:
        write("faults", result)
    else:
        text = json.dumps({"machine": machine(), **result}, ensure_ascii=False, indent=1)
        options.out.write_text(text + "\n", encoding="utf-8")
    return 1 if problems else 0


def _measured() -> dict[str, Any]:
    """Return what is there, each command with the day on which it was broken."""
    path = RESULTS / "faults.json"
    before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    if before and before["machine"] != machine():
        sys.exit(f"{path} is of another machine: break all commands, or name a file with --out")
    return before.get("commands", {})


@dataclass
class Trial:
    """The faults of one command, and what went wrong."""

    subject: Subject
    folder: Path
    draw: random.Random
    truth: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    problems: list[str] = field(default_factory=list)

    def run(self, kills: int) -> dict[str, Any]:
        truth = self._unbroken("unbroken")
        self._unbroken("unbroken-again")
        result: dict[str, Any] = {"date": datetime.now(UTC).date().isoformat()}
        result |= {"seconds": round(self.seconds, 1), "files": len(self.truth)}
        result["kills"] = self.killed(kills)
        result["signals"] = {name: self.signalled(name) for name in _SIGNALS}
        result["worker_killed"] = self.worker_killed()
        if self.subject.task:
            result["worker_killed_on_ray"] = self.worker_killed_on_ray()
        result["disk_full"] = self.disk_full(truth)
        if self.subject.inputs:
            result["input_cut_off"] = self.input_cut_off()
            result["input_vanished"] = self.input_vanished()
        return result | {"problems": self.problems}

    def _unbroken(self, name: str) -> Path:
        """Run once unbroken; the shortest of these runs says when others are to be broken."""
        begun, out = time.monotonic(), self.folder / name
        code, said = self._finish(out)
        if code != 0:
            sys.exit(f"deepmoji {self.subject.name} fails by itself: {said}")
        seconds = time.monotonic() - begun
        self.seconds = min(self.seconds or seconds, seconds)
        self.truth = self.truth or outcome(out)
        self._compare(out, "after nothing", code)
        return out

    def killed(self, count: int) -> dict[str, Any]:
        """Kill at random moments; runs that finish before are compared, and new ones begun."""
        kills = runs = 0
        moments: list[float] = []
        while kills < count:
            out = self.folder / f"killed-{runs}"
            with self._started(out) as process:
                moment = self.draw.uniform(0, self.seconds)
                if not has_ended(process, moment):
                    kills += 1
                    moments.append(round(moment, 1))
                    process.kill()
                    process.wait()  # or what is left of it in the table of processes counts
                    self._expect_gone(process.pid, f"kill {kills}")
                    continue
            runs += 1
            self._compare(out, f"after {kills} kills", process.returncode)
        out = self.folder / f"killed-{runs}"
        code, said = self._finish(out)
        self._compare(out, f"after {kills} kills ({said})", code)
        return {"kills": kills, "finished_runs": runs + 1, "seconds_into_a_run": moments}

    def signalled(self, name: str) -> dict[str, Any]:
        """Interrupt a run in its middle, as a terminal or a service does."""
        for attempt in range(_ATTEMPTS):
            out = self.folder / f"{name}-{attempt}"
            with self._started(out) as process:
                in_time = not has_ended(process, self.seconds * self.draw.uniform(0.3, 0.6))
                if not in_time:  # another program had made the unbroken runs slow
                    continue
                os.killpg(process.pid, _SIGNALS[name])
                said = self._told(process, name)
            self._expect(process.returncode == 1, f"{name}: exit status {process.returncode}")
            return {"says": said, "problems_after": self._resume(out, name)}
        self._expect(False, f"{name}: the run was over before, {_ATTEMPTS} times")
        return {}

    def worker_killed(self) -> dict[str, Any]:
        """Kill one of the processes that work for the command."""
        out = self.folder / "worker"
        with self._started(out) as process:
            has_ended(process, self.seconds * 0.5)
            workers = workers_of(process.pid)
            if workers:
                self.draw.choice(workers).kill()
            said = self._told(process, "a dead worker")
        self._expect(bool(workers), "a dead worker: there was none to kill")
        return {"status": process.returncode, "says": said} | {
            "problems_after": self._resume(out, "a dead worker")
        }

    def worker_killed_on_ray(self) -> dict[str, Any] | str:
        """Kill the process of a task on a cluster of two nodes: it runs again, elsewhere."""
        if find_spec("ray") is None:
            return "not tried: needs ray"
        out = self.folder / "ray"
        before = len(self.problems)
        with started(2) as nodes, self._started(out, cluster=nodes.address) as process:
            killed = nodes.kill_task(self.subject.task, process)
            said = self._told(process, "a dead task")
        self._expect(killed, "a dead task: there was none to kill")
        self._compare(out, f"after a dead task ({said})", process.returncode)
        return {"status": process.returncode, "problems_after": self.problems[before:]}

    def disk_full(self, truth: Path) -> dict[str, Any] | str:
        """Write to a disk of half the size that is needed, then make room."""
        if os.geteuid() or sys.platform != "linux":
            return "not tried: needs root on Linux"
        mount = self.folder / "disk"
        mount.mkdir()
        needed = sum(path.stat().st_size for path in truth.rglob("*") if path.is_file())
        size = max(16_384, needed // 2)
        tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)]
        if subprocess.run(tmpfs, check=False, capture_output=True).returncode:
            return "not tried: a file system could not be mounted"
        try:
            with self._started(mount / "out") as process:
                said = self._told(process, "a full disk")
            self._expect(process.returncode == 1, f"a full disk: status {process.returncode}")
            subprocess.run(["mount", "-o", "remount,size=4g", str(mount)], check=True)
            return {"says": said, "problems_after": self._resume(mount / "out", "a full disk")}
        finally:
            subprocess.run(["umount", str(mount)], check=True)

    def input_cut_off(self) -> dict[str, Any]:
        """Cut an input in half, run, mend it, run again."""
        path, out = self.subject.inputs[-1], self.folder / "cut"
        with put_back(path, self.folder):
            os.truncate(path, path.stat().st_size // 2)
            with self._started(out) as process:
                said = self._told(process, "an input cut off")
        return {"status": process.returncode, "says": said} | {
            "problems_after": self._resume(out, "an input cut off")
        }

    def input_vanished(self) -> dict[str, Any]:
        """Remove an input while the command runs, put it back, run again."""
        path, out = self.subject.inputs[-1], self.folder / "vanished"
        with put_back(path, self.folder), self._started(out) as process:
            has_ended(process, self.seconds * self.draw.uniform(0.2, 0.4))
            path.unlink()
            said = self._told(process, "a vanished input")
        return {"status": process.returncode, "says": said} | {
            "problems_after": self._resume(out, "a vanished input")
        }

    def _resume(self, out: Path, fault: str) -> list[str]:
        """Run the command again; what is wrong then."""
        before = len(self.problems)
        code, said = self._finish(out)
        if code and "--overwrite" in said:  # other posts are another corpus, and it says so
            code, said = self._finish(out, "--overwrite")
        self._compare(out, f"after {fault} ({said})", code)
        return self.problems[before:]

    def _compare(self, out: Path, when: str, code: int) -> None:
        self._expect(code == 0, f"{when}: exit status {code}")
        found = outcome(out) if out.exists() else {}
        names = sorted(found.keys() | self.truth.keys())
        other = [name for name in names if found.get(name) != self.truth.get(name)]
        self._expect(not other, f"{when}: not as in the unbroken run: {', '.join(other)}")
        left = leftovers(out, self.subject.beside)
        self._expect(not left, f"{when}: left behind: {', '.join(left)}")

    def _expect(self, held: bool, otherwise: str) -> None:
        if not held:
            print(f"  {otherwise}", file=sys.stderr)
            self.problems.append(otherwise)

    def _expect_gone(self, group: int, fault: str) -> None:
        if not gone(group, _PATIENCE / 10):
            self._expect(False, f"{fault}: lived on: {'; '.join(members(group))}")
            os.killpg(group, signal.SIGKILL)

    def _finish(self, out: Path, *more: str) -> tuple[int, str]:
        with self._started(out, *more) as process:
            process.wait(_PATIENCE)
        return process.returncode, self._last_line()

    def _told(self, process: subprocess.Popen[bytes], fault: str) -> str:
        """Wait for a run's end; return the last line of what it said, without noise before it."""
        process.wait(_PATIENCE)
        self._expect_gone(process.pid, fault)
        said = self._log.read_text(encoding="utf-8", errors="replace")
        for noise in ("Traceback", "Warning"):
            self._expect(noise not in said, f"{fault}: says {noise}")
        return self._last_line()

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _last_line(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].replace(str(self.folder.parent), "…") if lines else ""

    @contextmanager
    def _started(
        self, out: Path, *more: str, cluster: str | None = None
    ) -> Generator[subprocess.Popen[bytes]]:
        with (
            self._log.open("wb") as log,
            subprocess.Popen(
                [*self.subject.command(out, cluster), *more],
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                preexec_fn=heed_interrupts,
            ) as process,
        ):
            yield process


if __name__ == "__main__":
    sys.exit(main())
