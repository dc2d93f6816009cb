"""Large encrypted files: any order of writing, and nothing swapped, cut or torn goes unnoticed."""

import os
import random

import pytest

from telemed.lib.crypto import Unreadable
from telemed.lib.sealed_file import CHUNK, SLOT, SealedReader, SealedWriter, new_key, sha256

KEY = new_key()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "films" / "one"


def written(path, data, name="one"):
    with SealedWriter(path, KEY, name) as file:
        file.write(data)
    return path


def content(path, **options):
    reader = SealedReader(path, KEY, options.pop("name", "one"), **options)
    return b"".join(reader.read(0, reader.size))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_written_is_read(path, size):
    data = random.Random(size).randbytes(size)
    assert content(written(path, data)) == data
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10), (CHUNK - 3, CHUNK + 3), (5, 2 * CHUNK + 9), (7, 7)]
)
def test_a_part_is_read_alone(path, start, stop):
    data = random.Random(1).randbytes(2 * CHUNK + 100)
    reader = SealedReader(written(path, data), KEY, "one")
    assert b"".join(reader.read(start, stop)) == data[start:stop]


def test_writing_back_and_forth_is_as_in_memory(path):
    chance, expected = random.Random(2), bytearray()
    with SealedWriter(path, KEY, "one") as file:
        for _ in range(300):
            at = chance.randint(0, len(expected))
            data = chance.randbytes(chance.randint(0, 3000))
            expected[at : at + len(data)] = data
            file.seek(at)
            file.write(data)
    assert content(path) == expected


def test_nothing_of_it_stands_on_the_disk(path):
    assert b"said in the visit" not in written(path, b"said in the visit" * 100).read_bytes()


def swapped(raw):
    return raw[SLOT : 2 * SLOT] + raw[:SLOT] + raw[2 * SLOT :]


@pytest.mark.parametrize(
    "spoil",
    [
        swapped,
        lambda raw: raw[:-SLOT],
        lambda raw: raw[:SLOT] + raw[2 * SLOT :],
        lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
        lambda raw: raw + b"x",
        lambda raw: b"",
    ],
)
def test_swapped_cut_or_changed_does_not_open(path, spoil):
    written(path, os.urandom(3 * CHUNK))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(Unreadable):
        content(path)


def test_a_file_opens_under_its_own_name_only(path):
    written(path, b"x" * 100)
    with pytest.raises(Unreadable):
        content(path, name="two")


def test_of_a_dead_writer_the_whole_chunks_are_read_when_asked_for(path):
    data = os.urandom(2 * CHUNK + 100)
    writer = SealedWriter(path, KEY, "one")
    writer.write(data)
    writer.abandon()
    with pytest.raises(Unreadable):
        content(path)
    assert content(path, torn=True) == data[: 2 * CHUNK]
    assert not SealedReader(path, KEY, "one", torn=True).whole


def test_a_path_is_taken_once(path):
    written(path, b"x")
    with pytest.raises(FileExistsError):
        SealedWriter(path, KEY, "one")
    assert len(sha256(path)) == 64
