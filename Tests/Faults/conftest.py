"""The client and what starts programs are those of the black-box tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Wire"))
