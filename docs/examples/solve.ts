import { connect, solve } from 'thermolink';

// 4x + y = 1, x + 3y = 2
const matrix = { rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 3) };
const device = await connect('emulator:ideal-8');
try {
  const { x, standardError, cost } = await solve(device, {
    system: { kind: 'dense', matrix },
    drive: Float64Array.of(1, 2),
    tolerance: 1e-3,
    address: { seed: 1, step: 0, block: 0 },
  });
  for (const [i, value] of x.entries())
    console.log(`x[${i}] = ${value.toFixed(4)} ± ${standardError[i]?.toFixed(4)}`);
  console.log(`board time (modelled): ${(cost.boardSeconds * 1e6).toFixed(1)} µs`);
} finally {
  await device.close();
}
