"""Settings of all tests: no deadlines on shared machines, figures without a screen; shared fixtures."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings
from tests.flat_model import flat_model  # noqa: F401 (a fixture)
from tests.object_storage import aws, rough, s3  # noqa: F401 (fixtures)

os.environ.setdefault("MPLBACKEND", "Agg")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a background job's; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile(
    "photochrom", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("photochrom")
