from django.urls import path, register_converter

from telemed.accounts.roles import Role
from telemed.desk import views


class RoleConverter:
    regex = "|".join(Role)

    def to_python(self, value: str) -> Role:
        return Role(value)

    def to_url(self, value: Role) -> str:
        return str(value)


register_converter(RoleConverter, "role")

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("day/<role:role>/", views.day, name="day"),
    path("day/arrivals/<uuid:appointment_id>/", views.arrive, name="arrive"),
    path("day/emergencies/<uuid:override_id>/", views.review, name="review"),
    path("day/messages/<uuid:message_id>/", views.retry, name="retry"),
]
