import pytest

from consultations.consent_texts import CURRENT_VERSION, UnknownText, text_for

# What people signed must not change under them: a new sentence needs a new version.
FROZEN = {
    ("2026-11", "fr", True): "f2f5bcb158e4feff4cbab8e19ae9a4857e1fd4402aa908d22126f570e63deefe",
    ("2026-11", "fr", False): "cba3bf87f37b65b573133d94015e89a945f099f0de89fbdacc311b1319863576",
    ("2026-11", "ar", True): "86d82d5d000fa9056d357584ad17887f929be3303b78ca50c72328de11888483",
    ("2026-11", "ar", False): "f24cf2066fa3a440ae76164d58a2829faa92a8e092b31d330b766691427c2064",
    ("2026-11", "en", True): "72ba7383aebebda727999db866ac016e7f46c4e76d01a82f0ec9ebcb7f8a4396",
    ("2026-11", "en", False): "52c36e41800c78c1e00ca26ffc00bf488db0e1fc8493c3cefdba9e631dcd011c",
}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("patient", [True, False])
def test_every_interface_language_has_words_of_its_own(language, patient):
    text = text_for(language, patient=patient)

    assert (text.version, text.language) == (CURRENT_VERSION, language)
    assert "Dr Salma Bennis" in text.shown("Dr Salma Bennis")


def test_another_language_is_told_in_french_and_says_so():
    assert text_for("zgh", patient=True).language == "fr"


def test_a_version_that_never_was_is_refused():
    with pytest.raises(UnknownText):
        text_for("fr", patient=True, version="1999-01")


def test_the_words_of_a_version_never_change():
    found = {
        (version, language, patient): text_for(language, patient=patient, version=version).sha256
        for version, language, patient in FROZEN
    }

    assert found == FROZEN
