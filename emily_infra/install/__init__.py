"""A host's first system: on blank disks, from whatever was booted on its machine to install it."""
