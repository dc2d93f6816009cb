#!/bin/sh
# backup.sh FOLDER: one file of the whole database, checked by reading it back, and beside it the
# encrypted pictures and recordings. Run it daily from systemd or cron as the user telemed. The keys of
# /etc/telemed/telemed.env are in neither, and without them nothing of it can be read: keep them
# elsewhere.
set -eu
folder=$1
: "${DATABASE_URL:?not set: run with the environment of /etc/telemed/telemed.env}"
: "${VAR_DIR:?not set: run with the environment of /etc/telemed/telemed.env}"
name="$folder/telemed-$(date -u +%Y%m%dT%H%M%SZ)"
umask 077
trap 'rm -f "$name.part"' EXIT
case $DATABASE_URL in
sqlite:*)
    # make run on one machine: a copy of the file would tear what is being written.
    name=$name.sqlite3
    python3 - "${DATABASE_URL#sqlite:///}" "$name.part" <<'PYTHON'
import contextlib, pathlib, sqlite3, sys

if not pathlib.Path(sys.argv[1]).is_file():
    sys.exit(f"{sys.argv[1]}: there is no such database")
with contextlib.closing(sqlite3.connect(sys.argv[1])) as source:
    with contextlib.closing(sqlite3.connect(sys.argv[2])) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            sys.exit(found)
PYTHON
    ;;
*)
    name=$name.dump
    pg_dump --format=custom --file="$name.part" "$DATABASE_URL"
    pg_restore --list "$name.part" >/dev/null
    ;;
esac
mv "$name.part" "$name"
# As they are: what somebody had deleted is gone from here with the next run.
for files in "${PICTURES_DIR:-$VAR_DIR/pictures}" "${RECORDINGS_DIR:-$VAR_DIR/recordings}"; do
    if [ -d "$files" ]; then rsync --archive --delete "$files" "$folder/"; fi
done
# Thirty days of dailies; the retention periods count for what is in here too.
find "$folder" -maxdepth 1 \( -name 'telemed-*.dump' -o -name 'telemed-*.sqlite3' \) -mtime +30 -delete
echo "$name"
