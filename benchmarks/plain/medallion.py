"""All three layers by hand, on one session: ``python medallion.py PROJECT TABLES``."""

from __future__ import annotations

import sys
from pathlib import Path

from bronze import bronze
from gold import gold
from session import opened
from silver import silver

if __name__ == "__main__":
    with opened() as opened_session:
        for layer in (bronze, silver, gold):
            layer(opened_session, Path(sys.argv[1]), Path(sys.argv[2]))
