"""What a process costs, and holding one to a part of a core."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

PERIOD_US = 100_000  # the kernel's own default
UNIFIED = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
LEGACY = Path("/sys/fs/cgroup/cpu")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads, by its own CPU clock
    (clock_getcpuclockid(3)), which is finer than the ticks of /proc/PID/stat."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1e9


def idle_seconds() -> float:
    """Idle time of all cores since the start of the machine."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return int(fields[4]) / os.sysconf("SC_CLK_TCK")


class QuotaUnavailable(Exception):
    """No control group of this machine lets us hold a process."""


def quota_means() -> str:
    """By what a process would be held; raises QuotaUnavailable."""
    return f"{_file()} of {'cgroup v2' if _unified() else 'cgroup v1'}, period {PERIOD_US} µs"


@contextlib.contextmanager
def quota(pid: int, share: float) -> Iterator[None]:
    """Holds a process with all its threads to `share` of one core."""
    file, root = _file(), _unified() or LEGACY
    group = root / f"bench-forwarding-{os.getpid()}"
    microseconds = int(share * PERIOD_US)
    try:
        if root is not LEGACY:
            (root / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir(exist_ok=True)
        if root is LEGACY:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / file).write_text(str(microseconds))
        else:
            (group / file).write_text(f"{microseconds} {PERIOD_US}")
        (group / "cgroup.procs").write_text(str(pid))
    except OSError as error:
        raise QuotaUnavailable(f"the control group refuses, root is needed: {error}") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (root / "cgroup.procs").write_text(str(pid))
        _remove(group)


def _unified() -> Path | None:
    for root in UNIFIED:
        controllers = root / "cgroup.controllers"
        if controllers.exists() and "cpu" in controllers.read_text().split():
            return root
    return None


def _file() -> str:
    if _unified():
        return "cpu.max"
    if (LEGACY / "cpu.cfs_quota_us").exists():
        return "cpu.cfs_quota_us"
    raise QuotaUnavailable("no control group for the CPU is mounted on this machine")


def _remove(group: Path) -> None:
    """Waits for the processes of the group to be gone."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.02)
