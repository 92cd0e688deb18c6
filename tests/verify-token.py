"""Reads a v4.public token from standard input, verifies it and prints {"payload": …, "footer": …}.

    .tools/bin/python tests/verify-token.py PUBLIC_KEY_PASERK < TOKEN

A second implementation (pyseto) beside the one that made the token. It looks at the signature alone: what the claims
say, times included, is for the caller to judge, and so is whether the footer's kid names the key that was given.
"""

import json
import sys

import pyseto


def verify(paserk, token):
    if not paserk.startswith("k4.public."):
        raise ValueError("the key is not a k4.public")
    key = pyseto.Key.from_paserk(paserk)
    verified = pyseto.decode(key, token)
    return {"payload": json.loads(verified.payload), "footer": json.loads(verified.footer or "{}")}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: verify-token.py PUBLIC_KEY_PASERK < TOKEN")
    try:
        print(json.dumps(verify(sys.argv[1], sys.stdin.read().strip())))
    except Exception as error:
        sys.exit(f"not verified: {type(error).__name__}: {error}")
