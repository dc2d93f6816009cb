import pytest

from telemed.lib.browsers import Kind, kind_of, name_of

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 {}Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME.format("Linux; Android 13; SM-A125F", "Mobile "), "Chrome · Android"),
        (CHROME.format("Linux; Android 13", "SamsungBrowser/28 "), "Samsung Internet · Android"),
        (CHROME.format("Windows NT 10.0", "") + " Edg/140.0", "Edge · Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140", "Firefox · Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari · iPhone",
        ),
        ("curl/8", "curl/8"),
        ("", ""),
    ],
)
def test_a_browser_is_called_as_people_call_it(user_agent, name):
    assert name_of(user_agent) == name


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (CHROME.format("Linux; Android 13; SM-A125F", "Mobile "), Kind("phone", "Chrome")),
        (CHROME.format("Linux; Android 13; SM-T500", ""), Kind("tablet", "Chrome")),
        (CHROME.format("Windows NT 10.0", "") + " Edg/140.0", Kind("desktop", "Edge")),
        ("Mozilla/5.0 (Android 14; Tablet; rv:140.0) Firefox/140.0", Kind("tablet", "Firefox")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1", Kind("phone", "Safari")),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) Safari/604.1", Kind("tablet", "Safari")),
        ("curl/8", Kind()),
    ],
)
def test_of_a_browser_only_its_kind_is_kept(user_agent, kind):
    assert kind_of(user_agent) == kind
