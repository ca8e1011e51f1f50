"""The programs of the world: zfs, zpool, mount and umount, over folders and one file of state.

They start for every call, so nothing here imports what is slow to import.
"""
