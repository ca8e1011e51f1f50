"""Snapshots, copies elsewhere, and the restores that prove them; on the host itself."""
