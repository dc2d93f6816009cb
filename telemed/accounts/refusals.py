from telemed.lib.refusals import Refused


class AccountsRefused(Refused):
    """What registration, linking, representation and sign-in answer when they will not."""
