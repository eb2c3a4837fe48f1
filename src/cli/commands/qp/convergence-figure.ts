import { basename } from 'node:path';
import type { QpProgress, QpResult } from '../../../algorithms/qp/contract.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';

const PHASES_DRAWN: Readonly<Record<QpProgress['phase'], string>> = {
  box: 'each box level',
  admm: 'every tenth ADMM iteration',
  ipm: 'each interior-point iteration',
  polish: 'polish steps',
};

/**
 * Draws the three residuals over the iterations. A polish or a second method continues the axis of
 * iterations where the curve before it ended.
 */
export function convergenceFigure(problem: string, { history, status }: QpResult): string {
  let before = 0;
  let last = 0;
  const at = history.map(({ iteration, phase }, i) => {
    if (i > 0 && (history[i - 1].phase !== phase || iteration <= history[i - 1].iteration))
      before = last - (ranBefore(history, i)?.iteration ?? 0);
    last = before + iteration;
    return last;
  });
  const phases = [...new Set(history.map(({ phase }) => PHASES_DRAWN[phase]))];
  const curve = (name: string, value: (progress: QpProgress) => number) => ({
    name,
    points: history.map((progress, i) => [at[i], Math.max(value(progress), 1e-17)] as const),
  });
  return figure([
    lineChart({
      title: `Residuals of ${basename(problem)}`,
      subtitle: `${status}; ${phases.join(', then ')}`,
      x: { label: 'iteration' },
      y: { label: 'relative residual', scale: 'log' },
      series: [
        curve('primal', ({ primal }) => primal),
        curve('dual', ({ dual }) => dual),
        curve('gap', ({ gap }) => gap),
      ],
    }),
  ]);
}

/**
 * Returns the last progress of the same method before entry i. ADMM continues its count after a polish. Each
 * polish counts from the beginning, so the result for a polish is undefined.
 */
function ranBefore(history: readonly QpProgress[], i: number): QpProgress | undefined {
  const { phase } = history[i];
  return phase === 'polish' ? undefined : history.slice(0, i).findLast((entry) => entry.phase === phase);
}
