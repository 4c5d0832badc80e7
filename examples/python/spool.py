"""The readings that nobody has said yes to yet, kept in a SQLite file: they outlive a power cut.

A reading is written down once, with its time and its number (`ts`, `seq`). Every resend is that same text, so
Tributary can tell that it is the same message and stores it once.
"""

import json
import sqlite3


class Spool:
    def __init__(self, path, limit=10_000):
        self.limit = limit
        self.db = sqlite3.connect(path, isolation_level=None)  # every statement is its own transaction
        # AUTOINCREMENT never gives a number twice, also after everything was sent and deleted.
        self.db.execute("CREATE TABLE IF NOT EXISTS waiting (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS refused (seq INTEGER PRIMARY KEY, body TEXT, why TEXT)")
        self.db.execute("CREATE TABLE IF NOT EXISTS lost (count INTEGER)")
        self.db.execute("INSERT INTO lost SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM lost)")

    def add(self, reading):
        """Numbers a reading and keeps it. A full spool gives up its oldest reading, and says so in the new one."""
        if len(self) >= self.limit:
            self.db.execute("BEGIN")
            self.db.execute("DELETE FROM waiting WHERE seq = (SELECT min(seq) FROM waiting)")
            self.db.execute("UPDATE lost SET count = count + 1")
            self.db.execute("COMMIT")
        lost = self.db.execute("SELECT count FROM lost").fetchone()[0]
        if lost:
            reading["metrics"]["readings_lost"] = lost
        self.db.execute("BEGIN")
        seq = self.db.execute("INSERT INTO waiting (body) VALUES ('')").lastrowid
        body = json.dumps({**reading, "seq": seq})
        self.db.execute("UPDATE waiting SET body = ? WHERE seq = ?", (body, seq))
        self.db.execute("COMMIT")

    def after(self, seq):
        """The oldest waiting (seq, body) behind that number; None when there is none."""
        query = "SELECT seq, body FROM waiting WHERE seq > ? ORDER BY seq LIMIT 1"
        return self.db.execute(query, (seq,)).fetchone()

    def accepted(self, seq):
        self.db.execute("DELETE FROM waiting WHERE seq = ?", (seq,))

    def set_aside(self, seq, why):
        """For what will never be accepted as it is: out of the way of the others, and there to be looked at."""
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO refused SELECT seq, body, ? FROM waiting WHERE seq = ?", (why, seq))
        self.db.execute("DELETE FROM waiting WHERE seq = ?", (seq,))
        self.db.execute("COMMIT")

    def __len__(self):
        return self.db.execute("SELECT count(*) FROM waiting").fetchone()[0]
