"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# How quick a machine is, and what else it does meanwhile, is no property of what is tested.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")
