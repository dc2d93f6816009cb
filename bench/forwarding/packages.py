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
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}")


def version(package: str) -> str:
    query = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout


def _installed(package: str) -> bool:
    return bool(version(package))
