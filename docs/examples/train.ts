import { connect, createAnalogSolver } from 'thermolink';
import { createMlp, createOptimizer, loadDataset, train } from 'thermolink/train';

const data = loadDataset({ kind: 'mnist' });
// One hidden layer of nine units: 7,165 parameters, which fit the 8,192 cells of the board.
const network = createMlp({ inputCount: data.rows * data.columns, hidden: [9], classes: data.classes });
const device = await connect('emulator:ideal-crossbar');
try {
  const optimizer = createOptimizer('tngd', { damping: 0.3, time: 1 }, createAnalogSolver(device));
  const { summary } = await train({
    network,
    data,
    optimizer,
    epochs: 1,
    batch: 128,
    trainSize: 1280,
    seed: 1,
  });
  console.log(`${summary.iterations} steps, test accuracy ${(100 * summary.testAccuracy).toFixed(1)} %`);
} finally {
  await device.close();
}
