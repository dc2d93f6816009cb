"""Garbage collection of a media process."""

import gc

# What was imported and started is frozen: a full collection over it would hold every call up for
# tens of milliseconds. Packets and sessions make no circles; what a room is read into does, some
# 150 objects each time. Most of it dies young. Of the rest some 100,000 objects may gather, which
# take 10 ms; were it done more seldom, it would take longer.
COLLECT_AFTER = (20_000, 10, 10)


def keep_collections_short() -> None:
    """Once, when all is imported and started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
