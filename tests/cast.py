"""The named people of the tests. Each is made when first asked for; nothing is random.

Ministry
├── Drâa-Tafilalet (group)      Karim coordinates, Nadia audits at the ministry
│   ├── Imilchil (health centre)  Brahim presents; Amina and little Yassine are registered here
│   └── Unité mobile 3
├── Rabat-Salé-Kénitra (group)  Leila coordinates
│   ├── CHU Rabat                 Dr Salma (cardiology), Dr Youssef (dermatology, cardiology)
│   └── Témara (health centre)    Hassan presents; Zineb, a foreign patient, is registered here
Omar administers everything. Fatima is Yassine's mother. Driss signed up and holds no role.
"""

from datetime import date
from functools import cached_property

from scheduling.models import Service, Specialist, Speciality
from telemed.accounts.models import Organisation, Patient, Representative, User
from telemed.accounts.roles import Role
from tests import make


class Cast:
    """People, places and services by name; ask only for whom the test needs."""

    # --- places

    @cached_property
    def ministry(self) -> Organisation:
        return make.organisation("ministry", "Ministère de la Santé", "وزارة الصحة")

    @cached_property
    def draa(self) -> Organisation:
        return make.organisation("group", "Drâa-Tafilalet", "درعة تافيلالت", parent=self.ministry)

    @cached_property
    def rabat(self) -> Organisation:
        return make.organisation(
            "group", "Rabat-Salé-Kénitra", "الرباط سلا القنيطرة", parent=self.ministry
        )

    @cached_property
    def imilchil(self) -> Organisation:
        return make.organisation(
            "facility",
            "Centre de santé Imilchil",
            "المركز الصحي إملشيل",
            parent=self.draa,
            emergency_number="141",
            nearest_hospital={"fr": "Hôpital de Midelt", "ar": "مستشفى ميدلت"},
            nearest_hospital_phone="+212535582011",
        )

    @cached_property
    def van(self) -> Organisation:
        return make.organisation(
            "mobile_unit", "Unité mobile 3", "الوحدة المتنقلة 3", parent=self.draa
        )

    @cached_property
    def chu(self) -> Organisation:
        return make.organisation(
            "facility", "CHU Rabat", "المركز الاستشفائي الرباط", parent=self.rabat
        )

    @cached_property
    def temara(self) -> Organisation:
        return make.organisation(
            "facility", "Centre de santé Témara", "المركز الصحي تمارة", parent=self.rabat
        )

    # --- professionals

    def _professional(
        self, email: str, name: str, arabic: str, role: Role, place: Organisation
    ) -> User:
        user = make.user(email, name, arabic)
        make.member(user, role, place)
        return user

    @cached_property
    def brahim(self) -> User:
        return self._professional(
            "brahim@cast.example", "Brahim Ouali", "إبراهيم والي", Role.PRESENTER, self.imilchil
        )

    @cached_property
    def hassan(self) -> User:
        return self._professional(
            "hassan@cast.example", "Hassan Tazi", "حسن التازي", Role.PRESENTER, self.temara
        )

    @cached_property
    def salma(self) -> User:
        return self._professional(
            "salma@cast.example", "Dr Salma Bennis", "د. سلمى بنيس", Role.SPECIALIST, self.chu
        )

    @cached_property
    def youssef(self) -> User:
        return self._professional(
            "youssef@cast.example", "Dr Youssef Alami", "د. يوسف العلمي", Role.SPECIALIST, self.chu
        )

    @cached_property
    def karim(self) -> User:
        return self._professional(
            "karim@cast.example", "Karim Naciri", "كريم الناصري", Role.COORDINATOR, self.draa
        )

    @cached_property
    def leila(self) -> User:
        return self._professional(
            "leila@cast.example", "Leila Chraibi", "ليلى الشرايبي", Role.COORDINATOR, self.rabat
        )

    @cached_property
    def nadia(self) -> User:
        return self._professional(
            "nadia@cast.example", "Nadia Fassi", "نادية الفاسي", Role.AUDITOR, self.ministry
        )

    @cached_property
    def omar(self) -> User:
        return self._professional(
            "omar@cast.example", "Omar Berrada", "عمر برادة", Role.ADMINISTRATOR, self.ministry
        )

    # --- patients and those who care for them

    @cached_property
    def amina_user(self) -> User:
        return make.user("amina@cast.example", "Amina El Idrissi", "أمينة الإدريسي", language="ar")

    @cached_property
    def amina(self) -> Patient:
        return make.patient(
            self.imilchil,
            "Amina",
            "El Idrissi",
            arabic=("أمينة", "الإدريسي"),
            phone="0661234567",
            cin="UA 12345",
            user=self.amina_user,
            sex="female",
            language="ar",
            spoken_languages=["ary"],
        )

    @cached_property
    def yassine(self) -> Patient:
        """Five years old, without a login, on his mother's phone."""
        return make.patient(
            self.imilchil,
            "Yassine",
            "Haddou",
            arabic=("ياسين", "حدو"),
            phone="0662000111",
            shared=True,
            sex="male",
            birth_date=date(2021, 3, 2),
            spoken_languages=["tzm"],
        )

    @cached_property
    def fatima(self) -> User:
        return make.user("fatima@cast.example", "Fatima Haddou", "فاطمة حدو")

    @cached_property
    def fatima_for_yassine(self) -> Representative:
        return make.representative(self.yassine, self.fatima)

    @cached_property
    def zineb(self) -> Patient:
        """Registered in the other region."""
        return make.patient(
            self.temara,
            "Zineb",
            "Sefrioui",
            arabic=("زينب", "الصفريوي"),
            phone="0663999888",
            sex="female",
        )

    @cached_property
    def driss(self) -> User:
        return make.user("driss@cast.example", "Driss Lahlou")

    # --- what can be booked

    @cached_property
    def cardiology(self) -> Speciality:
        return make.speciality("cardiology", "Cardiologie", "أمراض القلب", "Cardiology")

    @cached_property
    def dermatology(self) -> Speciality:
        return make.speciality("dermatology", "Dermatologie", "أمراض الجلد", "Dermatology")

    @cached_property
    def dr_salma(self) -> Specialist:
        made = make.specialist(self.salma, self.chu, [self.cardiology], sex="female")
        make.working_hours(made)
        return made

    @cached_property
    def dr_youssef(self) -> Specialist:
        made = make.specialist(
            self.youssef,
            self.chu,
            [self.dermatology, self.cardiology],
            sex="male",
            registration_number="INPE 107654321",
        )
        make.working_hours(made)
        return made

    @cached_property
    def at_home(self) -> Service:
        """Dr Salma's cardiology, the patient at home."""
        return make.service(self.dr_salma, self.cardiology)

    @cached_property
    def at_imilchil(self) -> Service:
        """Dr Salma's cardiology, the patient at the health centre beside Brahim."""
        return make.service(
            self.dr_salma, self.cardiology, patient_place="facility", site=self.imilchil
        )
