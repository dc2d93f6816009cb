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


@contextlib.contextmanager
def quota(pid: int, share: float) -> Iterator[str]:
    """Holds a process and its threads to `share` of one core; yields by what means."""
    group, means = _group(share)
    (group / "cgroup.procs").write_text(str(pid))
    try:
        yield means
    finally:
        with contextlib.suppress(OSError):
            (group.parent / "cgroup.procs").write_text(str(pid))
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.02)


def _group(share: float) -> tuple[Path, str]:
    name = f"bench-forwarding-{os.getpid()}"
    microseconds = int(share * PERIOD_US)
    try:
        for root in UNIFIED:
            controllers = root / "cgroup.controllers"
            if controllers.exists() and "cpu" in controllers.read_text().split():
                with contextlib.suppress(OSError):
                    (root / "cgroup.subtree_control").write_text("+cpu")
                group = root / name
                group.mkdir(exist_ok=True)
                (group / "cpu.max").write_text(f"{microseconds} {PERIOD_US}")
                return group, "cpu.max (cgroup v2)"
        if (LEGACY / "cpu.cfs_quota_us").exists():
            group = LEGACY / name
            group.mkdir(exist_ok=True)
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(microseconds))
            return group, "cpu.cfs_quota_us (cgroup v1)"
    except OSError as error:
        raise QuotaUnavailable(
            f"the CPU control group refuses: {error} (root is needed)"
        ) from error
    raise QuotaUnavailable("no CPU control group is mounted; mount one, or run on the host itself")
