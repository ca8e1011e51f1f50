"""What a person does to disks and pools: create a pool, find, take out and replace a disk."""
