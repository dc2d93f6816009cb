"""The Debian packages that the peers need; nothing of the product depends on them."""

import os
import subprocess


class Missing(Exception):
    """Says which command mends it."""


def ensure(package: str) -> None:
    """Installs a Debian package when run by root, after saying so; raises Missing else."""
    if _installed(package):
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", package]
    if os.getuid() != 0:
        raise Missing(f"{package} is not installed: sudo {' '.join(command)}")
    print(f"installing {package}: {' '.join(command)}", flush=True)
    if _apt(command).returncode:
        _apt(["apt-get", "update"])  # the lists may be old, or not there at all
        done = _apt(command)
        if done.returncode:
            raise Missing(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")


def _apt(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def version(package: str) -> str:
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout


def _installed(package: str) -> bool:
    status = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    told = subprocess.run(status, capture_output=True, text=True, check=False)
    return told.stdout == "installed"
