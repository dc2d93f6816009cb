"""The steps between a right password and a session (see ``adapter.get_login_stages``)."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.stages import EmailVerificationStage, LoginByCodeStage
from allauth.core.internal.httpkit import headed_redirect_response


class SecondCodeStage(LoginByCodeStage):
    """Sends the second step to the phone that was signed in with; allauth would send a mail."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if self.state or user is None or not get_adapter().is_login_by_code_required(self.login):
            return super().handle()
        LoginCodeVerificationProcess.initiate(
            request=self.request, user=user, phone=user.phone, stage=self
        )
        self.state["login_by_code_required"] = True
        return headed_redirect_response("account_confirm_login_code"), True


class OwnEmailStage(EmailVerificationStage):
    """Whoever signs in by phone and has no e-mail address has none to prove."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if user is not None and not user.email:
            return None, True
        response, go_on = super().handle()
        return response, go_on
