from django.urls import path

from telemed.accounts import staff_views as views

app_name = "people"
urlpatterns = [
    path("", views.people, name="list"),
    path("add/", views.add, name="add"),
    path("<uuid:user_id>/", views.person, name="person"),
    path("<uuid:user_id>/roles/", views.grant, name="grant"),
    path("<uuid:user_id>/roles/<uuid:membership_id>/end/", views.end, name="end"),
    path("<uuid:user_id>/close/", views.close, name="close"),
    path("<uuid:user_id>/reopen/", views.reopen, name="reopen"),
    path("places/add/", views.add_place, name="add_place"),
    path("places/<uuid:organisation_id>/", views.place, name="place"),
]
