import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from deepmoji.cli import app
from tests.helpers.bundles import Tiny, make_bundle


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return str(make_bundle(tmp_path_factory.mktemp("model") / "tiny", Tiny()).folder)


@pytest.fixture
def call():
    """Run the command line in this process."""

    def call(*arguments, stdin=None):
        return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)

    return call


@pytest.fixture
def run(tmp_path):
    """Run the command line as a user does: another process, bytes in and out, no terminal."""

    def run(*arguments, stdin=b"", environment=None):
        return subprocess.run(
            [sys.executable, "-m", "deepmoji", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | (environment or {}),
            check=False,
        )

    return run
