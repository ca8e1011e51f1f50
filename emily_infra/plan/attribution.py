"""Which field of host.yaml a change comes from: found by rendering each field's change alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from emily_infra.check.rule import RULES, Standing
from emily_infra.plan.fields import Edit, described, edits, laid_over, plain, sparse
from emily_infra.plan.model import Cause, Change, FieldChange, FileChange
from emily_infra.plan.options import Evaluate, Evaluated, Options, changed, lines
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.credentials import blotted
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.source import Source

SPEC = "host.yaml"
GENERATED = "generated/"
_LEAST, _MOST = 8, 100
_WORK = 8 << 20
"""Characters to render for attribution, in at most so many renders; about a second of work."""

Texts = Mapping[str, str]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """One of two descriptions: its files, and the host they describe, if that can be read."""

    files: Texts
    host: Host | None

    @property
    def generated(self) -> dict[str, str]:
        """The rendered modules as they stand there."""
        return {
            name.removeprefix(GENERATED): text
            for name, text in self.files.items()
            if name.startswith(GENERATED) and name.endswith(".nix")
        }


@dataclass(frozen=True)
class Piece:
    """A cause with the texts before and after, by file; those that differ."""

    cause: Cause
    pairs: Mapping[str, Pair]
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Attributed:
    """Every change with its cause, and what could not be found out."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()


def attribute(old: Side, new: Side, templates: Templates, evaluate: Evaluate) -> Attributed:
    """What differs between two descriptions, cause by cause."""
    if not old.files:
        every = tuple(FileChange(name) for name in sorted(new.files))
        return Attributed((Change(Cause.FIRST, files=every),))
    pieces = list(_pieces(old, new, templates))
    whole = _pairs(old.generated, new.generated)
    pairs = [*whole.values(), *(pair for piece in pieces for pair in piece.pairs.values())]
    texts = sorted({text for pair in pairs for text in pair if text})
    evaluated = evaluate(texts) if texts else Evaluated({})
    options = evaluated.options
    changes = [_change(piece, options) for piece in pieces]
    if rest := _rest(changes, whole, options):
        changes.append(_blamed(changes, rest))
    notes = []
    if options is None:
        notes.append(f"lines of files are shown instead of options: {evaluated.why}")
    if not old.host:
        notes.append("the host's own host.yaml cannot be read here, so no field is named")
    return Attributed((*changes, *_beside(old, new), *_words(old, new, changes)), tuple(notes))


def _pieces(old: Side, new: Side, templates: Templates) -> Iterator[Piece]:
    if not old.host or not new.host:
        yield from _piece(Cause.TOOLKIT, old.generated, new.generated)
        return
    studio = _Studio(old.host, new.host, templates)
    yield from _piece(Cause.TOOLKIT, old.generated, studio.before)
    yield from studio.pieces()
    yield from _piece(Cause.BY_HAND, studio.after, new.generated)


def _piece(cause: Cause, before: Texts, after: Texts) -> Iterator[Piece]:
    pairs = _pairs(before, after)
    if pairs:
        yield Piece(cause, pairs)


def _pairs(before: Texts, after: Texts) -> dict[str, Pair]:
    return {
        name: (before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, "") != after.get(name, "")
    }


class _Studio:
    """Renders of the old description with parts of the new one laid over it."""

    def __init__(self, old: Host, new: Host, templates: Templates) -> None:
        self._templates = templates
        self._name, self._file = new.name, new.source.file
        self._old = plain(old.spec)
        self._sparse = sparse(old.spec), sparse(new.spec)
        self._edits = list(edits(self._old, plain(new.spec)))
        # The same name and header on both sides: they are no fields.
        self.before = self._rendered(Host(self._name, old.spec, Source(self._file)))
        self.after = self._rendered(Host(self._name, new.spec, Source(self._file)))

    def pieces(self) -> Iterator[Piece]:
        """Each field's change, and those together that make no sense alone."""
        size = sum(map(len, self.before.values())) + 1
        groups = grouped(self._edits, min(_MOST, max(_LEAST, _WORK // size)))
        alone = [(group, self._with(group)) for group in groups]
        sound = [edit for group, files in alone if files is not None for edit in group]
        base = self._with(sound)
        known, left = list(sound), list[Edit]()
        for group, files in alone:
            if files is not None:
                yield self._piece(Cause.FIELD, group, _pairs(self.before, files))
            elif base is not None and (files := self._with([*sound, *group])) is not None:
                known += group
                yield self._piece(Cause.FIELD, group, _pairs(base, files))
            else:
                left += group
        if left:
            before = self._with(known) or self.before
            yield self._piece(Cause.TOGETHER, left, _pairs(before, self.after))

    def _piece(self, cause: Cause, group: Sequence[Edit], pairs: Mapping[str, Pair]) -> Piece:
        return Piece(cause, pairs, tuple(described(edit, *self._sparse) for edit in group))

    def _with(self, chosen: Sequence[Edit]) -> Texts | None:
        """The old description's modules with some edits made, where that describes a host."""
        made = laid_over(self._old, chosen)
        try:
            spec = HostSpec.model_validate(made)
        except ValidationError:
            return None
        host = Host(self._name, spec, Source(self._file))
        return None if contradicts_itself(host) else self._rendered(host)

    def _rendered(self, host: Host) -> Texts:
        return render(host, self._templates).files


def contradicts_itself(host: Host) -> bool:
    """Whether it refers to what is not there, so that a render would mean nothing."""
    fleet = {host.name: host}
    return any(
        problem
        for rule in RULES.values()
        if rule.standing is Standing.CONTRADICTION
        for problem in rule.check(fleet)
    )


def grouped(found: Sequence[Edit], most: int = _MOST) -> list[list[Edit]]:
    """The edits one by one; where they are too many, by what they stand under."""
    depth = max((len(edit.place) for edit in found), default=0)
    while True:
        groups: dict[tuple[str | int, ...], list[Edit]] = {}
        for number, edit in enumerate(found):
            # Two edits may have one place: what goes from a list, and what comes instead.
            alone = (number,) if len(found) <= most else ()
            groups.setdefault((*edit.place[:depth], *alone), []).append(edit)
        if len(groups) <= most or depth <= 1:
            return list(groups.values())
        depth -= 1


def _change(piece: Piece, options: Mapping[str, Options] | None) -> Change:
    found = (_file(name, pair, options) for name, pair in piece.pairs.items())
    return Change(piece.cause, piece.fields, tuple(found))


def _file(name: str, pair: Pair, options: Mapping[str, Options] | None) -> FileChange:
    path = f"{GENERATED}{name}"
    if options is not None:
        before, after = ({} if not text else options[text] for text in pair)
        if differ := changed(before, after):
            return FileChange(path, options=tuple(differ))
    gone, come = lines(*(text.splitlines() for text in pair))
    return FileChange(path, tuple(gone), tuple(come))


def _rest(
    changes: Sequence[Change], pairs: Mapping[str, Pair], options: Mapping[str, Options] | None
) -> list[FileChange]:
    """What all changes together come to, and none of them alone."""
    told: dict[str, set[str]] = {}
    for each in (file for change in changes for file in change.files):
        told.setdefault(each.path, set()).update(_said(each, by_options=options is not None))
    found = []
    for name, pair in pairs.items():
        whole = _file(name, pair, options)
        known = told.get(whole.path, set())
        if options is not None:
            left = tuple(each for each in whole.options if each.option not in known)
            found += [FileChange(whole.path, options=left)] if left else []
            continue
        gone = tuple(line for line in whole.old if f"-{line}" not in known)
        come = tuple(line for line in whole.new if f"+{line}" not in known)
        found += [FileChange(whole.path, gone, come)] if gone or come else []
    return found


def _said(file: FileChange, *, by_options: bool) -> Iterator[str]:
    if by_options:
        yield from (each.option for each in file.options)
    else:
        yield from (f"-{line}" for line in file.old)
        yield from (f"+{line}" for line in file.new)


def _blamed(changes: Sequence[Change], rest: Sequence[FileChange]) -> Change:
    """The changes to the same files, which only together come to this."""
    paths = {file.path for file in rest}
    near = [each for each in changes if any(file.path in paths for file in each.files)]
    fields = tuple(field for each in near for field in each.fields)
    return Change(Cause.TOGETHER if fields else Cause.TOOLKIT, fields, tuple(rest))


def _beside(old: Side, new: Side) -> Iterator[Change]:
    """Files that nobody renders: hardware.nix, and whatever else lies in the folder."""
    names = (name for name in _pairs(old.files, new.files) if name != SPEC)
    differ = [_text_of(name, old, new) for name in names if not name.startswith(GENERATED)]
    if differ:
        yield Change(Cause.BY_HAND, files=tuple(differ))


def _words(old: Side, new: Side, changes: Sequence[Change]) -> Iterator[Change]:
    differ = old.files.get(SPEC, "") != new.files.get(SPEC, "")
    if differ and old.host and new.host and not any(change.fields for change in changes):
        yield Change(Cause.WORDS, files=(_text_of(SPEC, old, new),))


def _text_of(name: str, old: Side, new: Side) -> FileChange:
    gone, come = lines(*(side.files.get(name, "").splitlines() for side in (old, new)))
    return FileChange(name, tuple(map(blotted, gone)), tuple(map(blotted, come)))
