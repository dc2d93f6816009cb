from django.urls import path

from telemed.records import views

app_name = "records"
urlpatterns = [
    path("<uuid:consultation_id>/", views.panel, name="panel"),
    path("<uuid:consultation_id>/note/", views.save_note, name="save_note"),
    path("notes/<uuid:note_id>/sign/", views.sign, name="sign"),
    path("<uuid:consultation_id>/summary/write/", views.save_summary, name="save_summary"),
    path("<uuid:consultation_id>/summary/release/", views.release, name="release"),
    path("<uuid:consultation_id>/summary/", views.summary, name="summary"),
    path("<uuid:consultation_id>/summary.pdf", views.summary_pdf, name="summary_pdf"),
]
