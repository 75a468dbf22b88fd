"""What the headless runner reports of a failing cell."""

from __future__ import annotations

import sys

from conftest import PROJECT

sys.path.insert(0, str(PROJECT / "python"))
from run_notebook import shortened  # noqa: E402


def test_a_traceback_of_thousands_of_lines_keeps_its_ends():
    few = ["Error: one", "    at a\n    at b"]
    assert shortened(few) == ["Error: one", "    at a", "    at b"]
    many = shortened([f"line {i}" for i in range(1000)])
    assert len(many) == 61
    assert (many[0], many[-1]) == ("line 0", "line 999")
    assert "940 lines more" in many[30]
    assert len(shortened(["x" * 10_000])[0]) == 2000
