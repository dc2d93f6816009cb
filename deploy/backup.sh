#!/bin/sh
# backup.sh FOLDER: one file of the whole database, checked by reading it back. Run it daily from
# systemd or cron as the user telemed. The keys of /etc/telemed/telemed.env are not in it, and
# without them it cannot be read: keep them elsewhere.
set -eu
folder=$1
: "${DATABASE_URL:?not set: run with the environment of /etc/telemed/telemed.env}"
name="$folder/telemed-$(date -u +%Y%m%dT%H%M%SZ).dump"
umask 077
pg_dump --format=custom --file="$name.part" "$DATABASE_URL"
pg_restore --list "$name.part" >/dev/null
mv "$name.part" "$name"
# Thirty days of dailies; the retention periods count for what is in here too.
find "$folder" -name 'telemed-*.dump' -mtime +30 -delete
echo "$name"
