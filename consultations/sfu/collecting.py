"""Garbage collection of a media process."""

import gc

# Packets make no cycles; what does is small and rare. A full collection over all that was imported
# would hold every call up for tens of milliseconds.
COLLECT_AFTER = (20_000, 20, 50)


def keep_collections_short() -> None:
    """Once, when all is imported and started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
