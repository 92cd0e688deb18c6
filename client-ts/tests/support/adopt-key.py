"""adopt-key.py DATABASE PASERK: makes a public key one that the service used to sign with, and prints its id.

In Python since Node.js 20 has neither SQLite nor BLAKE2b of that length.
"""

import base64
import hashlib
import sqlite3
import sys

_, database, key = sys.argv
digest = hashlib.blake2b(b"k4.pid." + key.encode(), digest_size=33).digest()
kid = "k4.pid." + base64.urlsafe_b64encode(digest).decode()
with sqlite3.connect(database) as connection:
    # Retired only now, so that it still verifies for a while.
    connection.execute(
        "INSERT INTO signing_keys (id, public, sealed, state, created_at, state_since)"
        " SELECT ?, ?, '', 'retired', created_at, state_since FROM signing_keys WHERE state = 'active'",
        (kid, key),
    )
print(kid)
