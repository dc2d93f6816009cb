"""Who lives in the demonstration, as plain data. No person, number or paper here is real."""

from dataclasses import dataclass
from datetime import date

from telemed.accounts.models import Organisation, Patient, Sex
from telemed.accounts.roles import Role

PASSWORD = "telemed-demo"  # noqa: S105 told to everybody who starts the demonstration

Texts = dict[str, str]


def texts(fr: str, ar: str, en: str = "") -> Texts:
    return {"fr": fr, "ar": ar, "en": en or fr}


@dataclass(frozen=True)
class Place:
    key: str
    kind: Organisation.Kind
    name: Texts
    parent: str = ""
    latitude: float | None = None
    longitude: float | None = None
    address: Texts | None = None
    phone: str = ""
    hospital: Texts | None = None
    hospital_phone: str = ""


PLACES = (
    Place(
        "ministry",
        Organisation.Kind.MINISTRY,
        texts(
            "Ministère de la Santé et de la Protection sociale",
            "وزارة الصحة والحماية الاجتماعية",
            "Ministry of Health and Social Protection",
        ),
    ),
    Place(
        "draa",
        Organisation.Kind.GROUP,
        texts(
            "Groupement sanitaire Drâa-Tafilalet",
            "المجموعة الصحية الترابية درعة تافيلالت",
            "Drâa-Tafilalet health group",
        ),
        parent="ministry",
    ),
    Place(
        "rabat",
        Organisation.Kind.GROUP,
        texts(
            "Groupement sanitaire Rabat-Salé-Kénitra",
            "المجموعة الصحية الترابية الرباط سلا القنيطرة",
            "Rabat-Salé-Kénitra health group",
        ),
        parent="ministry",
    ),
    Place(
        "chu",
        Organisation.Kind.FACILITY,
        texts("CHU Ibn Sina, Rabat", "المستشفى الجامعي ابن سينا، الرباط", "Ibn Sina, Rabat"),
        parent="rabat",
        latitude=33.985,
        longitude=-6.857,
        address=texts("Souissi, Rabat", "السويسي، الرباط"),
        phone="+212500000010",
    ),
    Place(
        "imilchil",
        Organisation.Kind.FACILITY,
        texts("Centre de santé Imilchil", "المركز الصحي إملشيل", "Imilchil health centre"),
        parent="draa",
        latitude=32.155,
        longitude=-5.635,
        address=texts(
            "Rue principale, à côté du souk",
            "الشارع الرئيسي، قرب السوق",
            "Main street, by the market",
        ),
        phone="+212500000011",
        hospital=texts(
            "Hôpital provincial de Midelt", "المستشفى الإقليمي بميدلت", "Midelt hospital"
        ),
        hospital_phone="+212500000012",
    ),
    Place(
        "van",
        Organisation.Kind.MOBILE_UNIT,
        texts("Unité mobile Haut Atlas", "الوحدة المتنقلة الأطلس الكبير", "High Atlas mobile unit"),
        parent="draa",
        address=texts(
            "Agoudal, place du village", "أكودال، ساحة القرية", "Agoudal, village square"
        ),
        phone="+212500000013",
        hospital=texts(
            "Hôpital provincial de Midelt", "المستشفى الإقليمي بميدلت", "Midelt hospital"
        ),
        hospital_phone="+212500000012",
    ),
)
EMERGENCY_NUMBER = "141"


@dataclass(frozen=True)
class Person:
    """Somebody who signs in as ``<key>@demo.example``; ``role`` is told to whoever tries it."""

    key: str
    name: str
    name_ar: str
    language: str
    role: Role
    place: str

    @property
    def email(self) -> str:
        return f"{self.key}@demo.example"


PEOPLE = (
    Person("amina", "Amina El Idrissi", "أمينة الإدريسي", "ar", Role.PATIENT, "draa"),
    Person("brahim", "Brahim Oubassou", "إبراهيم أوباسو", "fr", Role.PRESENTER, "imilchil"),
    Person("dr.salma", "Dr Salma Bennis", "د. سلمى بنيس", "fr", Role.SPECIALIST, "chu"),
    Person("dr.youssef", "Dr Youssef Tahiri", "د. يوسف الطاهري", "fr", Role.SPECIALIST, "chu"),
    Person("dr.houda", "Dr Houda Mansouri", "د. هدى المنصوري", "fr", Role.SPECIALIST, "chu"),
    Person("karim", "Karim Aït Lahcen", "كريم أيت لحسن", "fr", Role.COORDINATOR, "draa"),
    Person("nadia", "Nadia Cherkaoui", "نادية الشرقاوي", "fr", Role.AUDITOR, "ministry"),
    Person("omar", "Omar Berrada", "عمر برادة", "fr", Role.ADMINISTRATOR, "ministry"),
)


@dataclass(frozen=True)
class CaredFor:
    """A patient. ``login`` names the person who signs in as them; ``parent`` who acts for them."""

    key: str
    given: tuple[str, str]  # Latin, Arabic
    family: tuple[str, str]
    sex: Sex
    born: date
    place: str
    spoken: tuple[str, ...]
    language: str = "ar"
    precision: Patient.BirthPrecision = Patient.BirthPrecision.DAY
    phone: str = ""
    shared: bool = False
    login: str = ""
    parent: str = ""


PATIENTS = (
    CaredFor(
        "amina",
        ("Amina", "أمينة"),
        ("El Idrissi", "الإدريسي"),
        Sex.FEMALE,
        date(1979, 4, 12),
        "draa",
        ("ary", "fr"),
        phone="+212600000001",
        login="amina",
    ),
    CaredFor(
        "yassine",
        ("Yassine", "ياسين"),
        ("El Idrissi", "الإدريسي"),
        Sex.MALE,
        date(2018, 9, 3),
        "draa",
        ("ary",),
        phone="+212600000001",
        shared=True,
        parent="amina",
    ),
    CaredFor(
        "hadda",
        ("Hadda", "هدة"),
        ("Oubella", "أوبلا"),
        Sex.FEMALE,
        date(1951, 1, 1),
        "imilchil",
        ("tzm",),
        precision=Patient.BirthPrecision.ESTIMATED,
    ),
    CaredFor(
        "moha",
        ("Moha", "موحى"),
        ("Aït Yaza", "أيت يعزى"),
        Sex.MALE,
        date(1966, 1, 1),
        "imilchil",
        ("tzm", "ary"),
        precision=Patient.BirthPrecision.YEAR,
        phone="+212600000002",
        shared=True,
    ),
)


@dataclass(frozen=True)
class Doctor:
    """``offers``: speciality, and the place where the patient sits ("" at home)."""

    person: str
    sex: Sex
    number: str
    spoken: tuple[str, ...]
    offers: tuple[tuple[str, str], ...]


DOCTORS = (
    Doctor(
        "dr.salma",
        Sex.FEMALE,
        "INPE 900000001",
        ("fr", "ary", "ar"),
        (("cardiology", ""), ("cardiology", "imilchil")),
    ),
    Doctor(
        "dr.youssef",
        Sex.MALE,
        "INPE 900000002",
        ("fr", "ary", "tzm"),
        (
            ("dermatology", ""),
            ("dermatology", "imilchil"),
            ("dermatology", "van"),
            ("cardiology", ""),
        ),
    ),
    # Seldom asked for, so that some time is free soon however much was tried out already.
    Doctor(
        "dr.houda",
        Sex.FEMALE,
        "INPE 900000003",
        ("fr", "ary", "shi"),
        (("general", ""), ("paediatrics", ""), ("general", "van")),
    ),
)
