"""Looks the locked packages up in the advisory database.

Fails for a known vulnerability; a database that cannot be reached is said and does not fail,
because it says nothing about the code.
"""

import json
import subprocess
import sys

COMMAND = "pip-audit -r requirements/base.txt --require-hashes --disable-pip --format json"


def main() -> int:
    words = [*COMMAND.split(), "--progress-spinner", "off"]
    done = subprocess.run([sys.executable, "-m", "pip_audit", *words[1:]], capture_output=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return _say("Dependency audit: the advisory database is out of reach.", *last)
    looked_up = [package for package in packages if "vulns" in package]
    found = [
        f"{package['name']} {package['version']}: {hole['id']}, mended in {hole['fix_versions']}"
        for package in looked_up
        for hole in package["vulns"]
    ]
    if not looked_up:
        return _say("Dependency audit: the advisory database is out of reach.")
    _say(
        f"Dependency audit: {len(looked_up)} of {len(packages)} packages looked up,"
        f" {len(found)} known vulnerabilities.",
        *found,
    )
    return 1 if found else 0


def _say(*lines: str) -> int:
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
