"""The words that people consent to. A stored consent names their version and hash.

The words are frozen per version: to change a sentence, add a version; the old one stays, because
rows name it.
"""

import hashlib
from dataclasses import dataclass
from types import MappingProxyType

CURRENT_VERSION = "2026-11-2"
RECORDING_VERSION = "2026-11"


@dataclass(frozen=True)
class ConsentText:
    """``sha256``: hex digest of ``text`` in UTF-8, ``{specialist}`` and such left as they stand."""

    version: str
    language: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def shown(self, specialist: str, **site: str) -> str:
        """``site``: the ``purpose`` and ``reference`` of a recording."""
        return self.text.format(specialist=specialist, **site)


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
_NOTHING = {
    "fr": ("Rien n’est enregistré.", "Rien n’est enregistré sans que je l’aie accepté à part."),
    "ar": ("لا يتم تسجيل أي شيء.", "لا يتم تسجيل أي شيء ما لم أوافق على ذلك على حدة."),
    "en": ("Nothing is recorded.", "Nothing is recorded unless I agree to that separately."),
}


def _recorded_apart(texts: dict[str, str]) -> dict[str, str]:
    return {language: text.replace(*_NOTHING[language]) for language, text in texts.items()}


_VERSIONS = MappingProxyType(
    {
        "2026-11": {"patient": _PATIENT, "other": _OTHER},
        "2026-11-2": {"patient": _recorded_apart(_PATIENT), "other": _recorded_apart(_OTHER)},
    }
)
_RECORDING = {
    "fr": (
        "J’accepte que mon image et ma voix soient enregistrées pendant cette téléconsultation "
        "avec {specialist}. But : {purpose}. Autorisation de protection des données : {reference}. "
        "L’enregistrement est chiffré ; seul {specialist} peut le voir, et le patient ou qui le "
        "représente si {specialist} le lui remet. Il est supprimé après son délai de conservation. "
        "Je peux refuser ou arrêter à tout moment, sans donner de raison et sans que mes soins "
        "changent ; je choisis alors si ce qui a été enregistré est supprimé."
    ),
    "ar": (
        "أوافق على تسجيل صورتي وصوتي خلال هذه الاستشارة الطبية عن بعد مع {specialist}. الغرض: "
        "{purpose}. ترخيص حماية المعطيات: {reference}. التسجيل مشفّر؛ لا يمكن أن يراه إلا "
        "{specialist}، والمريض أو من ينوب عنه إذا سلّمه {specialist} إليه. يُحذف بعد انتهاء مدة "
        "الاحتفاظ به. يمكنني الرفض أو التوقف في أي وقت، دون ذكر السبب ودون أن يتغير علاجي؛ وأختار "
        "عندئذ هل يُحذف ما سُجّل."
    ),
    "en": (
        "I agree that my picture and voice are recorded during this teleconsultation with "
        "{specialist}. Purpose: {purpose}. Data-protection authorisation: {reference}. The "
        "recording is encrypted; only {specialist} can see it, and the patient or who represents "
        "them if {specialist} hands it to them. It is deleted when its period is over. I can "
        "refuse or stop at any time, without giving a reason and without any change to my care; I "
        "then choose whether what was recorded is deleted."
    ),
}
_RECORDING_VERSIONS = MappingProxyType({"2026-11": _RECORDING})


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


def recording_text(language: str, version: str = RECORDING_VERSION) -> ConsentText:
    """The words about being recorded, the same for everybody. Raises ``UnknownText``."""
    texts = _RECORDING_VERSIONS.get(version)
    if texts is None:
        raise UnknownText(version)
    chosen = language if language in texts else "fr"
    return ConsentText(version, chosen, texts[chosen])
