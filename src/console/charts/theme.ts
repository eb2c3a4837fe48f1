import type { DivergingColors, Rgb } from './scales.js';

/** The colours for canvases, from the style sheet. The style sheet has other colours for dark screens. */
export interface Theme {
  readonly ink: string;
  readonly grid: string;
  readonly lines: readonly string[];
  readonly heat: DivergingColors;
}

/** How many colours of lines the style sheet has: `line-1` and so on. */
export const LINE_COLORS_COUNT = 8;

export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: read('muted'),
    grid: read('grid'),
    lines: Array.from({ length: LINE_COLORS_COUNT }, (_, i) => read(`line-${i + 1}`)),
    heat: {
      negative: parseRgb(read('heat-negative')),
      zero: parseRgb(read('heat-zero')),
      positive: parseRgb(read('heat-positive')),
    },
  };
}

/** Calls `changed` when the screen turns dark or light. Call the returned function to end this. */
export function onThemeChange(changed: () => void): () => void {
  const query = matchMedia('(prefers-color-scheme: dark)');
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

/** Reads `#rgb` and `#rrggbb`. The build shortens colours to `#rgb` where it can. */
function parseRgb(text: string): Rgb {
  const digits = text.length === 4 ? text.replace(/[^#]/g, '$&$&') : text;
  const number = Number.parseInt(digits.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}
