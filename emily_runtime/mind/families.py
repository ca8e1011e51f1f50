"""Every metric family by name, grouped by the part that it is about."""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]
QUICK = (1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3, 5e-3, 0.01, 0.05)
"""Seconds, for what happens within the process."""
WAITED = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Seconds, for what somebody waits for."""


class Family(NamedTuple):
    """A metric family; a counter's name ends in _total."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = WAITED


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(f"emily_{name}_total", "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(f"emily_{name}", "gauge", text, labels)


def _seconds(name: str, text: str, *labels: str, buckets: tuple[float, ...] = WAITED) -> Family:
    return Family(f"emily_{name}_seconds", "histogram", text, labels, buckets)


NAMED_ELSEWHERE = (
    Family(
        "allostatic_neurotransmitter_levels",
        "gauge",
        "Level of each opponent process, 0 to 1.",
        ("neurotransmitter",),
    ),
    Family("global_workspace_capacity", "gauge", "Gamma cycles in an alpha cycle."),
    Family("gflownet_hypothesis_diversity", "gauge", "Unique over drawn, of the last draw."),
    Family(
        "active_inference_latency_seconds",
        "histogram",
        "Belief, expected free energy and choice.",
        buckets=QUICK,
    ),
    Family("gflownet_mode_collapse_total", "counter", "Draws that raised a collapse alarm."),
)
"""Names that dashboards know already, without our prefix."""
ATTENTION = (
    _seconds("reflex_latency", "From a stimulus to its reflex.", buckets=QUICK),
    _counter("reflex_hits", "Stimuli that a reflex answered.", "rule"),
    _gauge("alpha_phase_radians", "Phase at the last cycle; 0 is most inhibited."),
    _gauge("alpha_power", "Depth of the inhibition, 0 to 1."),
    _seconds("alpha_gate", "One pass of the gate.", buckets=QUICK),
    _counter("alpha_phase_resets", "Stimuli that reset the phase."),
    _counter("stimuli", "Stimuli by what became of them.", "outcome"),
    _counter("actions", "Actions that were done.", "action", "result"),
)
SUBSTRATE = (
    _gauge("substrate_setpoint", "Where a level rests.", "neurotransmitter"),
    _gauge("substrate_deviation", "Level minus set-point.", "neurotransmitter"),
    _gauge("substrate_shed", "Share of new work that is turned away."),
    _counter("substrate_ticks", "Exact steps of the substrate."),
)
WORKSPACE = (
    _gauge("workspace_items", "Ignited contents."),
    _counter("workspace_ignitions", "Contents that were broadcast."),
    _gauge("workspace_preconscious", "Losers that still wait."),
    _seconds("workspace_broadcast", "One cycle, to the end of its broadcast.", buckets=QUICK),
    _gauge("workspace_habituated", "Sources that are heard less."),
    _counter("workspace_cycles", "Cycles."),
)
INFERENCE = (
    _gauge("efe_nats", "Expected free energy under q(pi), last choice."),
    _gauge("efe_score", "The same over its bound, 0 to 1."),
    _gauge("policy_entropy", "Entropy of q(pi), nats."),
    _gauge("belief_surprise_nats", "Surprise of the last broadcast."),
)
HYPOTHESES = (
    _gauge("gflownet_log_z", "ln of the sum of all rewards, last draw."),
    _gauge("gflownet_tv", "Total variation from the target, last draw; 0 if exact."),
    _gauge("gflownet_unique_ratio", "Unique over the exact expectation, last draw."),
    _gauge("gflownet_train_loss", "Trajectory balance error of the last trained sampler."),
    _gauge("gflownet_exact", "1 where the last flow was exact."),
)
NERVES = (
    _counter("bus_published", "Messages."),
    _counter("bus_lost", "Messages overwritten before a reader got them."),
    _counter("bus_unkept", "Messages of durable topics that gave way before the disk took them."),
    _gauge("bus_reader_lag", "Messages that a reader is behind, most of its kind.", "reader"),
    _gauge("bus_occupancy", "Share of a ring that the slowest reader leaves full."),
    _counter("pipeline_ops", "Messages that went through fused chains."),
    _gauge("pipeline_overhead_ratio", "Coordination over all the time of fused chains."),
    _gauge("topology_components", "Declared components."),
    _gauge("topology_cycles", "Feedback loops among them."),
    _gauge("organise_seconds", "How long the last organising took."),
    _counter("restarts", "Restarts by the supervisor.", "component"),
    _seconds("recovery", "From a failed task or worker to the next one at work.", buckets=QUICK),
    _gauge("pressure_level", "Rung of the memory-pressure ladder; 0 is none."),
    _gauge("rss_bytes", "Resident memory of this process."),
    _gauge("loop_lag_seconds", "How late the last tick was."),
)
MEMORY = (
    _gauge("memory_rows", "Episodes."),
    _seconds("memory_query", "Queries and inserts.", "operation"),
    _gauge("memory_compressed_ratio", "Bytes before over bytes after, of what is packed."),
    _gauge("memory_up", "1 while the store answers."),
)
PROVIDERS = (
    _counter("llm_requests", "Calls of a language model.", "provider", "outcome"),
    _counter("llm_tokens", "Tokens.", "provider", "direction"),
    _counter("llm_cost_dollars", "Spent.", "provider"),
    _gauge("llm_budget_remaining_dollars", "Left in a window.", "window"),
    _gauge("breaker_state", "0 closed, 1 half-open, 2 open.", "breaker"),
    _counter("breaker_trips", "Times that a breaker opened.", "breaker"),
)
EDGE = (
    _counter("auth_failures", "Requests without a right token."),
    _counter("rate_limited", "Requests that came too fast."),
    _seconds("http_request", "Requests by route and status class.", "route", "status"),
    _counter("requests_shed", "Requests that were told to come back later.", "code"),
    _gauge("ws_clients", "Open WebSockets."),
    _counter("ws_lost", "Messages that slow WebSockets were told they had lost."),
    _gauge("failure_rate", "Share of recent actions and requests that failed."),
    _gauge("swarm_agreement", "Agreement among voters; 1/2 while nobody votes."),
    Family("emily_build_info", "gauge", "1, with the version as label.", ("version",)),
    _gauge("flag_share_percent", "Share of identities that a flag is on for.", "flag"),
)
FAMILIES = (
    *NAMED_ELSEWHERE,
    *ATTENTION,
    *SUBSTRATE,
    *WORKSPACE,
    *INFERENCE,
    *HYPOTHESES,
    *NERVES,
    *MEMORY,
    *PROVIDERS,
    *EDGE,
)
