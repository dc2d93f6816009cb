from telemed.lib.refusals import Refused


class RoomRefused(Refused):
    """A refusal of the room; its codes stand in PROTOCOL.md section 6."""
