"""Visits to join now, made in the running product past the rules of booking."""

import json
from dataclasses import dataclass

from tests.servers import Product

BOOK = """
import json
from datetime import timedelta
from scheduling.models import Service
from telemed.accounts.models import Patient
from telemed.desk.demo.ids import demo_id
from telemed.desk.demo.seed import service_key
from telemed.lib import clock
from tests import make

visit = make.appointment(
    Patient.objects.get(pk=demo_id("patient:{patient}")),
    Service.objects.get(pk=demo_id(service_key("dr.salma", "cardiology", "{site}"))),
    clock.now() + timedelta(minutes=5),
)
print(json.dumps(str(visit.pk)))
"""
INVITE = """
import json
from scheduling.actions.link import issue_link
from scheduling.links import code, token
from scheduling.models import Appointment
from telemed.audit.actor import SYSTEM

visit = Appointment.objects.get(pk="{visit}")
link = issue_link(visit, "{kind}", SYSTEM, name="{name}", language="fr")
print(json.dumps([token(link), code(link)]))
"""


@dataclass(frozen=True)
class Link:
    path: str
    code: str


@dataclass(frozen=True)
class Visit:
    """An appointment with Dr Salma whose window is open."""

    product: Product
    id: str

    @property
    def path(self) -> str:
        return f"/visit/{self.id}/"

    def invite(self, kind: str, name: str = "") -> Link:
        words = INVITE.format(visit=self.id, kind=kind, name=name)
        token, code = json.loads(_last_line(self.product, words))
        return Link(f"/v/{token}/", code)


def book(product: Product, patient: str = "amina", site: str = "") -> Visit:
    return Visit(product, json.loads(_last_line(product, BOOK.format(patient=patient, site=site))))


def _last_line(product: Product, words: str) -> str:
    return product.manage("shell", "--verbosity", "0", "-c", words).strip().splitlines()[-1]
