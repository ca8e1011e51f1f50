"""One stimulus through all tiers, and in plain words what each of them did with it."""

import math
import tempfile
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from emily_runtime.config import Config
from emily_runtime.config.sections import Reflex
from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Reply, Status
from emily_runtime.nerves.clock import RealClock

QUESTION = "why is the pool slow?"
PAST = (
    "the pool was slow while a scrub ran",
    "the backup of the pool ended at noon",
    "disk 3 failed its self test",
)
"""Episodes that the demonstration's memory begins with."""


class Shown(Struct):
    """A demonstration."""

    stimulus: str
    reply: Reply
    reflex: Reply
    """To the word ping, for which there is a rule."""
    remembered: list[str]
    seconds: float
    """From building the runtime to the last reply."""
    status: Status


async def shown(text: str) -> Shown:
    """Send TEXT to a runtime of its own, offline, with a memory that is gone afterwards."""
    begin = perf_counter()
    config = Config(reflexes={"ping": Reflex("pong", frozenset({"ping"}))})
    with tempfile.TemporaryDirectory(prefix="emily-demo-") as folder:
        runtime = Runtime.built(config, RealClock(), Path(folder), {})
        await runtime.start()
        try:
            for episode in PAST:
                await runtime.remember(episode)
            reply = await runtime.stimulate(Stimulus(text))
            reflex = await runtime.stimulate(Stimulus("ping"))
            status = runtime.status()
        finally:
            await runtime.stop()
    return Shown(text, reply, reflex, list(PAST), perf_counter() - begin, status)


def explained(found: Shown) -> list[tuple[str, str]]:
    """Each tier's name and its part, in the order in which the stimulus met them."""
    reply = found.reply
    told = [("stimulus", f'"{found.stimulus}"'), _reflex(found)]
    if reply.tier == "reflex":
        return told
    told += [_alpha(reply), _memory(found), _substrate(reply), _workspace(reply)]
    if reply.plan:
        told += [_inference(reply), _hypotheses(reply), _action(reply)]
    return [*told, _life(found)]


def _reflex(found: Shown) -> tuple[str, str]:
    if found.reply.tier == "reflex":
        said = f'Its rule "{found.reply.reflex}" matched and answered "{found.reply.words}"'
        return "0 reflex", f"{said} after {found.reply.latency_ms:.3f} ms; nothing else was asked."
    return "0 reflex", (
        "A table of rules, asked before anything else. None matched. (The word ping has one: it "
        f'was answered "{found.reflex.words}" in {found.reflex.latency_ms:.3f} ms.)'
    )


def _alpha(reply: Reply) -> tuple[str, str]:
    seen = reply.attention
    assert seen
    first = seen.firing[0]
    reset = "It was strong enough to reset the phase. " if seen.reset else ""
    return "1 alpha gate", (
        "A gain that falls and rises 8 times a second, 1 - a(1 + cos phase)/2. "
        f"{reset}Phase {seen.phase / math.pi:.2f} pi, gain {seen.gain:.2f}: the signal passed "
        f"as {first.output:.2f}, {first.delay_ms:.1f} ms after the most inhibited moment."
    )


def _memory(found: Shown) -> tuple[str, str]:
    reply = found.reply
    count = len(found.remembered)
    near = ", ".join(f'"{one.text}" ({one.score:.2f})' for one in reply.recalled[:2])
    came = f"Nearest by the cosine of hashed letters: {near}. " if near else "None was near. "
    return "memory", (
        f"It held {count} episodes. {came}They compete with the stimulus. The stimulus was "
        f"committed as {reply.episode}."
    )


def _substrate(reply: Reply) -> tuple[str, str]:
    body = reply.substrate
    assert body
    levels = ", ".join(f"{one.name} {one.level:.2f}" for one in body.transmitters)
    return "1 substrate", (
        "Five opponent processes (linear equations, solved exactly each tick): "
        f"{levels}. They set: precision x {body.precision:.2f}, salience x {body.gain:.2f}, "
        f"{body.horizon} steps of planning, {body.shed:.0%} of work shed."
    )


def _workspace(reply: Reply) -> tuple[str, str]:
    space = reply.workspace
    assert space
    inside = "; ".join(f'"{one.text}" ({one.salience:.2f})' for one in space.ignited[:3])
    held = f"{len(space.ignited)} of at most {space.capacity} places are taken: {inside}. "
    return "2 workspace", (
        f"What is above {space.on:.2f} ignites and is broadcast once to all; below "
        f"{space.off:.2f} it falls silent. {held if inside else 'Nothing ignited. '}"
        f"{len(space.preconscious)} wait. The stimulus is {reply.standing}."
    )


def _inference(reply: Reply) -> tuple[str, str]:
    plan = reply.plan
    assert plan
    assert plan.situations
    belief = ", ".join(f"{name} {share:.2f}" for name, share in plan.situations.items())
    shares = ", ".join(f"{one.action} {one.probability:.2f}" for one in plan.actions)
    return "3 inference", (
        f"Bayes' rule over three situations: {belief} (surprise {plan.surprise:.2f} nats). "
        f"{plan.policies} policies of {plan.horizon} steps, weighed by expected free energy "
        f"(risk + ambiguity): {plan.efe_nats:.2f} nats, {plan.efe_score:.2f} of its bound. "
        f"Next action: {shares}."
    )


def _hypotheses(reply: Reply) -> tuple[str, str]:
    found = reply.hypotheses
    assert found
    first = found.hypotheses[0]
    named = ", ".join(f'{name} "{one}"' for name, one in zip(found.facets, first, strict=True))
    return "3 flow", (
        f"{found.unique} different hypotheses, drawn in proportion to a reward from an exact flow "
        f"(ln Z {found.log_z:.2f}). The first: {named}."
    )


def _action(reply: Reply) -> tuple[str, str]:
    words = f': "{reply.words}"' if reply.words else "."
    without = f" ({reply.why})" if reply.degraded else ""
    cost = f" It cost ${reply.cost_microdollars / 1e6:.4f}." if reply.provider else ""
    by = f" Words by {reply.provider}{without}." if reply.provider else ""
    return "action", f"{reply.action}{words}{by}{cost}"


def _life(found: Shown) -> tuple[str, str]:
    status = found.status
    return "in all", (
        f"{found.reply.latency_ms:.1f} ms from stimulus to reply; {found.seconds:.2f} s with the "
        f"runtime's start and end; {status.published} messages on the bus, {status.lost} lost; "
        f"{status.rss_bytes / 2**20:.0f} MiB."
    )
