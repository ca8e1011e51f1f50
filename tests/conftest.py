"""What holds for all tests."""

import signal

from hypothesis import HealthCheck, settings

# How quick a machine is, and what else it does meanwhile, is no property of what is tested.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")

# A shell that begins pytest in the background has it ignore interrupts, and so all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
