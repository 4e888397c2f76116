"""A Ray cluster of nodes with a core each, in processes of its own.

`python -m tests.helpers.raycluster 2` prints its address, and ends when its standard input does.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"
    node = {"num_cpus": 1, "object_store_memory": 100_000_000}
    # Not where a user's own cluster is noted; short, as the paths of sockets have to be.
    with tempfile.TemporaryDirectory(prefix="ray") as folder:
        # Where Ray notes the cluster's address, and does not make the folder.
        os.environ["RAY_TMPDIR"] = folder
        (Path(folder) / "ray").mkdir()
        from ray.cluster_utils import Cluster

        head = {**node, "temp_dir": folder, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(int(sys.argv[1]) - 1):
            cluster.add_node(**node)
        cluster.wait_for_nodes()
        sys.stdout.write(f"{cluster.address}\n")
        sys.stdout.flush()
        sys.stdin.read()
        cluster.shutdown()


@dataclass(frozen=True)
class Nodes:
    """A cluster: where it answers, and the process that all of its processes come from."""

    address: str
    pid: int

    def kill_task(self, name: str, command: "subprocess.Popen[Any]") -> bool:
        """Kill the first process that works on a task while a command runs; whether there was one.

        Args:
            name: of the function that the task calls.
            command: that makes the tasks.
        """
        while command.poll() is None:
            for process in psutil.Process(self.pid).children(recursive=True):
                with suppress(psutil.Error):  # it ended meanwhile
                    if process.cmdline()[:1] == [f"ray::{name}"]:
                        process.kill()
                        return True
            time.sleep(0.02)
        return False


@contextmanager
def started(nodes: int) -> Generator[Nodes]:
    """Start a cluster."""
    command = [sys.executable, "-m", "tests.helpers.raycluster", str(nodes)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError("the cluster did not start")
            yield Nodes(address, process.pid)
        finally:
            process.stdin.close()
            process.wait(120)  # Ray drains its nodes first


if __name__ == "__main__":
    main()
