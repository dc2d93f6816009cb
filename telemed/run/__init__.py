"""``make run``: everything Telemed needs on one machine, under one address.

``__main__`` tells the story; ``children`` starts and stops processes; ``front`` is the one door
that passes pages to the web process and ``/media/…`` to the media processes, as nginx does in
production; ``certificate`` makes what a phone needs for its camera.
"""
