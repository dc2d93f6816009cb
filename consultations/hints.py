"""What the media server says of a browser's own call, as messages: PROTOCOL.md section 5."""

from typing import Any

from consultations.engine import LayersWanted, QualityChanged, Slot


def slots_message(slots: tuple[Slot, ...] | list[Slot]) -> dict[str, Any]:
    return {
        "type": "slots",
        "slots": [
            {
                "mid": slot.mid,
                "kind": slot.kind,
                "participant": slot.source_peer,
                "source": slot.source_kind,
            }
            for slot in slots
        ],
    }


def link_message(event: QualityChanged | LayersWanted) -> dict[str, Any]:
    """What somebody's browser is told of their own link, and of those who see them."""
    match event:
        case QualityChanged():
            return {"type": "quality", "level": event.level}
        case LayersWanted():
            return {"type": "layers", "sizes": dict(event.layers)}
