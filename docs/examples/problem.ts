import { connect, createAnalogSolver } from 'thermolink';
import { createOptimizer, type NoFigures, type Problem, trainProblem } from 'thermolink/train';

// Two decays, measured at 40 times: how fast is each?
const data = Array.from({ length: 40 }, (_, k) => 0.1 * k).map((t) => ({
  t,
  y: Math.exp(-0.7 * t) + 2 * Math.exp(-3 * t),
}));

const decays: Problem<NoFigures, { slow: number; fast: number }> = {
  name: 'decays',
  settings: { name: 'decays', data },
  parameterCount: 4,
  curvatureRows: data.length,
  init: () => Float64Array.of(1.5, 0.5, 1.5, 2),
  evaluate: ({ parameters }) => {
    const [a = 0, p = 0, b = 0, q = 0] = parameters;
    // A row of J, ∂r/∂(a, p, b, q), and the residual r: ℓ = ½ Σ r², ∇ℓ = Jᵀr. The factor is J itself.
    const rows = data.map(({ t, y }) => {
      const [slow, fast] = [Math.exp(-p * t), Math.exp(-q * t)];
      return { jacobian: [slow, -a * t * slow, fast, -b * t * fast], r: a * slow + b * fast - y };
    });
    const loss = rows.reduce((sum, { r }) => sum + (r * r) / 2, 0);
    const gradient = new Float64Array(4);
    for (const { jacobian, r } of rows) for (const [i, d] of jacobian.entries()) gradient[i]! += d * r;
    const entries = Float64Array.from(rows.flatMap(({ jacobian }) => jacobian));
    const factor = () => ({ rows: data.length, columns: 4, data: entries });
    return { first: { loss, gradient }, factor };
  },
  test: ([, slow = 0, , fast = 0]) => ({ slow, fast }),
};

const device = await connect('emulator:ideal-crossbar');
try {
  const settings = { rate: 1, finalRate: 1, damping: 1e-6, ticks: 4096, runs: 3 };
  const optimizers = [
    createOptimizer('tngd', settings, createAnalogSolver(device)),
    createOptimizer('adam', { rate: 0.1, finalRate: 0.1 }),
  ];
  for (const optimizer of optimizers) {
    const { summary } = await trainProblem({ problem: decays, optimizer, steps: 40, seed: 1 });
    console.log(`${optimizer.name}: rates ${summary.slow.toFixed(3)} and ${summary.fast.toFixed(3)}`);
  }
} finally {
  await device.close();
}
