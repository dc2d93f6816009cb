"""Logs that a machine can search and that tell nobody's story.

A record carries the ids of ``telemed.lib.context``. Addresses, phone numbers and secrets of links
are struck out of its text before any handler writes it, and in production a traceback keeps its
places but not its message: that may quote what a person entered.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from telemed.lib import context

_PERSONAL = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[email]"),
    # With a country code, or a national number as Morocco writes it (0X XX XX XX XX).
    (re.compile(r"(?<![\w.:-])(?:(?:\+|00)[1-9]|0[5-8])(?:[ .-]?\d){7,13}(?![\w:])"), "[phone]"),
    # A link's token or a session key: 22 characters of base64url are 128 bits.
    (
        re.compile(
            r"(?<![\w-])(?![0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-]))"
            r"(?=[\w-]*\d)[A-Za-z0-9_-]{22,}(?![\w-])"
        ),
        "[secret]",
    ),
)


def without_personal_data(text: str) -> str:
    for pattern, word in _PERSONAL:
        text = pattern.sub(word, text)
    return text


class Discreet(logging.Filter):
    """Settles the record's text, struck out, and adds the ids of the present work."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = without_personal_data(record.getMessage())
        record.args = None
        record.ids = context.current()
        return True


class Readable(logging.Formatter):
    """One line for a person: time, level, logger, text, ids; then the whole traceback."""

    def format(self, record: logging.LogRecord) -> str:
        ids = " ".join(f"{name}={value}" for name, value in _ids(record).items())
        when = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        line = f"{when} {record.levelname:<7} {record.name}: {record.msg} {ids}".rstrip()
        if record.exc_info:
            line += "\n" + without_personal_data(self.formatException(record.exc_info))
        return line


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.msg,
            **_ids(record),
        }
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = record.exc_info[0].__name__
            entry["at"] = [
                f"{place.filename}:{place.lineno} {place.name}"
                for place in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(entry, ensure_ascii=False)


def configuration(*, production: bool, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"discreet": {"()": "telemed.lib.logs.Discreet"}},
        "formatters": {
            "line": {"()": f"telemed.lib.logs.{'Json' if production else 'Readable'}"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["discreet"],
                "formatter": "line",
            },
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would mail tracebacks and print a second line.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # These would log every address asked, and every table of every font.
            "httpx": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
            # It would log each socket's whole address, ticket included.
            "uvicorn.error": {"level": "WARNING"},
        },
    }


def _ids(record: logging.LogRecord) -> dict[str, str]:
    ids: dict[str, str] = getattr(record, "ids", {})
    return ids
