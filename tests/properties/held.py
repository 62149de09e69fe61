"""How long properties are tried: a few fixed examples in plain pytest, as many as asked otherwise.

KPATCH_RS_EXAMPLES=5000 pytest tests/properties      other examples in every run
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

ASKED = int(os.environ.get("KPATCH_RS_EXAMPLES", "0"))
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
_NO_SHRINKING = 10
"""The cost from which a smaller example is not worth the minutes."""


def examples(few: int, cost: int = 1) -> Callable[[Any], Any]:
    """`few` examples, always the same; a long run's number divided by what one `cost`s."""
    return settings(
        max_examples=max(few, ASKED // cost),
        suppress_health_check=list(HealthCheck),
        phases=_PHASES if cost < _NO_SHRINKING else _PHASES[:-1],
    )
