"""The words that people consent to. A stored consent names their version and hash.

The words are frozen per version: to change a sentence, add a version; the old one stays, because
rows name it.
"""

import hashlib
from dataclasses import dataclass
from types import MappingProxyType

CURRENT_VERSION = "2026-11"


@dataclass(frozen=True)
class ConsentText:
    """``sha256``: hex digest of ``text`` in UTF-8, ``{specialist}`` left as it stands."""

    version: str
    language: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def shown(self, specialist: str) -> str:
        return self.text.format(specialist=specialist)


class UnknownText(LookupError):
    """No text of that version, audience and language."""


_PATIENT = {
    "fr": (
        "J’accepte une téléconsultation avec {specialist}. {specialist} me verra et m’entendra par "
        "vidéo, et écrira une note dans mon dossier médical. Rien n’est enregistré. Les messages "
        "écrits sont conservés avec la consultation. Je peux arrêter à tout moment, sans donner de "
        "raison, et demander une consultation en personne."
    ),
    "ar": (
        "أوافق على استشارة طبية عن بعد مع {specialist}. سيراني {specialist} ويسمعني بالفيديو، "
        "وسيكتب ملاحظة في ملفي الطبي. لا يتم تسجيل أي شيء. تُحفظ الرسائل المكتوبة مع الاستشارة. "
        "يمكنني التوقف في أي وقت، دون ذكر السبب، وطلب استشارة حضورية."
    ),
    "en": (
        "I agree to a teleconsultation with {specialist}. {specialist} will see and hear me by "
        "video, and write a note in my medical record. Nothing is recorded. Written messages are "
        "kept with the consultation. I can stop at any time, without giving a reason, and ask for "
        "a visit in person."
    ),
}
_OTHER = {
    "fr": (
        "J’accepte d’être vu et entendu pendant la téléconsultation avec {specialist}. Ce que "
        "j’entends sur la santé du patient reste confidentiel. Rien n’est enregistré. Les messages "
        "écrits sont conservés avec la consultation. Je peux arrêter à tout moment."
    ),
    "ar": (
        "أوافق على أن أُرى وأُسمع خلال الاستشارة الطبية عن بعد مع {specialist}. ما أسمعه عن صحة "
        "المريض يبقى سرياً. لا يتم تسجيل أي شيء. تُحفظ الرسائل المكتوبة مع الاستشارة. يمكنني التوقف "
        "في أي وقت."
    ),
    "en": (
        "I agree to be seen and heard during the teleconsultation with {specialist}. What I hear "
        "about the patient’s health stays confidential. Nothing is recorded. Written messages are "
        "kept with the consultation. I can stop at any time."
    ),
}
_VERSIONS = MappingProxyType({"2026-11": {"patient": _PATIENT, "other": _OTHER}})


def text_for(language: str, *, patient: bool, version: str = CURRENT_VERSION) -> ConsentText:
    """The words for the patient (or who stands for them), or for anybody else in the room.

    French stands in for a language without a text. Raises ``UnknownText`` for a version that
    never was.
    """
    try:
        texts = _VERSIONS[version]["patient" if patient else "other"]
    except KeyError:
        raise UnknownText(version) from None
    chosen = language if language in texts else "fr"
    return ConsentText(version, chosen, texts[chosen])
