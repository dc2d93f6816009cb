"""What changes in scheduling: one verb each, atomic, audited as the transaction's last statement.

All raise ``scheduling.refusals.Refused``. The actor's role says which side acts: ``patient`` is
the patient's side (themselves or a representative), held to the cut-off.
"""

from scheduling.actions.availability import add_availability, retire_availability
from scheduling.actions.book import book, book_at
from scheduling.actions.change import cancel, confirm, confirm_attendance, move, reassign
from scheduling.actions.hold import hold_slot, release_hold
from scheduling.actions.link import issue_link, reissue_link, renew_patient_link, void_links
from scheduling.actions.outcome import set_outcome, stamp_arrival
from scheduling.actions.rederive import rederive

__all__ = [
    "add_availability",
    "book",
    "book_at",
    "cancel",
    "confirm",
    "confirm_attendance",
    "hold_slot",
    "issue_link",
    "move",
    "reassign",
    "rederive",
    "reissue_link",
    "release_hold",
    "renew_patient_link",
    "retire_availability",
    "set_outcome",
    "stamp_arrival",
    "void_links",
]
