#!/usr/bin/env python3
"""Trains a small PyTorch network by natural gradient. A board solves the linear systems.

    tngd.py tcp://127.0.0.1:7000 [--steps 40] [--seed 1]

The board needs a crossbar of at least 51 cells and 30 rows: `thermolink emulate --profile ideal-64 --tcp
127.0.0.1:7000` serves one. `TNGD` is the optimizer; everything below it is the example."""

import argparse
import math
import sys
from typing import Callable, Iterable, Tuple

import numpy as np
from thermolink import Board, ThermolinkError

try:
    import torch
    from torch.nn.functional import cross_entropy
except ImportError:
    sys.exit("tngd.py needs PyTorch: pip install torch, or apt-get install python3-torch")


class TNGD(torch.optim.Optimizer):
    """Thermodynamic natural gradient descent for classifiers: θ ← θ − η x(t), where x relaxes on the board
    from the gradient g towards (G + λI)⁻¹ g. G = KᵀK is the generalized Gauss–Newton matrix of the batch.
    With t = 0 it is gradient descent, with a large t natural gradient descent.

    `params` are P parameters in total. The board needs P cells, and B·C rows for a batch of B examples of C
    classes. `lr` is η, `damping` is λ > 0, `time` is t in units of 1/eigenvalue of G, and `clip` bounds ‖η
    x‖₂ of one step. `seed` selects the noise of the board runs.

    Source: Donatella et al., "Thermodynamic natural gradient descent", arXiv 2405.13817, algorithm 1.
    """

    def __init__(
        self,
        params: Iterable[torch.nn.Parameter],
        board: Board,
        lr: float = 0.5,
        damping: float = 0.1,
        time: float = 10.0,
        clip: float = 1.0,
        seed: int = 1,
    ) -> None:
        super().__init__(params, {"lr": lr})
        self._board = board
        self._damping = damping
        self._time = time
        self._clip = clip
        self._seed = seed
        self._steps = 0

    def step(self, closure: Callable[[], Tuple[torch.Tensor, torch.Tensor]]) -> float:
        """Makes one step. `closure` returns logits [B × C], with their graph, and labels [B]. Returns the
        loss before the step."""
        with torch.enable_grad():
            logits, labels = closure()
            loss = cross_entropy(logits, labels)
            gradient = self._flat_gradient(loss)
            factor = self._curvature_factor(logits)
        relaxed = self._board.relax(
            factor,
            gradient,
            self._damping,
            self._time,
            initial=gradient,
            coupling_bits=8,  # Enough for a training. Couplings are most of the bytes of a step.
            seed=self._seed,
            step=self._steps,
        )
        self._steps += 1
        change = self.param_groups[0]["lr"] * relaxed.x
        size = float(np.linalg.norm(change))
        self._move(change * min(1.0, self._clip / size) if size > 0 else change)
        return float(loss)

    def _parameters(self) -> list:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _flat_gradient(self, value: torch.Tensor) -> np.ndarray:
        """∂ value/∂θ [P] of a scalar."""
        parts = torch.autograd.grad(value, self._parameters(), retain_graph=True)
        return torch.cat([part.reshape(-1) for part in parts]).double().numpy()

    def _curvature_factor(self, logits: torch.Tensor) -> np.ndarray:
        """K [B·C × P] with KᵀK = Σ_i J_iᵀ H_i J_i / B: J_i the Jacobian of the logits of example i, and
        H = diag(p) − p pᵀ = S Sᵀ with S = diag(√p) − p √pᵀ for the probabilities p."""
        examples, classes = logits.shape
        p = torch.softmax(logits.detach(), dim=1)
        roots = torch.diag_embed(p.sqrt()) - p[:, :, None] * p.sqrt()[:, None, :]
        rows = [
            self._flat_gradient((logits[i] * roots[i, :, c]).sum())
            for i in range(examples)
            for c in range(classes)
        ]
        return np.stack(rows) / math.sqrt(examples)

    @torch.no_grad()
    def _move(self, change: np.ndarray) -> None:
        """θ ← θ − `change` [P]."""
        start = 0
        for parameter in self._parameters():
            part = change[start : start + parameter.numel()]
            parameter -= torch.from_numpy(part).to(parameter.dtype).reshape(parameter.shape)
            start += parameter.numel()


def spirals(count: int, generator: torch.Generator) -> Tuple[torch.Tensor, torch.Tensor]:
    """Points [count × 2] on three arms of a spiral, with a little noise, and their arms [count]."""
    labels = torch.arange(count) % 3
    radius = 0.2 + 0.8 * torch.rand(count, generator=generator)
    angle = 2.5 * radius + 2 * math.pi / 3 * labels
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return points + 0.03 * torch.randn(count, 2, generator=generator), labels


def accuracy(network: torch.nn.Module, points: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of points whose arm the network predicts correctly."""
    with torch.no_grad():
        return float((network(points).argmax(dim=1) == labels).float().mean())


def main() -> None:
    """The example: 40 steps of ten examples each."""
    parser = argparse.ArgumentParser(description="Trains a small network by natural gradient on a board.")
    parser.add_argument("uri")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    points, labels = spirals(300, generator)
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    print(f"before: accuracy {accuracy(network, points, labels):.3f}")
    try:
        with Board(options.uri) as board:
            optimizer = TNGD(network.parameters(), board, seed=options.seed)
            for step in range(options.steps):
                batch = torch.randint(len(points), (10,), generator=generator)
                loss = optimizer.step(lambda batch=batch: (network(points[batch]), labels[batch]))
                if (step + 1) % 10 == 0:
                    print(f"step {step + 1}: loss of the batch {loss:.3f}")
    except ThermolinkError as error:
        sys.exit(f"tngd.py: {error}")
    print(f"after {options.steps} steps: accuracy {accuracy(network, points, labels):.3f}")


if __name__ == "__main__":
    main()
