"""What comes in pieces is put together; what is kept of it is the picture and nothing else."""

import contextlib
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from consultations import jpeg, picture_files, pictures, rules
from consultations.actions.entering import open_visit
from consultations.assembly import Assembly, TooMuch
from consultations.models import Room
from consultations.picture_files import NoPicture
from telemed.lib.crypto import Unreadable
from telemed.lib.sealed_file import SealedWriter
from tests import make
from tests.consultations.jpegs import PLACE, photo, pixels

# --- putting together


@given(st.binary(min_size=1, max_size=300), st.data())
def test_however_pieces_come_what_is_there_is_the_beginning(whole, data):
    assembly, got = Assembly(len(whole)), b""
    for _ in range(data.draw(st.integers(0, 30))):
        offset = data.draw(st.integers(0, len(whole)))
        piece = whole[offset : offset + data.draw(st.integers(0, 60))]
        got += assembly.take(offset, piece)
        assert got == whole[: assembly.have]
    assert assembly.whole == (got == whole)


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 200), st.randoms())
def test_who_goes_on_from_what_is_there_comes_to_the_end_over_any_losses(whole, step, chance):
    assembly, got = Assembly(len(whole)), b""
    while not assembly.whole:
        at = assembly.have
        for offset in range(at, min(len(whole), at + 5 * step), step):
            if offset == at or chance.random() < 0.5:
                got += assembly.take(offset, whole[offset : offset + step])
    assert got == whole


@given(st.integers(0, 100), st.integers(0, 200), st.binary(max_size=200))
def test_nothing_is_taken_beyond_what_was_announced(size, offset, piece):
    assembly = Assembly(size)
    if offset + len(piece) > size:
        with pytest.raises(TooMuch):
            assembly.take(offset, piece)
        assert assembly.have == 0
    else:
        assert len(assembly.take(offset, piece)) <= size


# --- nothing but the picture


@pytest.mark.parametrize("seed", [1, 2], ids=["baseline", "progressive"])
def test_what_a_camera_writes_beside_the_picture_is_gone_and_the_picture_the_same(seed):
    taken = photo(seed=seed)
    plain = jpeg.without_metadata(taken)

    assert PLACE in taken
    assert PLACE not in plain
    assert not Image.open(io.BytesIO(plain)).getexif()
    assert pixels(plain) == pixels(taken)
    assert jpeg.without_metadata(plain) == plain
    assert jpeg.has_metadata(taken)
    assert not jpeg.has_metadata(plain)


def test_a_thumbnail_in_the_first_segment_is_gone_too():
    plain = jpeg.without_metadata(photo())
    head = plain.index(b"JFIF\0")
    with_thumbnail = (
        plain[: head - 2]
        + (16 + 12).to_bytes(2)
        + plain[head : head + 12]
        + b"\2\2"
        + b"secret" * 2
    ) + plain[head + 14 :]

    assert jpeg.without_metadata(with_thumbnail) == plain


@given(st.binary(max_size=400))
def test_whatever_bytes_say_they_are_a_jpeg_or_not(data):
    for sent in (data, b"\xff\xd8" + data):
        with contextlib.suppress(jpeg.NotJpeg):
            assert jpeg.without_metadata(sent)[-2:] == b"\xff\xd9"


@given(st.integers(2, 4000))
def test_a_jpeg_that_was_cut_is_none(at):
    whole = jpeg.without_metadata(photo(64, 48))
    with pytest.raises(jpeg.NotJpeg):
        jpeg.without_metadata(whole[: min(at, len(whole) - 2)])


# --- at rest


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    settings.PICTURES_DIR = tmp_path / "pictures"
    return settings.PICTURES_DIR


@pytest.fixture
def sent(visit):
    """Writes a file as it comes from a browser, for a picture of this visit."""
    room: Room = open_visit(visit)

    def sending(data: bytes, sha256: str = ""):
        row = make.picture(room, "patient", state="checking", announced=len(data))
        row.sha256 = sha256 or hashlib.sha256(data).hexdigest()
        row.save()
        name = pictures.sent_name(row.pk)
        with SealedWriter(pictures.sent_path(row.pk), row.key, name) as file:
            file.write(data)
        return row

    return sending


@pytest.mark.django_db
def test_what_is_kept_opens_with_its_key_alone_and_is_the_picture(sent, place):
    taken = photo(1600, 1200)
    row = sent(taken)
    made = picture_files.keep(row)
    kept = picture_files.read(row)

    assert (made.width, made.height, made.bytes) == (1600, 1200, len(kept))
    assert made.sha256 == hashlib.sha256(kept).hexdigest()
    assert pixels(kept) == pixels(taken)
    raw = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert PLACE not in raw
    assert kept[2000:2100] not in raw
    other = sent(taken)
    pictures.sent_path(row.pk).replace(pictures.sent_path(other.pk))
    with pytest.raises(Unreadable):
        picture_files.keep(other)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GIF89a" + bytes(100), id="another format"),
        pytest.param(photo(64, 48)[:900], id="cut"),
        pytest.param(b"\xff\xd8\xff\xda\x00\x02\x00\xff\xd9", id="nothing in it"),
    ],
)
def test_what_is_no_picture_is_not_kept(sent, data):
    with pytest.raises(NoPicture):
        picture_files.keep(sent(data))


@pytest.mark.django_db
def test_another_file_than_the_announced_one_is_not_kept(sent):
    with pytest.raises(NoPicture):
        picture_files.keep(sent(photo(), sha256="0" * 64))


@pytest.mark.django_db
def test_a_picture_of_too_many_pixels_is_not_decoded(sent, monkeypatch):
    monkeypatch.setattr(rules, "MAX_PICTURE_PIXELS", 1000)
    with pytest.raises(NoPicture):
        picture_files.keep(sent(photo()))


@pytest.mark.django_db
def test_a_picture_of_as_many_pixels_as_a_telephone_takes_is_kept(sent):
    assert Image.MAX_IMAGE_PIXELS
    width = Image.MAX_IMAGE_PIXELS // 8000 + 1000
    file = io.BytesIO()
    Image.new("L", (width, 8000), 90).save(file, "JPEG")

    made = picture_files.keep(sent(file.getvalue()))
    assert (made.width, made.height) == (width, 8000)
