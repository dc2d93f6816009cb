"""docs/configuration.md and the code name the same environment variables."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("telemed/settings.py", "telemed/run/__main__.py")


def read_by_the_code() -> set[str]:
    """The first argument of every call of the form ``env.flag("NAME", …)``."""
    return {
        node.args[0].value
        for name in SOURCES
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def documented() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", (ROOT / "docs/configuration.md").read_text(), re.M)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_every_variable_is_described():
    assert read_by_the_code() - documented() == set()


def test_nothing_is_described_that_is_not_read():
    assert documented() - read_by_the_code() == set()


def test_the_example_environment_is_of_known_variables():
    lines = (ROOT / "deploy/telemed.env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert names - documented() == set()
