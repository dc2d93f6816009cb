from django.urls import path

from consultations.views import (
    conntests,
    guests,
    operations,
    pages,
    pictures,
    quality,
    recordings,
    tickets,
    trouble,
)

app_name = "consultations"

urlpatterns = [
    path("visit/<uuid:appointment_id>/", pages.room, name="room"),
    path("visit/<uuid:appointment_id>/ticket", tickets.ticket, name="ticket"),
    path("visit/<uuid:appointment_id>/trouble", trouble.trouble, name="trouble"),
    path("visit/<uuid:appointment_id>/measured", conntests.measured, name="measured"),
    path("visit/test/ticket", tickets.test_ticket, name="test_ticket"),
    path("v/<str:token>/", pages.link, name="link"),
    path("v/<str:token>/confirm/", guests.confirm, name="guest_confirm"),
    path("v/<str:token>/cancel/", guests.cancel, name="guest_cancel"),
    path("v/<str:token>/ticket", tickets.guest_ticket, name="guest_ticket"),
    path("v/<str:token>/trouble", trouble.guest_trouble, name="guest_trouble"),
    path("v/<str:token>/measured", conntests.guest_measured, name="guest_measured"),
    path("v/<str:token>/test/ticket", tickets.guest_test_ticket, name="guest_test_ticket"),
    path("visit/<uuid:appointment_id>/call/", quality.call, name="call"),
    path("operations/connections/", quality.by_place, name="by_place"),
    path("visit/<uuid:appointment_id>/recordings/", recordings.index, name="recordings"),
    path("recording/<uuid:recording_id>/<int:number>.webm", recordings.film, name="film"),
    path("recording/<uuid:recording_id>/release/", recordings.release, name="recording_release"),
    path("recording/<uuid:recording_id>/close/", recordings.close, name="recording_close"),
    path("visit/<uuid:appointment_id>/pictures/", pictures.index, name="pictures"),
    path("picture/<uuid:picture_id>.jpg", pictures.picture, name="picture"),
    path("picture/<uuid:picture_id>/void/", pictures.void, name="picture_void"),
    path("operations/media/", operations.nodes, name="nodes"),
    path("operations/media/<slug:name>/", operations.drain, name="drain"),
]
