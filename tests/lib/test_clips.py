from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.template import Context, Template

from telemed.lib import clips


@pytest.fixture
def recorded(settings, tmp_path):
    settings.CLIPS_DIR = tmp_path
    (tmp_path / "shi").mkdir()
    (tmp_path / "shi" / "consent.ogg").write_bytes(b"OggS")
    return tmp_path


@pytest.mark.parametrize(
    ("spoken", "found"),
    [
        (["ary", "shi"], "clips/shi/consent.ogg"),
        (["ary", "fr"], None),
        ([], None),
        (["../shi"], None),
    ],
)
def test_the_first_spoken_language_with_a_clip_is_heard(recorded, spoken, found):
    assert clips.find("consent", spoken) == found


def test_a_button_stands_only_where_there_is_something_to_hear(recorded):
    template = Template("{% load clips %}{% listen 'consent' spoken %}")

    assert "clips/shi/consent.ogg" in template.render(Context({"spoken": ["shi"]}))
    assert template.render(Context({"spoken": ["fr"]})).strip() == ""


def test_every_clip_is_offered_somewhere():
    pages = "\n".join(page.read_text() for page in settings.BASE_DIR.glob("templates/**/*.html"))
    assert [clip for clip in clips.CLIPS if f'{{% listen "{clip}" ' not in pages] == []


def test_the_operator_is_told_what_nobody_recorded(recorded):
    told = StringIO()

    call_command("missing_clips", "shi", stdout=told)

    lines = told.getvalue().splitlines()
    assert lines[-1] == f"{len(clips.CLIPS) - 1} missing"
    assert not any(line.startswith("shi/consent.ogg") for line in lines)
