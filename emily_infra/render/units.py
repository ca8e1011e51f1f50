"""The hardening that every unit of ours begins from."""

from collections.abc import Sequence

PLAIN_CALLS = ("@system-service", "~@privileged @resources")


def hardened(
    *,
    capabilities: Sequence[str] = (),
    families: Sequence[str] = ("AF_UNIX",),
    calls: Sequence[str] = PLAIN_CALLS,
    devices: Sequence[str] = (),
) -> dict[str, object]:
    """`serviceConfig` of a unit that may only do what is named; lay your own keys over the result.

    Shared by backup, samba, monitoring and runtime. Who runs it, which folders are its own and how
    much memory it gets are for the caller: User or DynamicUser, StateDirectory, MemoryMax. Lay
    `"MemoryDenyWriteExecute": False` over it for a just-in-time compiler and
    `"PrivateNetwork": True` for a unit that needs no network at all.
    """
    return {
        "CapabilityBoundingSet": " ".join(capabilities),
        "LockPersonality": True,
        "MemoryDenyWriteExecute": True,
        "NoNewPrivileges": True,
        "PrivateMounts": True,
        "PrivateTmp": True,
        "ProtectClock": True,
        "ProtectControlGroups": True,
        "ProtectHome": True,
        "ProtectHostname": True,
        "ProtectKernelLogs": True,
        "ProtectKernelModules": True,
        "ProtectKernelTunables": True,
        "ProtectProc": "invisible",
        "ProtectSystem": "strict",
        "RemoveIPC": True,
        "RestrictAddressFamilies": list(families),
        "RestrictNamespaces": True,
        "RestrictRealtime": True,
        "RestrictSUIDSGID": True,
        "SystemCallArchitectures": "native",
        "SystemCallErrorNumber": "EPERM",
        "SystemCallFilter": list(calls),
        "UMask": "0077",
    } | _devices(devices)


def _devices(devices: Sequence[str]) -> dict[str, object]:
    if not devices:
        return {"PrivateDevices": True}
    return {"DevicePolicy": "closed", "DeviceAllow": list(devices)}
