"""The socket addresses of the media process, below ``/media/<process>/``."""

from django.urls import URLPattern

websocket_urlpatterns: list[URLPattern] = []
