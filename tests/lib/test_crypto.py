import pytest

from telemed.lib import crypto

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def _keys(settings):
    settings.FIELD_KEYS = {"new": NEW, "old": OLD}


@pytest.mark.parametrize("plain", [b"", b"x", "طنجة".encode(), bytes(range(256)) * 40])
def test_it_works(plain):
    assert crypto.unseal(crypto.seal(plain, "t.c:1"), "t.c:1") == plain


def test_the_same_text_never_looks_the_same():
    assert crypto.seal(b"same", "t.c:1") != crypto.seal(b"same", "t.c:1")


def test_the_first_key_seals_and_the_others_still_open(settings):
    settings.FIELD_KEYS = {"old": OLD}
    sealed = crypto.seal(b"text", "t.c:1")
    settings.FIELD_KEYS = {"new": NEW, "old": OLD}
    assert crypto.key_id_of(sealed) == "old"
    assert crypto.unseal(sealed, "t.c:1") == b"text"
    assert crypto.key_id_of(crypto.seal(b"text", "t.c:1")) == "new"


def test_a_value_moved_to_another_row_does_not_open():
    sealed = crypto.seal(b"text", "t.c:1")
    with pytest.raises(crypto.Unreadable, match=r"t\.c:2"):
        crypto.unseal(sealed, "t.c:2")


def test_every_changed_byte_is_noticed():
    sealed = crypto.seal(b"text", "t.c:1")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises((crypto.Unreadable, UnicodeDecodeError)):
            crypto.unseal(changed, "t.c:1")


@pytest.mark.parametrize("wrong", [b"", b"\x01", b"plain text", b"\x02\x03new"])
def test_what_was_never_sealed_is_refused(wrong):
    with pytest.raises(crypto.Unreadable):
        crypto.unseal(wrong, "t.c:1")


def test_a_key_that_is_gone_is_named(settings):
    sealed = crypto.seal(b"text", "t.c:1")
    settings.FIELD_KEYS = {"old": OLD}
    with pytest.raises(crypto.Unreadable, match="'new' is not configured"):
        crypto.unseal(sealed, "t.c:1")


def test_a_blind_index_depends_on_value_kind_and_key(settings):
    index = crypto.blind_index("cin", "UA1")
    assert len(index) == 64
    assert index == crypto.blind_index("cin", "UA1")
    assert index != crypto.blind_index("amo", "UA1")
    assert index != crypto.blind_index("cin", "UA2")
    assert crypto.blind_index("cin", "") == ""
    settings.INDEX_KEY = "another"
    assert index != crypto.blind_index("cin", "UA1")
