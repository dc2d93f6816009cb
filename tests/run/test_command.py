"""Starting and stopping: nothing stays behind, nothing is killed without a word."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telemed.run import lock
from telemed.run.children import YOUNG
from tests.servers import ROOT, Product, running

PARTS = {"web", "media-m1", "worker", "beat", "redis"}


@pytest.fixture
def product_(tmp_path: Path) -> Product:
    """One that the test starts, and may end in its own way."""
    return Product(tmp_path / "var")


def descendants(pid: int) -> set[int]:
    children = {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }
    return children.union(*map(descendants, children)) if children else set()


def parts(product: Product) -> dict[str, int]:
    """The direct children by the word in their command that tells them apart."""
    words = {"web": "web", "media": "media-m1", "worker": "worker", "beat": "beat"}
    found = {}
    for pid in descendants(product.process.pid):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        if parent == product.process.pid:
            name = next((words[word] for word in words if word in command), "redis")
            found[name] = pid
    return found


def gone(pids: set[int]) -> bool:
    """Waits for each to end, by its own file descriptor (pidfd_open(2)); False after 30 s."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([descriptor], [], [], 30)
        os.close(descriptor)
        if not ended:
            return False
    return True


def stop(product: Product, number: signal.Signals) -> None:
    family = descendants(product.process.pid)
    assert parts(product).keys() == PARTS
    product.process.send_signal(number)
    assert product.process.wait(30) == 0
    assert gone(family)


def test_signals_end_every_process_and_a_second_start_keeps_the_data(product_: Product) -> None:
    count = "from telemed.accounts.models import User; print(User.objects.count())"
    with running(product_):
        before = product_.manage("shell", "--verbosity", "0", "-c", count)
        stop(product_, signal.SIGINT)
    with running(product_):
        assert product_.manage("shell", "--verbosity", "0", "-c", count) == before
        stop(product_, signal.SIGTERM)


def test_killing_the_run_command_leaves_no_orphans(tmp_path: Path) -> None:
    """Here with the Redis of Python: of this machine's PATH only setpriv is left."""
    path = tmp_path / "bin"
    path.mkdir()
    (path / "setpriv").symlink_to("/usr/bin/setpriv")
    product = Product(tmp_path / "var", PATH=str(path))
    with running(product):
        command = Path(f"/proc/{parts(product)['redis']}/cmdline").read_bytes()
        assert b"telemed.run.redis" in command
        family = descendants(product.process.pid)
        product.process.kill()
        product.process.wait()
        assert gone(family)


def test_a_dead_process_is_started_again_and_one_that_cannot_live_ends_all(
    product_: Product,
) -> None:
    with running(product_):
        first = parts(product_)["media-m1"]
        old_enough = time.monotonic() + YOUNG
        while time.monotonic() < old_enough:
            assert product_.process.poll() is None
            time.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        assert product_.process.stdout is not None
        assert "media-m1 had ended" in product_.process.stdout.readline()
        second = parts(product_)["media-m1"]
        assert second != first
        family = descendants(product_.process.pid)
        os.kill(second, signal.SIGKILL)
        told, _ = product_.process.communicate(timeout=30)
        assert product_.process.returncode == 1
        assert "media-m1 ended" in told
        assert gone(family)


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "telemed.run"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
            stdout=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stdout
    assert "make run PORT=" in done.stdout


def test_a_second_run_with_the_same_data_is_refused_and_told_where_the_first_is(
    tmp_path: Path,
) -> None:
    with lock.held(tmp_path, "http://localhost:8000"):
        done = subprocess.run(
            [sys.executable, "-m", "telemed.run"],
            cwd=ROOT,
            env={**os.environ, "PORT": "0", "VAR_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert "Telemed runs already" in done.stdout
    assert "http://localhost:8000" in done.stdout
    assert not (tmp_path / "log").exists(), "nothing was started"
    with lock.held(tmp_path, "http://localhost:8080"):
        assert (tmp_path / "running").read_text() == "http://localhost:8080"
