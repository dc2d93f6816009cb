"""Every string of ours stands in French and in Arabic, complete, and with its placeholders."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("fr", "ar")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
SOURCES = ("telemed", "scheduling", "consultations", "templates", "locale", "manage.py")
COMMAND = "makemessages -l fr -l ar --no-obsolete --add-location file --no-wrap -e html,txt,py"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """The catalogues as they would be if the strings were gathered from the sources now."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    subprocess.run(
        [sys.executable, "manage.py", *COMMAND.split()], cwd=copy, check=True, capture_output=True
    )
    return {
        code: polib.pofile(str(copy / "locale" / code / "LC_MESSAGES" / "django.po"))
        for code in LANGUAGES
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing(extracted, language):
    missing = [entry.msgid for entry in extracted[language] if not entry.translated()]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_a_guess(extracted, language):
    assert [entry.msgid for entry in extracted[language].fuzzy_entries()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_agree(extracted, language):
    wrong = [
        (entry.msgid, told)
        for entry in extracted[language]
        for told in [entry.msgstr, *entry.msgstr_plural.values()]
        if told and not _agrees(entry, told)
    ]
    assert wrong == []


def _agrees(entry, told):
    asked = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))
    given = set(PLACEHOLDER.findall(told))
    # The number itself may be a word in a plural form: Arabic says "two hours" in one.
    return given <= asked if entry.msgid_plural else given == asked
