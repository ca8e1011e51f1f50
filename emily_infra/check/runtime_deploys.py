"""The stories of why a version of the runtime is not deployed."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "RUN010", "The host has no runtime",
        "A version of the runtime comes to a host with its system: `apply` lays it ready and "
        "touches nothing that runs, `runtime deploy` moves the callers over. On this host no "
        "system with a runtime in two colours has been applied yet.",
        "emily-infra runtime deploy ember    # right after `runtime:` was written into host.yaml",
        "emily-infra apply ember; emily-infra runtime deploy ember",
    ),
    _story(
        "RUN011", "A colour of the runtime does not answer",
        "Each colour has a control socket of its own, which answers as long as the process is "
        "well. The port answers through whichever colour takes; systemd keeps it open, so callers "
        "wait while nobody does.",
        "emily-infra runtime flags ember    # while it starts again and again",
        "emily-infra runtime logs ember; emily-infra runtime rollback ember",
    ),
    _story(
        "RUN012", "There is no version to go back to",
        "Going back takes the version that the other colour was last started with. There is none "
        "on a host where one colour alone has ever run, and none that was no good: what failed "
        "its checks, or was gone back from, is forgotten. To bring an older one, put the older "
        "flake in place and deploy that.",
        "emily-infra runtime rollback ember    # twice",
        "git checkout OLDER; emily-infra apply ember; emily-infra runtime deploy ember",
    ),
    _story(
        "RUN013", "A deploy of the runtime is at work",
        "One at a time: the host's unit emily-runtime-deploy.service is the lock, from the start "
        "of the new version until the old one has been kept for its window. Whoever gave the "
        "order may be gone; the host ends it by itself. Who deploys the same version again follows "
        "it; another version has to wait. `rollback` may interrupt it.",
        "emily-infra runtime deploy ember    # another version, while the last one is watched",
        "emily-infra runtime status ember",
    ),
    _story(
        "RUN014", "The new version was not moved to",
        "It did not come up, or failed a check: /health, an attention under 50 ms, more than 90 "
        "of 100 hypotheses that differ. No caller has met it. The old version goes on, and the "
        "colour that was tried is stopped.",
        "emily-infra runtime deploy ember    # again, with nothing changed",
        "emily-infra runtime logs ember; mend it, apply, deploy",
    ),
    _story(
        "RUN015", "The new version was worse, and the old one takes again",
        "While the new version is watched, 1 % of failed requests, or twice as many as before, "
        "send the callers back; so do requests of which 95 of 100 take over 100 ms and twice as "
        "long as before, and a colour that does not answer three times in a row. No request fails "
        "by the way back itself.",
        "emily-infra runtime deploy ember --window 0s", "emily-infra runtime logs ember",
    ),
    _story(
        "RUN016", "Neither colour of the runtime answers",
        "The new version was no good, and the old one did not come up again. The port is open, "
        "callers wait. systemd goes on trying both.",
        "emily-infra runtime deploy ember    # with the disk full",
        "emily-infra runtime logs ember; emily-infra status ember",
    ),
    _story(
        "RUN017", "A deploy of the runtime has ended without a verdict",
        "The unit on the host is not at work any more, and has not said how it ended: it could "
        "not be started, or was stopped by hand. One colour takes all the same. The next deploy "
        "or rollback goes on from what was written down.",
        "ssh ember systemctl stop emily-runtime-deploy", "emily-infra runtime deploy ember",
    ),
    _story(
        "RUN018", "The connection broke while the host deployed",
        "The host has the order and carries it out by itself, also the way back should the new "
        "version be worse. The message says how far it had got. The same command again follows "
        "the deploy that is at work, or says that the version runs already.",
        "emily-infra runtime deploy ember    # and the laptop is closed",
        "emily-infra runtime deploy ember",
    ),
)  # fmt: skip
