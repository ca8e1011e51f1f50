"""restic, the real one."""
