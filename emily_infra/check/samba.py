"""Rules about samba."""
