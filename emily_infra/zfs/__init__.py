"""Pools as arithmetic: what OpenZFS makes of disks, without asking a machine."""
