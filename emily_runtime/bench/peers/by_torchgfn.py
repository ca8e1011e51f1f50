"""Trajectory balance by torchgfn on the literature's hypergrid, with the network that we train."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from emily_runtime.bench.grids import hypergrid
from emily_runtime.tiers.arrays import Floats, Integers
from emily_runtime.tiers.gflownet.exact import exact, terminals, total_variation
from emily_runtime.tiers.gflownet.space import Grid
from emily_runtime.tiers.gflownet.training import Training

Told = Callable[[], dict[str, float]]
NAMES = ("torchgfn", "torch")


def prepared(dimensions: int, height: int, iterations: int) -> Callable[[], Told]:
    """A training from the start; the total variation is exact, and no part of the time."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    target = exact(Grid([height] * dimensions), lambda grid: hypergrid(grid, height)).target
    seeds = iter(range(7, 1000))

    def work() -> Told:
        torch.manual_seed(next(seeds))
        run = _Run(torch, dimensions, height)
        run.train(iterations)
        return lambda: {"variation": total_variation(run.terminals(torch), target)}

    return work


class _Run:
    """One network and its optimiser."""

    def __init__(self, torch: Any, dimensions: int, height: int) -> None:
        gym, flows = import_module("gfn.gym"), import_module("gfn.gflownet")
        estimators, modules = import_module("gfn.estimators"), import_module("gfn.utils.modules")
        hot = import_module("gfn.preprocessors").KHotPreprocessor(height, dimensions)
        self.space = Grid([height] * dimensions)
        self.grid = gym.HyperGrid(dimensions, height)
        actions = self.grid.n_actions
        self.net = modules.MLP(hot.output_dim, actions, Training().hidden, 2)
        forward = estimators.DiscretePolicyEstimator(self.net, actions, preprocessor=hot)
        backward = estimators.DiscretePolicyEstimator.uniform(actions, preprocessor=hot)
        self.hot, self.flow = hot, flows.TBGFlowNet(forward, backward)
        rates = [
            {"params": self.net.parameters(), "lr": 1e-3},
            {"params": self.flow.logz_parameters(), "lr": 1e-1},
        ]
        self.optimiser = torch.optim.Adam(rates)

    def train(self, iterations: int) -> None:
        """On the policy itself, a batch of 16 trajectories at a time."""
        sampler = import_module("gfn.samplers").Sampler(self.flow.pf)
        for _ in range(iterations):
            drawn = sampler.sample_trajectories(
                self.grid, n=Training().batch, save_logprobs=True, save_estimator_outputs=False
            )
            self.optimiser.zero_grad()
            self.flow.loss(self.grid, drawn, recalculate_all_logprobs=False).backward()
            self.optimiser.step()

    def terminals(self, torch: Any) -> Floats:
        """Where its policy ends, exactly."""
        return terminals(self.space, lambda places: self._policy(torch, places))

    def _policy(self, torch: Any, places: Integers) -> Floats:
        states = self.grid.states_from_tensor(torch.as_tensor(places))
        with torch.no_grad():
            logits = self.net(self.hot(states)).masked_fill(~states.forward_masks, -torch.inf)
            shares: Floats = torch.softmax(logits.double(), dim=-1).numpy()
        return shares
