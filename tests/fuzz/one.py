"""``python -m tests.fuzz.one NAME [option of libFuzzer …] CORPUS``: fuzzes one way in."""

import asyncio
import os
import sys

import atheris

FOLLOWED = ["consultations.sfu", "consultations.messages", "aiortc.rtcsctptransport", "aioice.stun"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "telemed.settings")
with atheris.instrument_imports(include=FOLLOWED):
    import django

    django.setup()
    from tests.fuzz.targets import targets


def main() -> None:
    name = sys.argv.pop(1)
    target = targets(asyncio.new_event_loop())[name]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
