"""Snapshots sent to a second ZFS host, and taken in from one."""
