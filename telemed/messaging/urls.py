from django.urls import path

from telemed.messaging import views

app_name = "messaging"
urlpatterns = [path("shown/", views.shown, name="shown")]
