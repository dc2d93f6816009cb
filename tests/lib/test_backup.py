"""deploy/backup.sh on SQLite beside a service that writes; bench/installation.py tries the rest."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def back_up(var: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [ROOT / "deploy/backup.sh", folder],
        env={
            "PATH": os.environ["PATH"],
            "VAR_DIR": str(var),
            "DATABASE_URL": f"sqlite:///{var}/telemed.sqlite3",
        },
        capture_output=True,
        text=True,
    )


def test_a_copy_holds_what_stands_in_the_log_of_writes_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "telemed.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE note (text)")
        database.execute("INSERT INTO note VALUES ('kept')")
        database.commit()
        database.execute("INSERT INTO note VALUES ('not yet')")
        done = back_up(tmp_path, tmp_path / "backups")

    copy = Path(done.stdout.strip())
    assert (done.returncode, done.stderr) == (0, "")
    assert copy.stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [copy.name]
    with closing(sqlite3.connect(copy)) as restored:
        assert restored.execute("SELECT text FROM note").fetchall() == [("kept",)]


def test_nothing_is_made_up_where_there_is_no_database(tmp_path):
    done = back_up(tmp_path, tmp_path / "backups")

    assert done.returncode != 0
    assert "no such database" in done.stderr
    assert list(tmp_path.glob("*.sqlite3")) == list((tmp_path / "backups").iterdir()) == []
