import pytest

from consultations.consent_texts import (
    CURRENT_VERSION,
    RECORDING_VERSION,
    UnknownText,
    recording_text,
    text_for,
)

# What people signed must not change under them: a new sentence needs a new version.
FROZEN = {
    ("2026-11", "fr", True): "f2f5bcb158e4feff4cbab8e19ae9a4857e1fd4402aa908d22126f570e63deefe",
    ("2026-11", "fr", False): "cba3bf87f37b65b573133d94015e89a945f099f0de89fbdacc311b1319863576",
    ("2026-11", "ar", True): "86d82d5d000fa9056d357584ad17887f929be3303b78ca50c72328de11888483",
    ("2026-11", "ar", False): "f24cf2066fa3a440ae76164d58a2829faa92a8e092b31d330b766691427c2064",
    ("2026-11", "en", True): "72ba7383aebebda727999db866ac016e7f46c4e76d01a82f0ec9ebcb7f8a4396",
    ("2026-11", "en", False): "52c36e41800c78c1e00ca26ffc00bf488db0e1fc8493c3cefdba9e631dcd011c",
    ("2026-11-2", "fr", True): "ba92e2ac79f4f3831cfceda8a600a3fc5a59d784aff492ea1bd081d1f87a1faa",
    ("2026-11-2", "fr", False): "3e6d3d8e84da398f8a2d03efa15bd6d96d51f5e8b18ae9d8cf918d449945b253",
    ("2026-11-2", "ar", True): "95233ad1f65414b1041796e9c32e4284c77ff9a55ce73b445aa4d473bcf7d540",
    ("2026-11-2", "ar", False): "9c04294fbcfa21d3496e03470257cba302e27e003ba2c705268336126feaafed",
    ("2026-11-2", "en", True): "ea4a0da83914f6f0caa162d7434bb9fa2ff7d9178e9adf3d3fe0539e8b32a70b",
    ("2026-11-2", "en", False): "030649596b6b0ee4b9a6bdffeea4e1848c2d132435f9ca565e3a7c1b02693614",
}
FROZEN_RECORDING = {
    ("2026-11", "fr"): "317b46a87bc0d11309ae7fd59e4bde20f498d51f1f22a918a7d27f7ffc741e10",
    ("2026-11", "ar"): "047457a8c63c9e496ff7e5347f1f6c7c75da220f24e19eff13c0bf66764bcf45",
    ("2026-11", "en"): "7d96e0a8dddff75e7d8f4c50a9468a8b740bcbb553d2f3aef5e4a64c6e0a027a",
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


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_being_recorded_has_words_of_its_own(language):
    text = recording_text(language)
    shown = text.shown("Dr Salma Bennis", purpose="Teaching", reference="D-1/2026")

    assert (text.version, text.language) == (RECORDING_VERSION, language)
    assert all(part in shown for part in ("Dr Salma Bennis", "Teaching", "D-1/2026"))


def test_the_words_about_being_recorded_never_change():
    found = {
        (version, language): recording_text(language, version).sha256
        for version, language in FROZEN_RECORDING
    }

    assert found == FROZEN_RECORDING
