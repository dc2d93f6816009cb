"""Names across spellings and scripts: Mohammed, Mohamed and محمد are found by each other. Pure.

``search_key`` reduces a name to the consonants that survive every usual spelling. It is coarse on
purpose (Amine and Amina share a key): it finds candidates, people decide.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.translation import get_language

if TYPE_CHECKING:
    from telemed.accounts.models import Patient, User

# Letters whose sounds Moroccan spellings confuse fall together. One capital letter stands for a
# sound that Latin writes with two: K = kh, G = gh, C = ch.
_ARABIC = {
    "ب": "b", "پ": "b", "ت": "t", "ط": "t", "ث": "t", "ج": "j", "ح": "h", "ه": "h", "خ": "K",
    "د": "d", "ض": "d", "ذ": "d", "ظ": "d", "ر": "r", "ز": "z", "س": "s", "ص": "s", "ش": "C",
    "غ": "G", "ف": "f", "ڤ": "f", "ڥ": "f", "ق": "k", "ك": "k", "ک": "k", "گ": "k", "ݣ": "k",
    "ڭ": "k", "ل": "l", "م": "m", "ن": "n", "ي": "y", "ى": "", "ا": "", "أ": "", "إ": "",
    "آ": "", "ء": "", "ئ": "", "ؤ": "", "ع": "", "و": "", "ة": "",
}  # fmt: skip
_DIGITS_AS_LETTERS = str.maketrans({"2": "", "3": "a", "5": "K", "7": "h", "9": "k"})

_LATIN_SOUNDS = (
    (r"kh", "K"),
    (r"gh|rh", "G"),
    (r"sch|tch|ch|sh", "C"),
    (r"dj", "j"),
    (r"ph|v", "f"),
    (r"th", "t"),
    (r"dh", "d"),
    (r"ç|c(?=[eiy])", "s"),
    (r"g(?=[eiy])", "j"),
    (r"[cqg]", "k"),
    (r"p", "b"),
    (r"x", "ks"),
)

# Arabic writes these without the hamza that would tell the vowel "i", which Latin often drops.
_BEGINS_WITH_I = re.compile(
    r"إ|اي|ابراهيم|ادريس|اسماعيل|اسلام|الهام|اكرام|الياس|عماد|عصام|عمران|عيسى"
)
_LATIN_ARTICLES = {"el", "al", "l", "ess", "es", "err", "er", "ez", "ech", "en", "et", "ed"}
_NOT_AN_ARTICLE = {"elias", "elyas", "elena", "elise", "elisa", "ella"}
_JOINS_NEXT = {"ben", "bin", "bou", "abou", "ait", "abd", "abdel", "abdal", "abdul", "abdes"}
_ARABIC_JOINS_NEXT = {"بن", "ابن", "بو", "ابو", "أبو", "ايت", "أيت", "آيت", "عبد"}
_JOINS_LAST = {"eddine", "ddine", "eddin", "din", "dine", "الدين"}
_TATWEEL_AND_MARKS = re.compile(r"[\u0640\u064b-\u065f\u0670]")


def display_name(patient: "Patient", language: str | None = None) -> str:
    """Given and family name in the script of ``language`` (the active one by default), else in
    any; "" for nobody's. Reads ``patient.names``: prefetch it for lists."""
    known = {row.script: row for row in patient.names.all() if row.voided_at is None}
    row = known.get(script_of_language(language)) or next(iter(known.values()), None)
    return f"{row.given} {row.family}".strip() if row else ""


def user_name(user: "User", language: str | None = None) -> str:
    """A professional's name in the script of ``language``."""
    return (user.name_ar if script_of_language(language) == "Arab" else "") or user.name


def script_of(text: str) -> str:
    """The ISO 15924 code of the script that a name is typed in: "Arab" or "Latn"."""
    return "Arab" if any(_is_arabic(letter) for letter in text) else "Latn"


def script_of_language(language: str | None = None) -> str:
    """ "Arab" or "Latn": what people who read this language (the active one) write names in."""
    return "Arab" if (language or get_language() or "fr").startswith("ar") else "Latn"


def search_key(*names: str) -> str:
    """The key of a name in either script: sorted, distinct word keys with spaces between them."""
    return " ".join(sorted({key for key in map(word_key, _words(" ".join(names))) if key}))


def word_key(word: str) -> str:
    """The consonants of one word, doubled ones once, with "a" for a vowel at the beginning."""
    sounds = _arabic_sounds(word) if _is_arabic(word) else _latin_sounds(word)
    sounds = sounds[:1] + re.sub(r"[aeiouwy]", "", sounds[1:])
    sounds = re.sub(r"(.)\1+", r"\1", sounds)
    # Zohra, Fatimah and طه: an h at the end is heard in some spellings and written in others.
    return sounds[:-1] if len(sounds) > 1 and sounds.endswith("h") else sounds


def alike(one: str, other: str) -> bool:
    """Whether two search keys may name the same person: one's words are all among the other's.

    Words run together (Fatimazahra, Fatima Zahra) count as the same.
    """
    a, b = set(one.split()), set(other.split())
    if not a or not b:
        return False
    return a <= b or b <= a or bool(_runs(a) & _runs(b))


def _runs(words: Iterable[str]) -> frozenset[str]:
    return frozenset({"".join(sorted("".join(words)))})


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).strip().lower()
    text = _TATWEEL_AND_MARKS.sub("", text)
    text = re.sub(r"\bm['’]h", "mh", text)
    found = re.findall(r"[^\W_]+", text)
    return _joined(_without_accents(word) for word in found)


def _joined(words: Iterable[str]) -> list[str]:
    """Abd el Kader, Ben Ali and Nour Eddine as one word each, articles between them left out."""
    result: list[str] = []
    open_word = False
    for word in words:
        if word in _JOINS_LAST and result:
            result[-1] += _bare(word)
        elif word in _LATIN_ARTICLES:
            continue
        elif open_word:
            result[-1] += _bare(word)
        else:
            result.append(_bare(word))
        open_word = word in _JOINS_NEXT or word in _ARABIC_JOINS_NEXT
    return result


def _bare(word: str) -> str:
    """The word without its article, however it is written on to it."""
    if _is_arabic(word):
        if word in {"الياس", "الهام"}:
            return word
        return re.sub(r"^(عبد)?ال(?=..)", r"\1", word)
    if word in _NOT_AN_ARTICLE:
        return word
    word = re.sub(r"^e(?:ch(?=ch)|([dnrstz])(?=\1))", "", word)
    return re.sub(r"^el(?=[^l]..)", "", word)


def _is_arabic(word: str) -> bool:
    return "\u0600" <= word[:1] <= "\u06ff" or "\u0750" <= word[:1] <= "\u077f"


def _without_accents(word: str) -> str:
    if _is_arabic(word):
        return word
    word = word.replace("ç", "s")
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _arabic_sounds(word: str) -> str:
    sounds = "".join(_ARABIC.get(letter, "") for letter in word)
    if _BEGINS_WITH_I.match(word):
        return sounds.lstrip("y")
    if word[0] == "ي":
        return "Y" + sounds[1:]
    return sounds if _ARABIC.get(word[0]) else "a" + sounds


def _latin_sounds(word: str) -> str:
    sounds = word.translate(_DIGITS_AS_LETTERS)
    sounds = re.sub(r"^abd[aeou]l?(?=[bcdfghjkmnqrstxz])", "abd", sounds)
    for spelling, sound in _LATIN_SOUNDS:
        sounds = re.sub(spelling, sound, sounds)
    if re.match(r"i[aou]|y[aeiou]", sounds):
        return "Y" + sounds[1:]
    if sounds[:1] == "i":
        return re.sub(r"^i+", "", sounds)
    return re.sub(r"^[aeouw]+", "a", sounds)
