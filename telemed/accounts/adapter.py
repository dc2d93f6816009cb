"""The only place where django-allauth is told how this house does things."""

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import Login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from telemed.accounts import authenticators, contacts
from telemed.accounts.fields import PhoneField
from telemed.accounts.models import User
from telemed.messaging.providers import sms_provider

THEIRS, OURS = "allauth.account.stages", "telemed.accounts.stages"
OWN_STAGES = {
    f"{THEIRS}.LoginByCodeStage": f"{OURS}.SecondCodeStage",
    f"{THEIRS}.EmailVerificationStage": f"{OURS}.OwnEmailStage",
}


class AccountAdapter(DefaultAccountAdapter):
    """A phone is a login of one user; a code sent to it is never more than a second step."""

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        user.language = translation.get_language() or user.language
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_login_stages(self) -> list[str]:
        return [OWN_STAGES.get(stage, stage) for stage in super().get_login_stages()]

    def is_login_by_code_required(self, login: Login) -> bool:
        """A code as second step for whoever came by phone number and has no better one.

        Numbers change hands, so a number and a password alone open nothing.
        """
        user = login.user
        if user is None or login.signup or is_mfa_enabled(user):
            return False
        records = get_authentication_records(self.request, user)
        last = records[-1] if records else {}
        return last.get("method") == "password" and not last.get("email")

    # --- the phone as a login

    def phone_form_field(self, **kwargs: Any) -> PhoneField:
        return PhoneField(**kwargs)

    def clean_phone(self, phone: str) -> str:
        return phone

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        return (user.phone, user.phone_verified) if user.phone else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        user.take_phone(phone, verified=verified)
        user.save(update_fields=["phone", "phone_index", "phone_verified"])

    def set_phone_verified(self, user: User, phone: str) -> None:
        self.set_phone(user, phone, True)

    def get_user_by_phone(self, phone: str) -> User | None:
        try:
            index = contacts.login_phone_index(contacts.phone(phone))
        except contacts.NotAPhone:
            return None
        return User.objects.filter(phone_index=index).first()

    def send_verification_code_sms(self, user: User, phone: str, code: str, **kwargs: Any) -> None:
        self._sms(phone, _("%(code)s is your Telemed code. Give it to nobody.") % {"code": code})

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        """Nothing: an SMS to a number that somebody typed costs money and tells a stranger."""

    def _sms(self, phone: str, text: str) -> None:
        sms_provider().send(phone, text, key=f"code-{uuid.uuid4()}")


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of second factors are sealed with the field keys."""

    def encrypt(self, text: str) -> str:
        return authenticators.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return authenticators.unseal(encrypted_text)

    def get_totp_issuer(self) -> str:
        return "Telemed"

    def _get_site_name(self) -> str:
        return "Telemed"
