"""The metrics have the names that dashboards ask for, and cost little where it is hot."""

import pytest

from emily_runtime.mind.families import FAMILIES
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.pulse import Pulse
from emily_runtime.mind.stream import Turn
from tests.runtime.mind.minds import SETTINGS, thought, told

NAMES = """
allostatic_neurotransmitter_levels global_workspace_capacity gflownet_hypothesis_diversity
active_inference_latency_seconds gflownet_mode_collapse_total emily_reflex_latency_seconds
emily_reflex_hits_total emily_alpha_phase_radians emily_alpha_power emily_alpha_gate_seconds
emily_alpha_phase_resets_total emily_substrate_setpoint emily_substrate_deviation
emily_workspace_items emily_workspace_ignitions_total emily_workspace_preconscious
emily_workspace_broadcast_seconds emily_workspace_habituated emily_efe_nats emily_efe_score
emily_policy_entropy emily_belief_surprise_nats emily_gflownet_log_z emily_gflownet_tv
emily_gflownet_unique_ratio emily_gflownet_train_loss emily_gflownet_exact
emily_bus_published_total emily_bus_lost_total emily_bus_reader_lag emily_bus_occupancy
emily_pipeline_ops_total emily_pipeline_overhead_ratio emily_topology_components
emily_topology_cycles emily_organise_seconds emily_memory_rows emily_memory_query_seconds
emily_memory_compressed_ratio emily_llm_requests_total emily_llm_tokens_total
emily_llm_cost_dollars_total emily_llm_budget_remaining_dollars emily_breaker_state
emily_breaker_trips_total emily_auth_failures_total emily_rate_limited_total
emily_http_request_seconds emily_ws_clients emily_failure_rate emily_swarm_agreement
emily_restarts_total emily_recovery_seconds emily_pressure_level emily_rss_bytes
emily_loop_lag_seconds
"""


def test_every_promised_family_is_there_and_at_least_sixty_are() -> None:
    names = {family.name for family in FAMILIES}

    assert set(NAMES.split()) <= names
    assert len(FAMILIES) == len(names) >= 60


def test_every_family_is_exposed_under_its_own_name() -> None:
    text = Metrics().text().decode()

    for family in FAMILIES:
        assert f"# TYPE {family.name} {family.kind}\n" in text


def test_a_hot_count_arrives_with_the_flush_and_once() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.count("emily_actions_total", "answer", "good")

    metrics.flush()

    text = metrics.text().decode()
    assert 'emily_actions_total{action="answer",result="good"} 3.0\n' in text


def test_a_total_that_others_keep_only_grows() -> None:
    metrics = Metrics()
    for value in (5, 5, 3, 9):
        metrics.total("emily_bus_published_total", value=value)

    assert "emily_bus_published_total 9.0\n" in metrics.text().decode()


def test_a_total_of_nothing_is_told_and_a_gauge_that_nobody_set_is_no_number() -> None:
    metrics = Metrics()

    metrics.total("emily_breaker_trips_total", "openai", value=0)

    text = metrics.text().decode()
    assert 'emily_breaker_trips_total{breaker="openai"} 0.0\n' in text
    assert "emily_gflownet_log_z NaN\n" in text


def test_a_name_that_is_no_family_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Metrics().counter("emily_nonsense_total")


def test_a_cycle_shows_its_levels_and_its_choice() -> None:
    mind, _ = told("the disk fails", 1.0)
    mind, done = thought(mind, 1.0)
    metrics = Metrics()

    Pulse(metrics).beat(SETTINGS, Turn(1, done, mind, 0, 0.00002), 1.0)

    text = metrics.text().decode()
    assert 'allostatic_neurotransmitter_levels{neurotransmitter="cortisol"} 0.5\n' in text
    assert "emily_workspace_ignitions_total 1.0\n" in text
    assert "global_workspace_capacity 7.0\n" in text
    assert 'active_inference_latency_seconds_bucket{le="5e-05"} 1.0\n' in text
