/** Sizes are pixels. */
export const FONT_FAMILY = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
export const FONT_PX = 12;
export const SMALL_FONT_PX = 11;
export const TITLE_FONT_PX = 15;

export const BACKGROUND = '#ffffff';
export const INK = '#1f2328';
export const MUTED_INK = '#59636e';
export const AXIS_INK = '#6e7781';
export const GRID = '#e7eaee';
export const FAINT_GRID = '#f3f4f6';

/**
 * Colours of lines, the strongest first. They can be told apart with any common kind of colour blindness
 * (Okabe and Ito, without yellow, which is hard to see on white).
 */
const LINE_COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

/**
 * Colours of areas. They can be told apart with any common kind of colour blindness, and dark text can be
 * read on all of them (Paul Tol, light).
 */
const FILL_COLORS = [
  '#77aadd',
  '#ee8866',
  '#eedd88',
  '#44bb99',
  '#ffaabb',
  '#99ddff',
  '#bbcc33',
  '#aaaa00',
  '#dddddd',
];

/**
 * Patterns of lines. After each round through the colours the next pattern is used; 28 series then look
 * different.
 */
const DASHES = ['', '7 3', '2 3', '9 3 2 3'];

/** The colour of the line with the given index. */
export function lineColor(index: number): string {
  return LINE_COLORS[index % LINE_COLORS.length];
}

/** The pattern of the line with the given index; dashed ones skip the solid pattern. */
export function lineDash(index: number, dashed: boolean): string | undefined {
  const pattern = DASHES[(Math.floor(index / LINE_COLORS.length) + (dashed ? 1 : 0)) % DASHES.length];
  return pattern === '' ? undefined : pattern;
}

/** The colour of the area with the given index. */
export function fillColor(index: number): string {
  return FILL_COLORS[index % FILL_COLORS.length];
}

/** Smallest contrast of readable text (WCAG 2, level AA). */
const CONTRAST_MIN = 4.5;

/**
 * `color`, darkened until text of this colour is readable on the background. Returns the colour of ink if
 * `color` does not have the form #rrggbb.
 */
export function readableColor(color: string): string {
  let channels = parseColor(color);
  if (channels === undefined) return INK;
  while (contrast(luminance(channels), 1) < CONTRAST_MIN)
    channels = channels.map((channel) => Math.floor(channel * 0.95));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Ink or white, whichever is easier to read on `color`. */
export function inkOn(color: string): string {
  const channels = parseColor(color);
  if (channels === undefined) return INK;
  const light = luminance(channels);
  return contrast(light, luminance([0x1f, 0x23, 0x28])) >= contrast(light, 1) ? INK : '#ffffff';
}

function parseColor(color: string): number[] | undefined {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return undefined;
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}

/** Relative luminance, 0 black to 1 white (WCAG 2). */
function luminance(channels: readonly number[]): number {
  const [red, green, blue] = channels.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
