"""The socket addresses of the media process, below ``/media/<process>/``."""

from django.urls import URLPattern, path

from consultations.sockets import RoomSocket

websocket_urlpatterns: list[URLPattern] = [
    path("media/<slug:process>/room", RoomSocket.as_asgi()),
]
