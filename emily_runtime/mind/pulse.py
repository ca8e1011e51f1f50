"""What each cycle shows on the dashboard."""

from emily_runtime.mind.cycle import Choice, Mind
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.stream import Turn
from emily_runtime.mind.structs import Hypotheses
from emily_runtime.tiers.alpha import phase
from emily_runtime.tiers.substrate import TRANSMITTERS


class Pulse:
    """The children that a cycle sets, bound once."""

    def __init__(self, metrics: Metrics) -> None:
        gauge = metrics.gauge
        self._metrics = metrics
        self._levels = [
            (
                gauge("allostatic_neurotransmitter_levels", name),
                gauge("emily_substrate_setpoint", name),
                gauge("emily_substrate_deviation", name),
            )
            for name in TRANSMITTERS
        ]
        self._capacity = gauge("global_workspace_capacity")
        self._phase, self._power = gauge("emily_alpha_phase_radians"), gauge("emily_alpha_power")
        self._items = gauge("emily_workspace_items")
        self._waiting = gauge("emily_workspace_preconscious")
        self._habits = gauge("emily_workspace_habituated")
        self._shed = gauge("emily_substrate_shed")
        self._inference = metrics.histogram("active_inference_latency_seconds")
        self._nats, self._score = gauge("emily_efe_nats"), gauge("emily_efe_score")
        self._entropy = gauge("emily_policy_entropy")
        self._surprise = gauge("emily_belief_surprise_nats")

    def beat(self, settings: Settings, turn: Turn, time: float) -> None:
        """Show a cycle, and hand over what was counted during it."""
        count, mind, thought = self._metrics.count, turn.mind, turn.thought
        self._shown(mind)
        self._phase.set(phase(settings.alpha, mind.rhythm, time))
        self._power.set(settings.alpha.power)
        self._capacity.set(settings.alpha.capacity)
        count("emily_workspace_cycles_total")
        count("emily_substrate_ticks_total", by=thought.ticks)
        count("emily_workspace_ignitions_total", by=len(thought.broadcast))
        if thought.choice:
            self._inference.observe(turn.seconds)
            self._chosen(thought.choice)
        self._metrics.flush()

    def drawn(self, found: Hypotheses) -> None:
        """Show a draw of hypotheses."""
        gauge, size = self._metrics.gauge, max(1, len(found.hypotheses))
        gauge("gflownet_hypothesis_diversity").set(found.unique / size)
        if found.expected_unique is not None:
            ratio = found.unique / max(1.0, found.expected_unique)
            gauge("emily_gflownet_unique_ratio").set(ratio)
        gauge("emily_gflownet_log_z").set(found.log_z)
        gauge("emily_gflownet_exact").set(found.flow == "exact")
        if found.total_variation is not None:
            gauge("emily_gflownet_tv").set(found.total_variation)
        if found.loss is not None:
            gauge("emily_gflownet_train_loss").set(found.loss)
        if found.alarms:
            self._metrics.count("gflownet_mode_collapse_total")

    def _shown(self, mind: Mind) -> None:
        levels = mind.body.levels
        rows = zip(
            self._levels,
            levels.shown.tolist(),
            levels.setpoint.tolist(),
            levels.deviation.tolist(),
            strict=True,
        )
        for gauges, *values in rows:
            for one, value in zip(gauges, values, strict=True):
                one.set(value)
        self._items.set(len(mind.workspace.ignited))
        self._waiting.set(len(mind.workspace.preconscious))
        self._habits.set(len(mind.workspace.habits))
        self._shed.set(mind.setting.shed)

    def _chosen(self, choice: Choice) -> None:
        decision = choice.decision
        self._nats.set(float(decision.posterior @ decision.free_energy))
        self._score.set(decision.efe_score)
        self._entropy.set(decision.entropy)
        self._surprise.set(choice.surprise)
