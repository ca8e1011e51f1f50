"""`emily-infra runtime here`: what emily-runtime-deploy.service runs."""


def here() -> None:
    """Carry out the order that lies on this host; without one there is nothing to do.

    The unit emily-runtime-deploy.service runs it. It may be killed at any moment: the next run
    goes on.
    """
    import platform

    from emily_infra.cli.output import mention
    from emily_infra.machine import Local
    from emily_infra.runtime.colours import Colours
    from emily_infra.runtime.here import Here
    from emily_infra.runtime.wall import Wall

    Here(Colours(Local(platform.node())), Wall(), mention).settle()
