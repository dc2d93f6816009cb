"""The visit as it is lived: the consultation, its room, who is in it and what they agreed to.

Authority stands here (who is admitted, what was consented to, which process owns the room); what
a media process keeps in memory may be lost at any time.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consultations.picture_model import Picture as Picture
from scheduling.models import Appointment, PersonalLink, Specialist
from telemed.accounts.models import Act, Organisation, Patient
from telemed.accounts.rows import Row
from telemed.lib import clock, retention
from telemed.lib.fields import SealedBytesField, SealedTextField


class MediaProcess(models.Model):
    """A running media process. Every write it makes names its ``epoch``; a process whose
    heartbeat is 3 s old by the database's clock is dead."""

    retention: ClassVar[str] = retention.TECHNICAL

    name = models.SlugField(max_length=32, unique=True)
    epoch = models.PositiveIntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    draining = models.BooleanField(default=False)  # takes no new rooms, and ends with its last
    full = models.BooleanField(default=False)  # by its own judgement: takes no new rooms now
    rooms = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    lag_ms = models.FloatField(default=0)
    cpu = models.FloatField(default=0)  # cores: user and system time by the clock's
    packets = models.PositiveIntegerField(default=0)  # sent in a second
    loss = models.FloatField(default=0)  # of what it sends, 0 to 1, mean over viewers


class ConsultationStatus(models.TextChoices):
    """FHIR R4 EncounterStatus (class VR)."""

    PLANNED = "planned", _("Planned")
    ARRIVED = "arrived", _("Arrived")
    IN_PROGRESS = "in-progress", _("In progress")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


class Consultation(Row):
    """FHIR Encounter: what happened of an appointment. Only "Finish" finishes it."""

    class Mode(models.TextChoices):
        VIDEO = "video", _("By video")
        TELEPHONE = "telephone", _("By telephone")

    class Identification(models.TextChoices):
        DOCUMENT = "document", _("Identity document seen")
        KNOWN = "known", _("Known to me")
        WITNESSED = "witnessed", _("Confirmed by the presenter")
        DECLARED = "declared", _("Name and birth date told")
        NOT_IDENTIFIED = "none", _("Not identified")

    appointment = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, related_name="consultation"
    )
    status = models.CharField(
        max_length=16, choices=ConsultationStatus.choices, default=ConsultationStatus.PLANNED
    )
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.VIDEO)
    identified_how = models.CharField(max_length=10, choices=Identification.choices, blank=True)
    identified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    identified_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    finished_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    place_confirmed = SealedTextField(blank=True)  # where the patient says they are now
    phone_confirmed = SealedTextField(blank=True)
    contact_person = SealedTextField(blank=True)


class Room(models.Model):
    """Where a consultation meets. ``snapshot`` numbers its state; messages are only hints."""

    retention: ClassVar[str] = retention.ADMINISTRATIVE

    class State(models.TextChoices):
        SCHEDULED = "scheduled"
        WAITING = "waiting"
        IN_SESSION = "in-session"
        PAUSED = "paused"
        INTERRUPTED = "interrupted"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    consultation = models.OneToOneField(Consultation, on_delete=models.PROTECT, related_name="room")
    state = models.CharField(max_length=12, choices=State.choices, default=State.SCHEDULED)
    snapshot = models.PositiveBigIntegerField(default=1)
    process = models.ForeignKey(
        MediaProcess, null=True, blank=True, on_delete=models.SET_NULL, related_name="owns"
    )
    epoch = models.PositiveIntegerField(default=0)  # the owning process's epoch
    professional_gone_at = models.DateTimeField(null=True, blank=True)
    emergency_at = models.DateTimeField(null=True, blank=True)
    recording_asked_at = models.DateTimeField(null=True, blank=True)


class ParticipantRole(models.TextChoices):
    PATIENT = "patient", _("Patient")
    REPRESENTATIVE = "representative", _("Representative")
    SPECIALIST = "specialist", _("Specialist")
    PRESENTER = "presenter", _("Presenter")
    COMPANION = "companion", _("Companion")
    INTERPRETER = "interpreter", _("Interpreter")


class Participant(Row):
    """One person of one room. Beside a presenter the patient has no device of their own:
    ``beside`` names the participant whose connection carries them."""

    class State(models.TextChoices):
        INVITED = "invited"
        JOINING = "joining"
        WAITING = "waiting"
        ADMITTED = "admitted"
        DENIED = "denied"
        CONNECTED = "connected"
        RECONNECTING = "reconnecting"
        LEFT = "left"
        REMOVED = "removed"
        UNABLE = "unable-to-join"

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="participants")
    role = models.CharField(max_length=16, choices=ParticipantRole.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INVITED)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    link = models.ForeignKey(
        PersonalLink, null=True, blank=True, on_delete=models.PROTECT, related_name="participants"
    )
    beside = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="carries"
    )
    name = SealedTextField()
    verified = models.BooleanField(default=False)  # a guest by link is not
    browser = models.UUIDField(null=True, blank=True)  # the browser that is live
    next_browser = models.UUIDField(null=True, blank=True)  # another device, which waits
    next_since = models.DateTimeField(null=True, blank=True)
    muted = models.JSONField(default=list, blank=True)  # audio, video, screen
    unable_reason = models.CharField(max_length=16, blank=True)  # one of messages.REASONS
    opened_at = models.DateTimeField(null=True, blank=True)  # link, test or waiting page opened
    waiting_since = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField(null=True, blank=True)
    reads_from = models.DateTimeField(null=True, blank=True)  # a guest's newest return
    last_seen_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_participant_per_user",
                fields=["room", "user", "role"],
                condition=Q(user__isnull=False, voided_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_participant_per_link",
                fields=["room", "link"],
                condition=Q(link__isnull=False, voided_at__isnull=True),
            ),
        ]


class PresentPerson(Row):
    """Somebody physically present at one end, on camera or not, as that end declares."""

    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="present")
    name = SealedTextField()
    capacity = models.CharField(max_length=40)  # mother, student, driver …
    on_camera = models.BooleanField(default=False)
    left_at = models.DateTimeField(null=True, blank=True)


class Consent(Row):
    """What somebody agreed to, in which words and how; withdrawn, never erased.

    ``text_version`` and ``text_hash`` (SHA-256 of the shown text) name the words;
    ``participant`` is who is heard and seen, ``given_by`` may be their representative,
    ``spoken_by`` the parent or guardian at that end whom the ``witness`` heard.
    """

    class Decision(models.TextChoices):
        GIVEN = "given"
        REFUSED = "refused"

    class How(models.TextChoices):
        TAPPED = "tapped", _("Tapped on the screen")
        SPOKEN = "spoken", _("Spoken, witnessed by the presenter")

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="consents"
    )
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="consents")
    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="+")
    act = models.CharField(max_length=20, choices=Act.choices)
    decision = models.CharField(max_length=8, choices=Decision.choices)
    text_version = models.CharField(max_length=16)
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    how = models.CharField(max_length=8, choices=How.choices)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    spoken_by = models.ForeignKey(
        PresentPerson, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    witness = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class RecordingConsent(Row):
    """What somebody at either end decided about being recorded; withdrawn, never erased.

    About a ``participant``, or about a ``person`` declared at that participant's end, on camera or
    not. ``guardian`` or ``spoken_by`` is the parent or guardian there who spoke for a minor.
    ``purpose`` and ``reference`` are the site's, as they were shown with the text.
    """

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="recording_consents"
    )
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(
        PresentPerson, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    specialist = models.ForeignKey(Specialist, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=8, choices=Consent.Decision.choices)
    text_version = models.CharField(max_length=16)
    text_hash = models.CharField(max_length=64)
    language = models.CharField(max_length=8)
    purpose = models.CharField(max_length=200)
    reference = models.CharField(max_length=64)
    how = models.CharField(max_length=8, choices=Consent.How.choices)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    guardian = models.ForeignKey(
        Participant, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    spoken_by = models.ForeignKey(
        PresentPerson, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    witness = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class Recording(Row):
    """What was recorded of a visit; never more than one at a time.

    ``process`` and ``epoch`` are those that take the packets. ``key`` opens the files, and is
    emptied with their deletion; ``films`` lists them: ``participant`` (id), ``kind`` (person or
    screen), ``bytes``, ``seconds``, ``sha256`` (of the encrypted file).
    """

    class State(models.TextChoices):
        RECORDING = "recording"
        STOPPED = "stopped"  # nothing more is taken
        MUXING = "muxing"
        READY = "ready"
        CLOSED = "closed"  # to everybody; deleted within 24 hours
        DELETED = "deleted"

    class Why(models.TextChoices):
        """Why it stopped."""

        STOPPED = "stopped", _("The specialist stopped it")
        WITHDRAWN = "withdrawn", _("Somebody took their consent back")
        UNCONSENTED = "unconsented", _("Somebody came who has not agreed")
        ROOM = "room", _("The visit was paused or ended")
        OFF = "off", _("The site has changed what it allows")
        EMPTY = "empty", _("Nobody was connected any more")
        OVERLOAD = "overload", _("The server had to keep the call going")
        STORAGE = "storage", _("It could not be stored")
        LOST = "lost", _("The video service was started again")

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="recordings"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECORDING)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(default=clock.now)
    stopped_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=12, choices=Why.choices, blank=True)
    process = models.ForeignKey(
        MediaProcess, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    epoch = models.PositiveIntegerField(default=0)
    written_at = models.DateTimeField(null=True, blank=True)  # the packets' writer let go of it
    key = SealedBytesField(blank=True)
    films = models.JSONField(default=list, blank=True)
    muxing_since = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)  # to the patient
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at"]
        constraints = [
            models.UniqueConstraint(
                name="one_recording_at_a_time",
                fields=["consultation"],
                condition=Q(state="recording"),
            )
        ]


class ConsentOverride(Row):
    """A life was at risk and nobody could be asked: the visit went on without a consent.

    It stands in for the consent until ``ended_at``; somebody else looks at it afterwards.
    """

    consultation = models.ForeignKey(
        Consultation, on_delete=models.PROTECT, related_name="overrides"
    )
    reason = SealedTextField()
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )


class ChatMessage(Row):
    """Written in the room and kept; ``to`` is set when it was for one waiting person alone.

    Its id is chosen by the sender's browser, so that a repeat stores nothing twice.
    """

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="chat")
    author = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="wrote")
    to = models.ForeignKey(
        Participant, null=True, blank=True, on_delete=models.PROTECT, related_name="was_written"
    )
    text = SealedTextField()

    class Meta:
        ordering = ["received_at"]


class CallRecord(models.Model):
    """One media session of one participant, in numbers: never an address, never what was said.

    The media process that carries the session chooses the id and writes the row anew every
    some seconds, so a repeat stores nothing twice and no other process touches it. ``ended_at``
    stays empty when that process was killed; ``seen_at`` is the last it told. ``modes`` is a list
    of [seconds since the start, mode], with a third, true, where voice only was their choice;
    ``gaps`` of [seconds since the start, seconds without a sign of the browser]. Shares go from 0
    to 1; what is None was not told.
    """

    retention: ClassVar[str] = retention.ADMINISTRATIVE

    class Path(models.TextChoices):
        UNKNOWN = "", _("Not known")
        IPV4 = "ipv4", _("Direct (UDP, IPv4)")
        IPV6 = "ipv6", _("Direct (UDP, IPv6)")
        RELAY = "relay", _("Through a relay (UDP)")
        RELAY_TCP = "relay-tcp", _("Through a relay (TCP or TLS)")

    class Mode(models.TextChoices):
        """How good the picture was that they sent or could be sent, the worse of the two."""

        FULL = "full", _("Full picture")
        SMALL = "small", _("Small picture")
        SLOW = "slow", _("Slow picture")
        STILL = "still", _("Still picture")
        VOICE = "voice", _("Voice only")

    class Device(models.TextChoices):
        UNKNOWN = "", _("Not known")
        PHONE = "phone", _("Phone")
        TABLET = "tablet", _("Tablet")
        DESKTOP = "desktop", _("Computer")

    class Ending(models.TextChoices):
        UNKNOWN = "", _("Not known")
        LEFT = "left", _("Left")
        CLOSED = "closed", _("Closed the page")
        TIMEOUT = "timeout", _("Connection lost")
        HANDSHAKE = "handshake", _("No connection came about")
        REMOVED = "removed", _("Removed")
        FINISHED = "finished", _("Visit finished")
        REPLACED = "replaced", _("Went on in a newer connection")
        SHUTDOWN = "shutdown", _("The video service stopped")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="calls")
    started_at = models.DateTimeField(default=clock.now)
    connected_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending.choices, blank=True)
    path = models.CharField(max_length=10, choices=Path.choices, blank=True)
    device = models.CharField(max_length=8, choices=Device.choices, blank=True)
    browser = models.CharField(max_length=20, blank=True)  # its family, never the User-Agent
    round_trip_ms = models.PositiveIntegerField(null=True, blank=True)  # the mean
    worst_round_trip_ms = models.PositiveIntegerField(null=True, blank=True)
    loss_up = models.FloatField(null=True, blank=True)
    loss_down = models.FloatField(null=True, blank=True)
    concealed = models.FloatField(null=True, blank=True)  # of the sound that was played
    freezes = models.PositiveIntegerField(null=True, blank=True)
    frozen_seconds = models.FloatField(null=True, blank=True)
    bytes_up = models.PositiveBigIntegerField(default=0)
    bytes_down = models.PositiveBigIntegerField(default=0)
    modes = models.JSONField(default=list, blank=True)
    gaps = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["started_at"]


class ConnectionTest(models.Model):
    """What one connection test measured at a place, without whoever made it.

    ``at_home``: it was made from outside the place, by somebody whom the place takes care of.
    """

    retention: ClassVar[str] = retention.TECHNICAL

    class Verdict(models.TextChoices):
        GOOD = "good", _("Good")
        FAIR = "fair", _("Usable")
        POOR = "poor", _("Weak")
        VOICE_ONLY = "voice-only", _("Voice only")
        LOST = "lost", _("No connection")

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField()  # when it was made, cut to the full hour
    at_home = models.BooleanField(default=False)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    expected_mode = models.CharField(max_length=8, choices=CallRecord.Mode.choices, blank=True)
    kbit_up = models.PositiveIntegerField(default=0)  # a second
    kbit_down = models.PositiveIntegerField(default=0)
    round_trip_ms = models.PositiveIntegerField(default=0)
    loss = models.FloatField(default=0)  # 0 to 1, there and back

    class Meta:
        indexes = [models.Index(fields=["organisation", "hour"], name="tests_of_a_place")]


class GuestSession(models.Model):
    """A browser that opened a personal link with its code; ``browser_hash`` is the SHA-256 of
    the key in its cookie."""

    retention: ClassVar[str] = retention.GUEST

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    link = models.ForeignKey(PersonalLink, on_delete=models.CASCADE, related_name="sessions")
    issue = models.PositiveIntegerField()  # of the link; a later issue ends the session
    browser_hash = models.CharField(max_length=64, unique=True)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)


class UsedTicket(models.Model):
    """A join ticket that was taken: the primary key makes the second use fail."""

    retention: ClassVar[str] = retention.TECHNICAL

    id = models.UUIDField(primary_key=True)
    used_at = models.DateTimeField(default=clock.now)
