"""The files of a recording, on the disk always encrypted: packets in, films out, a part to play."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

from asgiref.sync import sync_to_async

from consultations import films, recordings
from consultations.models import Recording
from consultations.sfu import record
from telemed.lib.sealed_file import SealedReader, SealedWriter, sha256

ASKED_EVERY_BYTES = 1 << 20


def make_films(recording: Recording) -> list[dict[str, object]]:
    """Muxed from the packets, as ``Recording.films`` lists them; none when nothing was taken.

    Raises ``Unreadable`` for a changed file. Of a process that died, what it had written counts.
    """
    path = recordings.packets_path(recording.pk)
    if not path.exists():
        return []
    packets = SealedReader(path, recording.key, recordings.packets_name(recording.pk), torn=True)
    found = films.survey(record.read(packets.read(0, packets.size)))
    outputs = [_output(recording, number) for number in range(len(found.films))]
    with contextlib.ExitStack() as open_files:
        for output in outputs:
            open_files.callback(output.close)
        muxers = [
            films.Muxer(film, found.timings, output)
            for film, output in zip(found.films, outputs, strict=True)
        ]
        films.make(packets.read(0, packets.size), muxers)
    return [_listed(recording, number, muxer) for number, muxer in enumerate(muxers)]


def _output(recording: Recording, number: int) -> SealedWriter:
    path = recordings.film_path(recording.pk, number)
    path.unlink(missing_ok=True)  # of a worker that died over it
    return SealedWriter(path, recording.key, recordings.film_name(recording.pk, number))


def _listed(recording: Recording, number: int, muxer: films.Muxer) -> dict[str, object]:
    return {
        "participant": muxer.film.peer_id,
        "kind": muxer.film.kind,
        "seconds": round(muxer.seconds, 1),
        "bytes": open_film(recording, number).size,
        "sha256": sha256(recordings.film_path(recording.pk, number)),
    }


def drop_packets(recording: Recording) -> None:
    recordings.packets_path(recording.pk).unlink(missing_ok=True)


def open_film(recording: Recording, number: int) -> SealedReader:
    """Raises ``FileNotFoundError``, and ``Unreadable`` for one that was changed."""
    path = recordings.film_path(recording.pk, number)
    return SealedReader(path, recording.key, recordings.film_name(recording.pk, number))


async def part_of(
    film: SealedReader, start: int, stop: int, allowed: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Decrypted while it is sent, a chunk at a time; asked whether that is still ``allowed`` after
    every so many bytes, it breaks off when it is not."""
    chunks: Iterator[bytes] = film.read(start, stop)
    following, may = sync_to_async(lambda: next(chunks, None)), sync_to_async(allowed)
    since = 0
    while (chunk := await following()) is not None:
        yield chunk
        since += len(chunk)
        if since >= ASKED_EVERY_BYTES:
            since = 0
            if not await may():
                return
