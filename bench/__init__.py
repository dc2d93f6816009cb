"""Measurements, side by side with peers; each module is one command (``python -m bench.NAME``)."""
