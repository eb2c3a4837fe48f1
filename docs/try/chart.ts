const SVG = 'http://www.w3.org/2000/svg';
const WIDTH_MIN = 280;
const WIDTH_MAX = 720;
const HEIGHT = 300;
const LEFT = 52;
const RIGHT = 44;
const TOP = 12;
const BOTTOM = 40;
const TICKS = 4;
/** The least vertical distance between the names of two lines. */
const NAME_HEIGHT = 16;
/** The largest number of lines. More lines can't be told apart. */
export const LINES_MAX = 8;

/** Voltages over time, with the values they should reach. */
export class RelaxationChart {
  readonly #place: HTMLElement;
  readonly #goals: Float64Array;
  #times: number[] = [];
  #readings: Float64Array[] = [];

  constructor(place: HTMLElement, goals: Float64Array) {
    this.#place = place;
    this.#goals = goals.subarray(0, LINES_MAX);
  }

  /** Adds one reading of all voltages and draws anew. */
  add(time: number, voltages: Float64Array, timeMax: number): void {
    this.#times.push(time);
    this.#readings.push(voltages.slice(0, LINES_MAX));
    const values = [0, ...this.#goals, ...this.#readings.flatMap((reading) => [...reading])];
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = 0.06 * (high - low || 1);
    const width = Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, this.#place.clientWidth));
    const right = width - RIGHT;
    const x = (t: number): number => LEFT + ((right - LEFT) * t) / timeMax;
    const y = (v: number): number =>
      TOP + ((HEIGHT - TOP - BOTTOM) * (high + room - v)) / (high - low + 2 * room);
    const svg = node('svg', {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'img',
      'aria-label': this.#inWords(),
    });
    for (let tick = 0; tick <= TICKS; tick++) {
      const time = (timeMax * tick) / TICKS;
      const value = low + ((high - low) * tick) / TICKS;
      svg.append(
        node('line', { class: 'grid', x1: LEFT, x2: right, y1: y(value), y2: y(value) }),
        label(short(value), { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }),
        label(short(time), { x: x(time), y: HEIGHT - BOTTOM + 18, 'text-anchor': 'middle' }),
      );
    }
    svg.append(label('time, in units of 1/A', { x: LEFT, y: HEIGHT - 4 }));
    const nameAt = apart(Array.from(this.#goals, y));
    for (const [cell, goal] of this.#goals.entries()) {
      const stroke = `stroke: var(--line-${cell})`;
      const points = this.#readings.map((reading, i) => `${x(this.#times[i])},${y(reading[cell])}`).join(' ');
      const goalLine = node('line', { class: 'goal', x1: LEFT, x2: right, y1: y(goal), y2: y(goal) });
      const line = node('polyline', { class: 'reading', points });
      const name = label(`x${subscript(cell + 1)}`, { x: right + 6, y: nameAt[cell] + 4 });
      // The style is set by the style object, because the page allows no style attributes in its text.
      goalLine.style.cssText = stroke;
      line.style.cssText = stroke;
      name.style.fill = `var(--line-${cell})`;
      svg.append(goalLine, line, name);
    }
    this.#place.replaceChildren(svg);
  }

  #inWords(): string {
    const last = this.#readings.at(-1)!;
    const cells = Array.from(this.#goals, (goal, i) => `x${i + 1} is ${short(last[i])} of ${short(goal)}`);
    return `Voltages over time. At time ${short(this.#times.at(-1)!)}: ${cells.join(', ')}.`;
  }
}

/** Heights for the names: near the heights of their lines, and so far apart that each name can be read. */
function apart(heights: readonly number[]): number[] {
  const order = Array.from(heights.keys()).sort((a, b) => Math.round(heights[a] - heights[b]));
  const placed = [...heights];
  let next = -Infinity;
  for (const i of order) {
    placed[i] = Math.max(heights[i], next);
    next = placed[i] + NAME_HEIGHT;
  }
  // The lowest names may now lie below the chart. They are moved up, the lowest name first.
  let last = HEIGHT - BOTTOM;
  for (const i of order.reverse()) {
    placed[i] = Math.min(placed[i], last);
    last = placed[i] - NAME_HEIGHT;
  }
  return placed;
}

/** Three digits, without a plus sign or zeros at the end. */
export function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return (Math.abs(rounded) < 1e-12 ? 0 : rounded).toString().replace('-', '−');
}

function subscript(index: number): string {
  return [...String(index)].map((digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]).join('');
}

function node(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function label(text: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = node('text', attributes);
  element.textContent = text;
  return element;
}
