import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consultations import processes
from consultations.processes import Node

COLUMNS = ("name", "state", "rooms", "people", "packets/s", "cpu", "lag ms", "loss", "epoch")


class Command(BaseCommand):
    help = (
        "Shows the media processes. --drain NAME lets one take no new rooms and end with its "
        "last call; --resume NAME takes that back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--drain", metavar="NAME")
        what.add_argument("--resume", metavar="NAME")
        what.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(
        self, *args: Any, drain: str | None, resume: str | None, json: bool, **options: Any
    ) -> None:
        name = drain or resume
        if name and not processes.drain(name, draining=drain is not None):
            raise CommandError(f"No media process named {name} is alive.")
        rows = [_facts(node) for node in processes.nodes()]
        for line in _lines(rows) if json else _table(rows):
            self.stdout.write(line)


def _facts(node: Node) -> dict[str, Any]:
    one = node.process
    return {
        "name": one.name,
        "state": node.state,
        "rooms": one.rooms,
        "people": one.people,
        "packets/s": one.packets,
        "cpu": round(one.cpu, 2),
        "lag ms": round(one.lag_ms, 1),
        "loss": round(one.loss, 3),
        "epoch": one.epoch,
    }


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(row) for row in rows]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    cells = [list(COLUMNS), *([str(row[name]) for name in COLUMNS] for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
