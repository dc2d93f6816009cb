"""Media processes and the leases of rooms: who owns what, settled by conditional UPDATEs.

All ages are measured by the database's clock, so that machines need not agree on the time.
"""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consultations.models import MediaProcess, Room
from consultations.refusals import RoomRefused
from telemed.audit import actions as audit
from telemed.audit.actor import SYSTEM, Actor
from telemed.lib.health import Unready

DEAD_AFTER = timedelta(seconds=3)


@dataclass(frozen=True)
class Load:
    """What a process tells of itself with every heartbeat."""

    rooms: int = 0
    people: int = 0
    lag_ms: float = 0.0
    cpu: float = 0.0
    packets: int = 0
    loss: float = 0.0
    full: bool = False


def _alive() -> Q:
    return Q(heartbeat_at__gt=Now() - DEAD_AFTER)


def register(name: str) -> MediaProcess:
    """Begin a new epoch under this name; whoever wrote under the older one is fenced off."""
    MediaProcess.objects.get_or_create(name=name)
    MediaProcess.objects.filter(name=name).update(
        epoch=F("epoch") + 1, heartbeat_at=Now(), draining=False
    )
    return MediaProcess.objects.get(name=name)


def beat(process_id: int, epoch: int, load: Load) -> bool:
    """False when this epoch is over: another process has taken the name."""
    return bool(
        MediaProcess.objects.filter(pk=process_id, epoch=epoch).update(
            heartbeat_at=Now(), **asdict(load)
        )
    )


@transaction.atomic
def drain(name: str, *, draining: bool, actor: Actor = SYSTEM) -> bool:
    """Let a process end with its last call, or take that back. False when it does not live."""
    alive = MediaProcess.objects.filter(_alive(), name=name)
    if not alive.update(draining=draining):
        return False
    action = "media.drain" if draining else "media.resume"
    audit.record(action, actor, code=name, purpose="administration")
    return True


def is_draining(process_id: int, epoch: int) -> bool:
    return MediaProcess.objects.filter(pk=process_id, epoch=epoch, draining=True).exists()


@dataclass(frozen=True)
class Node:
    """A media process as operators see it; ``state`` is live, draining, full or dead."""

    process: MediaProcess
    state: str

    @property
    def loss_percent(self) -> float:
        return self.process.loss * 100


def nodes() -> list[Node]:
    """Every process that was ever registered, by name."""
    alive = set(MediaProcess.objects.filter(_alive()).values_list("pk", flat=True))
    return [Node(one, _state(one, alive)) for one in MediaProcess.objects.order_by("name")]


def _state(process: MediaProcess, alive: set[int]) -> str:
    if process.pk not in alive:
        return "dead"
    if process.draining:
        return "draining"
    return "full" if process.full else "live"


def retire(process_id: int, epoch: int) -> None:
    """Say that this process is gone, so that nobody waits 3 s to find out."""
    MediaProcess.objects.filter(pk=process_id, epoch=epoch).update(heartbeat_at=None)


def place(room: Room) -> MediaProcess:
    """The process to send a person to: the room's owner while it lives, else one with room."""
    alive = MediaProcess.objects.filter(_alive())
    return alive.filter(owns=room, epoch=room.epoch).first() or with_room()


def with_room() -> MediaProcess:
    """The less busy of two by chance: all who come in one second know the same loads, and would
    all go to the same process.

    Refused ``unavailable`` when no media process runs, ``full`` when none takes a new room.
    """
    alive = MediaProcess.objects.filter(_alive(), draining=False)
    candidates = list(alive.filter(full=False))
    if candidates:
        two = random.sample(candidates, min(2, len(candidates)))
        return min(two, key=lambda one: (one.cpu, one.people, one.name))
    if alive.exists():
        raise RoomRefused(
            "full",
            _(
                "All video rooms are taken at the moment. This page tries again by itself; for "
                "what cannot wait, please telephone."
            ),
        )
    raise RoomRefused(
        "unavailable", _("The video service does not answer. Please try again in a moment.")
    )


def living() -> set[tuple[int, int]]:
    """Process and epoch of all that live."""
    return set(MediaProcess.objects.filter(_alive()).values_list("pk", "epoch"))


def check() -> None:
    """For ``/readyz``: some media process lives."""
    if not MediaProcess.objects.filter(_alive()).exists():
        raise Unready("no media process")


def take(
    room_id: UUID | str, process_id: int, epoch: int, *, is_steady: Callable[[], bool]
) -> bool:
    """Take the room's lease, or keep it.

    False when another living process has it, when this epoch is over, when it ends with the rooms
    that it has (draining), or the room is closed. ``is_steady`` says whether this process has
    reached the database all along: where not, the silence of another may be the database's, and
    only who retired or began a new epoch is gone.
    """
    steady = is_steady()
    present = _alive() if steady else Q(heartbeat_at__isnull=False)
    current = MediaProcess.objects.filter(pk=process_id, epoch=epoch)
    holder = MediaProcess.objects.filter(
        present, pk=OuterRef("process_id"), epoch=OuterRef("epoch")
    )
    ours = Q(process_id=process_id, epoch=epoch)
    new = Q(Exists(current.filter(draining=False))) & ~Exists(holder)
    # Each condition is asked of the row to be changed. In a second SELECT of rooms, an UPDATE that
    # waited for PostgreSQL's lock on the row would still judge it by its older state.
    free = Room.objects.filter(Exists(current), ours | new, pk=room_id)
    with transaction.atomic():
        taken = free.exclude(state=Room.State.CLOSED).update(process_id=process_id, epoch=epoch)
        # It may have waited for the very thing that kept the others silent.
        if steady and not is_steady():
            transaction.set_rollback(True)
            return False
    return bool(taken)


def owned(process_id: int, epoch: int, rooms: list[str]) -> dict[str, int]:
    """Which of these rooms this epoch holds, with their newest snapshot numbers."""
    rows = Room.objects.filter(pk__in=rooms, process_id=process_id, epoch=epoch)
    return {str(pk): number for pk, number in rows.values_list("pk", "snapshot")}


def release(room_id: UUID | str, process_id: int, epoch: int) -> None:
    Room.objects.filter(pk=room_id, process_id=process_id, epoch=epoch).update(process=None)
