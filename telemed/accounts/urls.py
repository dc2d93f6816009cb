from django.urls import path

from telemed.accounts import views

app_name = "patients"
urlpatterns = [
    path("", views.search, name="search"),
    path("mine/", views.mine, name="mine"),
    path("register/", views.register, name="register"),
    path("<uuid:patient>/", views.card, name="card"),
    path("<uuid:patient>/wishes/", views.keep_wishes, name="wishes"),
    path("<uuid:patient>/edit/", views.edit, name="edit"),
    path("<uuid:patient>/contacts/", views.add_phone, name="add_phone"),
    path("<uuid:patient>/identifiers/", views.add_identifier, name="add_identifier"),
    path("<uuid:patient>/representatives/", views.add_representative, name="add_representative"),
    path("<uuid:patient>/links/", views.link, name="link"),
    path("<uuid:patient>/void/<slug:kind>/<uuid:row>/", views.void, name="void"),
]
