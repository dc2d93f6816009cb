import pytest

from telemed.accounts import contacts


@pytest.mark.parametrize(
    "text", ["0661234567", "06 61 23 45 67", "+212 661-234567", "00212661234567"]
)
def test_one_spelling_for_each_number(text):
    assert contacts.phone(text) == "+212661234567"


def test_a_number_of_another_country_keeps_it():
    assert contacts.phone("+33 6 12 34 56 78") == "+33612345678"


@pytest.mark.parametrize("text", ["", "abc", "12", "06612345678901234"])
def test_what_cannot_be_a_number_is_refused(text):
    with pytest.raises(contacts.NotAPhone):
        contacts.phone(text)


def test_an_identifier_is_compared_by_letters_and_digits():
    assert contacts.identifier_index("cin", "ua-12 345") == contacts.identifier_index(
        "cin", "UA12345"
    )
    assert contacts.identifier_index("cin", "UA12345") != contacts.identifier_index(
        "amo", "UA12345"
    )


def test_a_login_number_and_a_contact_number_have_different_indexes():
    number = "+212661234567"
    assert contacts.login_phone_index(number) != contacts.contact_index("phone", number)
