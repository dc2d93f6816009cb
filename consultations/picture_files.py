"""The file of a picture: from what was sent to what is kept, and read again to be shown."""

import hashlib
import io
import uuid
import warnings

from PIL import Image

from consultations import jpeg, pictures, rules
from consultations.models import Picture
from consultations.pictures import Kept
from telemed.lib.sealed_file import SealedReader, SealedWriter


class NoPicture(ValueError):
    """What was sent does not open as one JPEG picture, or is not what was announced."""


def keep(picture: Picture) -> Kept:
    """Write what is kept: the picture that was sent, without anything beside it.

    Raises ``NoPicture``, ``Unreadable`` for a changed file, ``FileNotFoundError``. Two at once do
    no harm.
    """
    sent = read(picture, sent=True)
    if hashlib.sha256(sent).hexdigest() != picture.sha256:
        raise NoPicture("not what was announced")
    try:
        plain = jpeg.without_metadata(sent)
    except jpeg.NotJpeg:
        raise NoPicture("not a whole JPEG") from None
    width, height = _size(plain)
    new = pictures.folder(picture.pk) / f"{uuid.uuid4()}.new"
    with SealedWriter(new, picture.key, pictures.kept_name(picture.pk)) as file:
        file.write(plain)
    new.replace(pictures.kept_path(picture.pk))
    return Kept(len(plain), hashlib.sha256(plain).hexdigest(), width, height)


def read(picture: Picture, *, sent: bool = False) -> bytes:
    """All of it, decrypted. Raises ``FileNotFoundError``, and ``Unreadable`` for a changed one."""
    path = (pictures.sent_path if sent else pictures.kept_path)(picture.pk)
    name = (pictures.sent_name if sent else pictures.kept_name)(picture.pk)
    reader = SealedReader(path, picture.key, name)
    return b"".join(reader.read(0, reader.size))


def drop_sent(picture: Picture) -> None:
    pictures.sent_path(picture.pk).unlink(missing_ok=True)


def _size(plain: bytes) -> tuple[int, int]:
    """Decoded to its end, so that nothing is kept that cannot be shown."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of fewer pixels than are taken here, and refuses from twice as many.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(plain), formats=["JPEG"]) as image:
                if image.width * image.height > rules.MAX_PICTURE_PIXELS:
                    raise NoPicture("too many pixels")
                image.load()
                return image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        raise NoPicture("it does not decode") from None
