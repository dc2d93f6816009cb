"""Whatever the audit keeps has words that people read."""

import ast
import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from consultations.handlers import HANDLERS
from telemed.accounts.actions import VOIDABLE
from telemed.accounts.roles import May, Role
from telemed.audit import words
from telemed.messaging import registry
from tests.test_architecture import sources

CODE = re.compile(r"[a-z_]+\.[a-z_]+")
AUDITING = {"record", "refused", "change", "_audit", "_audited", "_record", "_in_words"}
# Written like an action, and something else: a channel layer's message, a blind index's name.
OTHERS = {"room.changed", "room.interrupt", "room.appointment_changed", "user.phone"}


def literals(path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            code = node.value
            if CODE.fullmatch(code) and code.split(".")[0] in words.OBJECTS:
                yield code
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in AUDITING:
                values = (str(arg.value) for arg in node.args if isinstance(arg, ast.Constant))
                yield from filter(CODE.fullmatch, values)


def codes() -> set[str]:
    written = {code for path in sources() for code in literals(path)}
    made = {f"room.{name}" for name in HANDLERS}
    made |= {f"day.{role}" for role in Role}
    made |= {"consent.given", "consent.refused"}
    made |= {f"patient.void_{kind}" for kind in (*VOIDABLE, "link")}
    return (written | made) - set(May) - registry.kinds() - OTHERS | {"sign_in", "sign_out"}


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_action_has_words(code):
    assert words.in_words(code) != code


def test_a_refused_page_is_called_a_page():
    with translation.override("en"):
        assert words.in_words("scheduling:move") == "Asked for a page (scheduling:move)"
