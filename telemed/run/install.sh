#!/bin/sh
# install.sh base|dev|fuzz [tests] [check]: makes .venv from the lock, and first whatever the machine
# itself must have. Says what is missing, installs it by apt (through sudo when not root), or
# stops with the line to type.
set -eu
cd "$(dirname "$0")/../.."
lock=$1
shift
: "${PYTHON:=python3}"

missing=""
need() { # need PACKAGE COMMAND…: the package is missing when the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
on_path() { command -v "$1"; }
any_chromium() {
    on_path chromium || on_path chromium-browser || on_path google-chrome ||
        ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-*
}
postgresql_server() { on_path initdb || ls /usr/lib/postgresql/*/bin/initdb; }
arabic_font() { fc-list :lang=ar family | grep -q .; }

need python3 on_path "$PYTHON"
need python3-venv "$PYTHON" -c "import ensurepip, venv"
for part in "$@"; do
    case $part in
    tests)
        # Ubuntu's package only points to a snap: there Playwright brings its own, further down.
        if grep -qx 'ID=debian' /etc/os-release; then need chromium any_chromium; fi
        need firefox-esr on_path firefox-esr
        need redis-server on_path redis-server
        need postgresql postgresql_server
        need fontconfig on_path fc-list
        need fonts-noto-core arabic_font
        need gettext on_path msgfmt
        need gettext on_path xgettext
        ;;
    check)
        need npm on_path npm
        need gettext on_path msgfmt
        ;;
    esac
done

if [ -n "$missing" ]; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo "
    line="${as_root}apt-get install --yes --no-install-recommends$missing"
    echo "This machine lacks:$missing"
    if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
        echo "Please install that as the machine's administrator, on Debian and Ubuntu by:"
        echo "  apt-get update && apt-get install --yes$missing"
        exit 1
    fi
    echo "Installing:  $line"
    if ! { ${as_root}apt-get update -qq && DEBIAN_FRONTEND=noninteractive $line >/dev/null; }; then
        echo "That failed. Please run it yourself and start again:"
        echo "  ${as_root}apt-get update && $line"
        exit 1
    fi
fi

"$PYTHON" - <<'PYTHON' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(f"Telemed needs Python 3.11 or newer; {sys.executable} is "
             f"{sys.version.split()[0]}. Name another one:  make run PYTHON=python3.12")
PYTHON

# The stamp is the lock's own hash: a changed lock installs again, a touched file does not.
stamp=.venv/.installed-$lock-$(sha256sum "requirements/$lock.txt" | cut -c1-16)
if [ ! -e "$stamp" ]; then
    if [ ! -x .venv/bin/python ]; then
        echo "  … Making .venv"
        "$PYTHON" -m venv .venv
    fi
    echo "  … Installing the packages of requirements/$lock.txt (some minutes, the first time)"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
        --only-binary :all: -r "requirements/$lock.txt"
    rm -f .venv/.installed-"$lock"-*
    touch "$stamp"
fi

case " $* " in *" tests "*)
    if ! any_chromium >/dev/null 2>&1; then
        echo "  … Downloading Chromium"
        .venv/bin/python -m playwright install chromium || {
            echo "That failed. Please install Chromium so that 'chromium' is on the PATH."
            exit 1
        }
    fi
    ;;
esac
