import logging
from datetime import UTC, datetime

import pytest

from telemed.lib.pdf import Document

MADE_AT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


def document(language):
    return Document(language, "Titre · عنوان", reference="T-42", made_at=MADE_AT)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_both_scripts_have_every_letter(language, caplog):
    paper = document(language)
    with caplog.at_level(logging.WARNING):
        paper.facts([("Patient", "Fatima Zahra El Amrani"), ("المريضة", "فاطمة الزهراء العمراني")])
        paper.section("Traitement — العلاج")
        paper.paragraph("Œdème, cœur, naïveté.\nيُنصح بمواصلة العلاج؛ هل من ألم؟")
        paper.listing(["Amlodipine 5 mg", "قرص واحد كل صباح"])
        assert paper.as_bytes().startswith(b"%PDF-")
    assert caplog.messages == []


def test_arabic_letters_join():
    paper = document("ar")
    word = "سلام"
    assert paper.get_string_width(word) < 0.9 * sum(map(paper.get_string_width, word))


def test_the_same_content_gives_the_same_bytes():
    assert document("ar").as_bytes() == document("ar").as_bytes()
