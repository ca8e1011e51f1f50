"""The far side: what a sender's key may have done here, which is to add and nothing else."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.backup import catalogue, pools
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.here import Here, named
from emily_infra.backup.locks import locked
from emily_infra.backup.names import pool_of
from emily_infra.backup.replication import asking, beginning
from emily_infra.backup.replication.asking import Copy, There, Took
from emily_infra.backup.replication.beginning import Beginning
from emily_infra.backup.replication.faults import NotSealed, NotTaken
from emily_infra.backup.replication.inlet import Inlet
from emily_infra.backup.retention import SLACK
from emily_infra.backup.settings import Part, Receive
from emily_infra.machine import CommandFailed
from emily_infra.machine.child import Program
from emily_infra.machine.pipe import pipe

RECEIVED = "received"
"""What catalogue.MARK says of a snapshot that came from another host."""
_LONGEST = 255
_UNMOUNTED = ("-o", "canmount=noauto", "-o", "mountpoint=none")
_PATIENCE = 20.0


@dataclass(frozen=True)
class Desk:
    """Where the requests of one sender are dealt with."""

    here: Here
    sender: str

    @property
    def told(self) -> Receive:
        """What host.json says of the sender."""
        return named(self.here.settings.receives, self.sender, "sender")

    @property
    def tag(self) -> str:
        """The hold on the newest snapshot of each dataset, which the next one adds to."""
        return f"emily:received-{self.sender}"

    def place(self, dataset: str) -> str:
        """Where a dataset of the sender's stands here."""
        return f"{self.told.into}/{dataset}"

    @contextlib.contextmanager
    def alone(self, dataset: str) -> Iterator[None]:
        """One change of a dataset at a time; an older transfer may just be ending."""
        thing = f"received-{self.sender}-{dataset}"
        with locked(self.here, thing, verb=f"receive {self.sender}", wait=_PATIENCE):
            yield


def answer(here: Here, sender: str, line: str, inlet: Inlet) -> Part:
    """What a sender is answered; NotTaken or another BackupError where it is refused."""
    desk = Desk(here, sender)
    pools.alive(here, pool_of(desk.told.into))
    match asking.parse(line):
        case asking.State(dataset):
            return state(desk, dataset)
        case asking.Receive() as request:
            with desk.alone(request.dataset):
                return receive(desk, request, inlet)
        case asking.Done(dataset, name, guid):
            with desk.alone(dataset):
                return done(desk, desk.place(dataset), (name, guid))
        case asking.Abort(dataset, token):
            with desk.alone(dataset):
                return abort(desk, dataset, token)


def state(desk: Desk, dataset: str) -> There:
    """How a dataset of the sender's is here."""
    place = desk.place(dataset)
    taken = catalogue.snapshots(desk.here, place)
    nearest, looks = _nearest(desk, place)
    exists = nearest == place
    token = looks.get("receive_resume_token", "-")
    return There(
        into=desk.told.into,
        exists=exists,
        snapshots=tuple(map(_copy, taken)),
        settled=not taken or _settled(desk, taken[-1]),
        token=token if exists and token not in ("-", "") else None,
        sealed=looks["encryption"] != "off",
        key_loaded=looks.get("keystatus") != "unavailable",
        available=int(looks["available"]),
        keep=desk.told.keep,
    )


def receive(desk: Desk, request: asking.Receive, inlet: Inlet) -> Took:
    """Take a snapshot in, once everything that can be known before the first byte is right."""
    place = desk.place(request.dataset)
    there = state(desk, request.dataset)
    if there.newest and there.newest.guid == request.guid:
        return done(desk, place, (request.name, request.guid))
    _fits(request, place, there)
    first = inlet.first(beginning.SIZE)
    coming = beginning.parse(first)
    _is_what_was_said(desk.here, request, coming, there)
    if not there.exists:
        _make_parents(desk, place)
    options = ["-o", "readonly=on", *(_UNMOUNTED if coming.kind == "filesystem" else ())]
    # Set once, when it is made: from then on they are the far operator's.
    chosen = [] if there.exists else options
    argv = ("zfs", "receive", "-s", "-u", *chosen, f"{place}@{request.name}")
    _take_in(desk, argv, inlet, first)
    return done(desk, place, (request.name, request.guid))


def _take_in(desk: Desk, argv: tuple[str, ...], inlet: Inlet, first: bytes) -> None:
    """Give the stream to zfs, for as long as both of them move."""
    host, environment = desk.here.settings.host, desk.here.machine.environment
    try:
        with inlet.onward(first) as stream:
            (ending,) = pipe([Program(argv, environment)], source=stream)
    except KeyboardInterrupt:
        if not inlet.stuck:
            raise
        raise NotTaken(
            f"the pool of {argv[-1]} took nothing for {inlet.silence:g} s",
            hint="zpool status -x; what has arrived is kept, and the next run goes on with it",
        ) from None
    if ending.status != 0:
        raise CommandFailed(host, argv, ending)


def done(desk: Desk, place: str, one: tuple[str, int]) -> Took:
    """Mark a snapshot as ours, hold it if it is the newest, and let go of the one before."""
    taken = catalogue.snapshots(desk.here, place)
    arrived = next((each for each in taken if (each.name, each.guid) == one), None)
    if arrived is None:
        raise NotTaken(
            f"{place} has no snapshot {one[0]} with the guid {one[1]}",
            hint="send it again: emily-infra backup replicate TARGET",
        )
    if not arrived.mine:
        desk.here.run("zfs", "set", f"{catalogue.MARK}={RECEIVED}", arrived.full)
    newest = taken[-1]
    if newest.guid == arrived.guid:
        catalogue.hold(desk.here, desk.tag, [newest.full])
        older = [each.full for each in taken[:-1] if each.holds]
        labels = catalogue.holds(desk.here, older) if older else {}
        catalogue.release(desk.here, desk.tag, [at for at in older if desk.tag in labels[at]])
    return Took(newest=_copy(newest))


def abort(desk: Desk, dataset: str, token: str) -> Took:
    """Give up what came in by half, if it is still that half."""
    there = state(desk, dataset)
    if there.token is not None and there.token == token:
        # -A takes away the half that came in; a dataset with snapshots loses none of them.
        desk.here.run("zfs", "receive", "-A", desk.place(dataset), deadline=600)
    return Took(newest=there.newest)


def _nearest(desk: Desk, place: str) -> tuple[str, dict[str, str]]:
    """The dataset itself, or what it would be made below, with how that is."""
    into = desk.told.into
    while (looks := _properties(desk.here, place)) is None:
        if place == into:
            raise NotTaken(
                f"there is no dataset {into} on {desk.here.settings.host}",
                hint=f"make it there, encrypted or not as you need it: zfs create {into}; "
                "or import its pool: zpool import",
            )
        place = place.rpartition("/")[0]
    return place, looks


def _properties(here: Here, dataset: str) -> dict[str, str] | None:
    """How a dataset is; nothing where it is not there."""
    wanted = "encryption,keystatus,available,receive_resume_token"
    try:
        listed = here.run("zfs", "get", "-Hp", "-o", "property,value", wanted, dataset)
    except CommandFailed as error:
        if catalogue.GONE in error.stderr:
            return None
        raise
    return dict(line.split("\t", 1) for line in listed.splitlines())


def _settled(desk: Desk, newest: Snapshot) -> bool:
    held = newest.holds and desk.tag in catalogue.holds(desk.here, [newest.full])[newest.full]
    return newest.mine and bool(held)


def _copy(snapshot: Snapshot) -> Copy:
    seconds = int(snapshot.creation.timestamp())
    return Copy(name=snapshot.name, guid=snapshot.guid, creation=seconds)


def _fits(request: asking.Receive, place: str, there: There) -> None:
    """NotTaken or NotSealed where the snapshot cannot be taken in, whatever it holds."""
    newest = there.newest
    if len(f"{place}@{request.name}") > _LONGEST:
        raise NotTaken(f"{place} is too long a name", hint="receive into a shorter one")
    if request.sealed and not there.sealed:
        raise NotSealed(
            f"{request.dataset} is encrypted where it comes from, and {place} is not",
            hint="give it a place with a key of its own: zfs create -o encryption=on "
            "-o keyformat=passphrase POOL/NAME, and name it as into",
        )
    if there.sealed and not there.key_loaded:
        raise NotSealed(
            f"the key of {place} is not loaded on this host",
            hint=f"zfs load-key -r {there.into}",
        )
    if (newest.guid if newest else 0) != request.base:
        raise NotTaken(
            f"{place} ends with {newest.name if newest else 'nothing'}, and what comes adds to "
            "something else",
            hint="run it again: emily-infra backup replicate TARGET asks for the state anew",
        )
    if any(each.name == request.name for each in there.snapshots):
        raise NotTaken(
            f"{place} has another snapshot of the name {request.name}",
            hint=f"look at both: zfs list -t snapshot -o name,guid,creation -r {place}",
        )


def _is_what_was_said(here: Here, request: asking.Receive, coming: Beginning, there: There) -> None:
    """NotTaken where a stream is not the snapshot that was announced, or lies about its time.

    Times decide what retention keeps: a stolen key that could choose them would age good copies
    out.
    """
    hint = "set the sender's clock, and send once more: emily-infra backup replicate TARGET"
    if (coming.guid, coming.base) != (request.guid, request.base):
        raise NotTaken(
            f"{request.name} was announced and another snapshot came; nothing of it was taken in",
            hint="send it with this program: emily-infra backup replicate TARGET",
        )
    if coming.creation > here.now() + SLACK:
        raise NotTaken(f"{request.name} is of {coming.creation:%Y-%m-%d %H:%M:%SZ}, which is "
                        "still to come", hint=hint)  # fmt: skip
    if there.newest and coming.creation.timestamp() < there.newest.creation:
        raise NotTaken(
            f"{request.name} says that it is older than {there.newest.name}, which it follows",
            hint=hint,
        )


def _make_parents(desk: Desk, place: str) -> None:
    """What stands between the sender's own place and a dataset: empty, and mounted nowhere."""
    parts = place.removeprefix(f"{desk.told.into}/").split("/")[:-1]
    above = desk.told.into
    for part in parts:
        above = f"{above}/{part}"
        if not catalogue.exists(desk.here, above):
            desk.here.run("zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none", above)
