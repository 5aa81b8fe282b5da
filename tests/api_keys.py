"""Keys of every scope, the same in each run, and what a server is told of them."""

import hashlib

from search.keys import Key, Scope

READ_KEY = "ng_" + "reader" * 7 + "A"
FEED_KEY = "ng_" + "feeder" * 7 + "A"
ADMIN_KEY = "ng_" + "admins" * 7 + "A"
UNKNOWN_KEY = "ng_" + "nobody" * 7 + "A"


def as_configured(secret: str, scope: Scope) -> Key:
    return Key(scope, hashlib.sha256(secret.encode()).digest())


READ = as_configured(READ_KEY, Scope.READ)
FEED = as_configured(FEED_KEY, Scope.FEED)
ADMIN = as_configured(ADMIN_KEY, Scope.ADMIN)
KEYS = (READ, FEED, ADMIN)
API_KEYS = ",".join(key.entry for key in KEYS)
