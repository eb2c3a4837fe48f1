import { useEffect, useRef, useState } from 'preact/hooks';
import { cellAt, divergingColor } from './scales.js';
import { onThemeChange, readTheme } from './theme.js';

export interface HeatMapProps {
  readonly title: string;
  /** Description of the map in words and figures, for people who cannot see it. */
  readonly summary: string;
  /** n × n values, row-major. */
  readonly values: ArrayLike<number>;
  readonly n: number;
  /** The number of the first row and column. */
  readonly first: number;
  /** The absolute value at both ends of the colour scale. */
  readonly limit: number;
  /** Writes a value with its unit. */
  readonly format: (value: number) => string;
}

/** A square matrix as colours around zero; the entry under the pointer is told in words. */
export function HeatMap({ title, summary, values, n, first, limit, format }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<{ row: number; column: number } | undefined>();

  useEffect(() => {
    const draw = (): void => paint(canvas.current!, values, n, limit);
    draw();
    return onThemeChange(draw);
  }, [values, n, limit]);

  const point = (event: PointerEvent): void => {
    const box = canvas.current!.getBoundingClientRect();
    setUnder(cellAt((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, n));
  };
  const told = under && under.row < n && under.column < n ? under : undefined;
  return (
    <figure class="heat">
      <figcaption>{title}</figcaption>
      <canvas
        ref={canvas}
        role="img"
        aria-label={summary}
        onPointerMove={point}
        onPointerLeave={() => setUnder(undefined)}
      />
      <p class="under">
        {told
          ? `cell ${told.row + first}, ${told.column + first}: ${format(values[told.row * n + told.column])}`
          : `orange ${format(limit)}, blue ${format(-limit)}`}
      </p>
    </figure>
  );
}

function paint(canvas: HTMLCanvasElement, values: ArrayLike<number>, n: number, limit: number): void {
  if (canvas.width !== n) canvas.width = canvas.height = n;
  const context = canvas.getContext('2d')!;
  const { heat } = readTheme();
  const image = context.createImageData(n, n);
  for (let i = 0; i < n * n; i++) {
    const [red, green, blue] = divergingColor(values[i], limit, heat);
    image.data.set([red, green, blue, Number.isFinite(values[i]) ? 255 : 0], 4 * i);
  }
  context.putImageData(image, 0, 0);
}
