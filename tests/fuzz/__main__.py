"""``python -m tests.fuzz [NAME …]``: fuzzes each way in for FUZZ_SECONDS (60), one after the other.

A fault ends it with 1 and says how to see it again. ``python -m tests.fuzz --again NAME FILE`` runs
one input, without atheris.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

SLOW_SECONDS = 5  # an input that takes longer is a fault
MEMORY_MB = 1024
FOUND = Path("var/fuzz")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
    django.setup()
    names = sys.argv[1:]
    if names[:1] == ["--again"]:
        _again(*names[1:])
        return 0
    from tests.fuzz.seeds import seeds

    begun = seeds()
    FOUND.mkdir(parents=True, exist_ok=True)
    with _corpus(begun) as corpus:
        return max(_fuzzed(name, corpus / name) for name in names or begun)


@contextmanager
def _corpus(begun: dict[str, list[bytes]]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="telemed-fuzz-") as folder:
        for name, inputs in begun.items():
            Path(folder, name).mkdir()
            for number, data in enumerate(inputs):
                Path(folder, name, f"seed{number}").write_bytes(data)
        yield Path(folder)


def _fuzzed(name: str, corpus: Path) -> int:
    """1 when a fault was found."""
    seconds = int(os.environ.get("FUZZ_SECONDS") or 60)
    command = [sys.executable, "-m", "tests.fuzz.one", name]
    command += [f"-max_total_time={seconds}", f"-timeout={SLOW_SECONDS}", "-max_len=16000"]
    command += [f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={FOUND}/{name}-", str(corpus)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    told = done.stdout.decode(errors="replace")
    runs = re.findall(r"Done (\d+) runs", told)
    if done.returncode == 0 and runs:
        sys.stdout.write(f"{name}: {runs[0]} inputs in {seconds} s, no fault\n")
        sys.stdout.flush()
        return 0
    kept = re.findall(r"written to (\S+)", told)
    sys.stdout.write(f"{told[-4000:]}\n{name}: a fault. See it again by:\n")
    sys.stdout.write(f"  python -m tests.fuzz --again {name} {kept[-1] if kept else '?'}\n")
    sys.stdout.flush()
    return 1


def _again(name: str, file: str) -> None:
    from tests.fuzz.targets import targets

    targets(asyncio.new_event_loop())[name](Path(file).read_bytes())


if __name__ == "__main__":
    sys.exit(main())
