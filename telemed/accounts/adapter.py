"""The only place where django-allauth is told how this house does things."""

from datetime import timedelta
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import Login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.sites.shortcuts import get_current_site
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from telemed.accounts import authenticators, contacts
from telemed.accounts.fields import PhoneField
from telemed.accounts.models import User
from telemed.lib import clock
from telemed.messaging import written
from telemed.messaging.models import Message
from telemed.messaging.registry import Content

THEIRS, OURS = "allauth.account.stages", "telemed.accounts.stages"
# For how many seconds a mail with a code is worth sending, and any other.
CODES: dict[str, int] = {
    "account/email/login_code": app_settings.LOGIN_BY_CODE_TIMEOUT,
    "account/email/email_confirmation": app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
    "account/email/email_confirmation_signup": app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
}
USEFUL_FOR = 24 * 60 * 60
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
        text = _("%(code)s is your Telemed code. Give it to nobody.") % {"code": code}
        _write(Message.Channel.SMS, phone, Content("", text), app_settings.LOGIN_BY_CODE_TIMEOUT)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        request = self.request
        given = {"request": request, "email": email, "current_site": get_current_site(request)}
        mail = self.render_mail(template_prefix, email, given | context)
        content = Content(str(mail.subject), str(mail.body))
        _write(Message.Channel.EMAIL, email, content, CODES.get(template_prefix, USEFUL_FOR))

    def send_unknown_account_sms(self, phone: str, **kwargs: Any) -> None:
        """Nothing: an SMS to a number that somebody typed costs money and tells a stranger."""


def _write(channel: str, address: str, content: Content, useful_for: int) -> None:
    """``useful_for`` is in seconds."""
    until = clock.now() + timedelta(seconds=useful_for)
    written.write(channel, address, translation.get_language() or "fr", content, until)


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
