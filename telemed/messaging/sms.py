"""How many parts a text takes as SMS (3GPP TS 23.038 and 23.040). Pure."""

# The default alphabet, and its extension whose characters take two places.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")

_GSM_WHOLE, _GSM_PART = 160, 153
_UCS2_WHOLE, _UCS2_PART = 70, 67


def segments(text: str) -> int:
    """Parts that are sent and paid for: a single Arabic part holds 70 characters, a Latin 160."""
    if all(letter in _GSM_BASIC or letter in _GSM_EXTENDED for letter in text):
        places = sum(2 if letter in _GSM_EXTENDED else 1 for letter in text)
        return _parts(places, _GSM_WHOLE, _GSM_PART)
    return _parts(len(text.encode("utf-16-be")) // 2, _UCS2_WHOLE, _UCS2_PART)


def _parts(places: int, whole: int, part: int) -> int:
    return 1 if places <= whole else -(-places // part)
