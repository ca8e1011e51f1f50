"""`topology`: which part of the mind hears which."""

from argparse import Namespace

from emily_runtime.cli.output import DONE, Output


def run(arguments: Namespace, output: Output) -> int:
    """The order of the parts, their topics and their loops."""
    from emily_runtime.config import read
    from emily_runtime.config.sections import Bus
    from emily_runtime.mind.anatomy import organised, parts, view

    bus = read(arguments.config).bus if arguments.config else Bus()
    topology, seconds = organised(parts(bus.durable))
    found = {one.name: one for one in topology.components}
    lines = [f"{len(found)} parts, organised in {seconds * 1000:.2f} ms, in this order:"]
    for group in topology.order:
        for name in group:
            one = found[name]
            lines.append(f"  {name}")
            lines += [f"    hears {topic}" for topic in sorted(one.consumes)]
            lines += [f"    says  {topic}" for topic in sorted(one.produces)]
    for loop in topology.loops:
        lines.append(f"feedback: {', '.join(loop)}")
    output.say("\n".join(lines), view(topology, ()))
    return DONE
