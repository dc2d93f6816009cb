from django.urls import path

from scheduling.views import appointment, availability, find, hold, profile

app_name = "scheduling"

urlpatterns = [
    path("book/", find.start, name="start"),
    path("book/with/<slug:speciality>/", find.people, name="people"),
    path("book/times/<uuid:service_id>/", find.times, name="times"),
    path("book/hold/", hold.hold, name="keep"),
    path("book/hold/<uuid:hold_id>/", hold.book, name="hold"),
    path("book/hold/<uuid:hold_id>/release/", hold.release, name="release"),
    path("appointments/<uuid:appointment_id>/", appointment.appointment, name="appointment"),
    path("appointments/<uuid:appointment_id>/telemed.ics", appointment.calendar, name="calendar"),
    path("appointments/<uuid:appointment_id>/confirm/", appointment.confirm, name="confirm"),
    path("appointments/<uuid:appointment_id>/move/", appointment.move, name="move"),
    path("appointments/<uuid:appointment_id>/cancel/", appointment.cancel, name="cancel"),
    path("appointments/<uuid:appointment_id>/reassign/", appointment.reassign, name="reassign"),
    path("appointments/<uuid:appointment_id>/invite/", appointment.invite, name="invite"),
    path("appointments/<uuid:appointment_id>/link/", appointment.renew_link, name="renew_link"),
    path("book/specialists/<uuid:user_id>/", profile.profile, name="profile"),
    path("book/specialists/<uuid:user_id>/offers/", profile.add_service, name="add_service"),
    path(
        "book/specialists/<uuid:user_id>/offers/<uuid:offer_id>/retire/",
        profile.retire_service,
        name="retire_service",
    ),
    path("book/hours/", availability.everybody, name="diaries"),
    path("book/hours/<uuid:specialist_id>/", availability.availability, name="availability"),
    path(
        "book/hours/<uuid:specialist_id>/<slug:kind>/add/",
        availability.add,
        name="availability_add",
    ),
    path(
        "book/hours/<uuid:specialist_id>/<slug:kind>/<uuid:entry_id>/retire/",
        availability.retire,
        name="availability_retire",
    ),
]
