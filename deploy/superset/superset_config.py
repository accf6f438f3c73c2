"""Superset's configuration for one partnership: what it stores beside itself, and nothing that calls home."""

from __future__ import annotations

import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_METADATA_URL"]
ENABLE_PROXY_FIX = True
# Nothing is fetched from outside, the makers' own counting picture included: browsers obey this whatever a page asks for.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'", "'strict-dynamic'", "'unsafe-eval'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,  # TLS is the proxy's
    "session_cookie_secure": os.environ.get("SUPERSET_BEHIND_TLS", "") == "1",
}
ROW_LIMIT = 50_000
