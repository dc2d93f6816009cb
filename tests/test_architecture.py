"""The shape of the house (docs/architecture.md), held by walking the imports."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parent.parent
# From the ground up: each may import those before it, never those after it.
FLOORS = (
    "telemed.lib",
    "consultations.sfu",
    "telemed.audit",
    "telemed.messaging",
    "telemed.accounts",
    "scheduling",
    "consultations",
    "telemed.records",
    "telemed.desk",
)
# The only files that know every app, and what starts them all.
ROOTS = (
    "telemed",
    "telemed.settings",
    "telemed.urls",
    "telemed.asgi",
    "telemed.celery",
    "telemed.errors",
    "telemed.run",
)
# The doors of an app: nobody else's business.
DOORS = {"views", "forms", "consumers", "sockets", "handlers", "urls", "routing", "tasks"}
LONGEST = 500


@dataclass(frozen=True)
class Import:
    where: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.where}:{self.line} imports {self.what}"


def sources() -> Iterator[Path]:
    for top in ("telemed", "scheduling", "consultations"):
        yield from sorted((ROOT / top).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[Import]:
    """Every import of the file, inside functions too; names imported from a package as modules."""
    where = str(path.relative_to(ROOT))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import(where, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = ".".join(filter(None, [package_of(path, node.level), node.module]))
            for alias in node.names:
                full = f"{source}.{alias.name}"
                yield Import(where, node.lineno, full if is_module(full) else source)


def package_of(path: Path, level: int) -> str:
    """Where a relative import of ``level`` dots begins; "" for an absolute one."""
    parts = path.relative_to(ROOT).parts
    return ".".join(parts[: len(parts) - level]) if level else ""


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def floor(module: str) -> str | None:
    """The floor that a module stands on; the longest name decides."""
    fitting = [name for name in FLOORS if module == name or module.startswith(f"{name}.")]
    return max(fitting, key=len, default=None)


def is_root(module: str) -> bool:
    return module in ROOTS or module.startswith("telemed.run.")


ALL = [(module_of(path), found) for path in sources() for found in imports(path)]


def test_every_module_stands_on_a_floor():
    lost = [module_of(path) for path in sources()]
    assert [module for module in lost if floor(module) is None and not is_root(module)] == []


def test_imports_point_down_only():
    upward = [
        str(found)
        for module, found in ALL
        if (here := floor(module)) is not None
        and (there := floor(found.what)) is not None
        and FLOORS.index(there) > FLOORS.index(here)
    ]
    assert upward == []


def test_nothing_imports_what_composes_it():
    assert [
        str(found)
        for module, found in ALL
        if floor(module) is not None and is_root(found.what) and found.what != "telemed"
    ] == []


def test_no_app_opens_anothers_doors():
    opened = [
        str(found)
        for module, found in ALL
        if (there := floor(found.what)) is not None
        and there != floor(module)
        and not is_root(module)
        and there != "telemed.lib"
        and DOORS & set(found.what.removeprefix(there).split("."))
    ]
    assert opened == []


def test_the_media_server_imports_neither_django_nor_an_app():
    known = {"consultations", "telemed", "scheduling"}
    wrong = [
        str(found)
        for module, found in ALL
        if floor(module) == "consultations.sfu"
        and not found.what.startswith("consultations.sfu")
        and found.what.split(".")[0] in known | {"django", "channels", "celery", "redis"}
    ]
    assert wrong == []


def test_the_media_server_loads_without_django():
    """What the imports' imports bring along is seen only by importing."""
    program = (
        "import importlib, pkgutil, sys, consultations.sfu as sfu\n"
        "for found in pkgutil.walk_packages(sfu.__path__, 'consultations.sfu.'):\n"
        "    importlib.import_module(found.name)\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'django']\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_ground_floor_has_no_models():
    assert list(apps.get_app_config("lib").get_models()) == []


OWN = [model for model in apps.get_models() if floor(model.__module__) is not None]


@pytest.mark.parametrize("model", OWN, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down_only(model: type[models.Model]):
    here = FLOORS.index(floor(model.__module__) or "")
    upward = [
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and isinstance(field.related_model, type)
        and (there := floor(field.related_model.__module__)) is not None
        and FLOORS.index(there) > here
    ]
    assert upward == []


def test_migrations_depend_downward_only():
    floors = {config.label: floor(config.name) for config in apps.get_app_configs()}
    upward = [
        f"{app}.{name} depends on {needed}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if (here := floors.get(app)) is not None
        for needed, _ in migration.dependencies
        if (there := floors.get(needed)) is not None and FLOORS.index(there) > FLOORS.index(here)
    ]
    assert upward == []


@pytest.mark.parametrize("rules", sorted(ROOT.glob("*/**/rules.py")), ids=str)
def test_rules_are_pure(rules: Path):
    """No query, no clock, no settings: translated words are all of Django that a rule may use."""
    if ".venv" in rules.parts:
        return
    wrong = [
        str(found)
        for found in imports(rules)
        if (
            found.what.startswith("django.")
            and not found.what.startswith(("django.utils.translation", "django.utils.functional"))
        )
        or found.what == "telemed.lib.clock"
        or found.what.endswith(".actions")
    ]
    assert wrong == []


# Where the machine's own time is meant: the clock itself, and what stands before there is a Django.
OWN_TIME = ("telemed/lib/clock.py", "telemed/run/")
NOW = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "timezone": {"now", "localtime", "localdate"},
    "time": {"time", "time_ns", "localtime"},
}


def test_the_time_comes_from_one_clock():
    wrong = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                of = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if node.attr in NOW.get(of, ()) and not name.startswith(OWN_TIME):
                    wrong.append(f"{name}:{node.lineno} asks {of}.{node.attr}")
    assert wrong == []


# A lookup or function by which the database itself would turn an instant into a local time.
PARTS = {"date", "time", "year", "iso_year", "month", "day", "week", "week_day", "quarter", "hour"}
PARTS |= {"iso_week_day", "minute", "second"}
CONVERTS = re.compile(r"(Trunc|Extract)[A-Z]\w*|Trunc|Extract")


def test_no_query_converts_zones():
    wrong = []
    for path in sources():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and set((node.arg or "").split("__")[1:]) & PARTS:
                wrong.append(f"{name}:{node.value.lineno} looks up {node.arg}")
            if isinstance(node, ast.Name) and CONVERTS.fullmatch(node.id):
                wrong.append(f"{name}:{node.lineno} calls {node.id}")
            is_text = isinstance(node, ast.Constant) and "AT TIME ZONE" in str(node.value)
            if is_text and name != "telemed/lib/checks.py":  # compares PostgreSQL's data with ours
                wrong.append(f"{name}:{node.lineno} converts in SQL")
    assert wrong == []


def test_files_stay_readable():
    tracked = subprocess.run(
        ["git", "ls-files", "*.py", "*.js", "*.html", "*.sh"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    long = {
        name: lines
        for name in tracked
        if (ROOT / name).exists()
        and "/migrations/" not in name
        and (lines := len((ROOT / name).read_text().splitlines())) > LONGEST
    }
    assert long == {}
