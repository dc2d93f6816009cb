from django.urls import path

from telemed.accounts import audit_views

app_name = "audit"
urlpatterns = [
    path("", audit_views.search, name="search"),
    path("mine/", audit_views.mine, name="mine"),
    path("about/<uuid:patient>/", audit_views.about, name="about"),
]
