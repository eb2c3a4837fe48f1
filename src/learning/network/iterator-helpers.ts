/**
 * The library @jax-js/jax needs the iterator helpers of ES2025, which Node 20 lacks. This file adds the
 * missing ones; on Node 22 and later it does nothing. Import it before @jax-js/jax.
 */

type AnyIterable = Iterable<unknown>;

const helpers = {
  *map(this: AnyIterable, transform: (value: unknown, index: number) => unknown): Iterable<unknown> {
    let index = 0;
    for (const value of this) yield transform(value, index++);
  },
  *filter(this: AnyIterable, keep: (value: unknown, index: number) => boolean): Iterable<unknown> {
    let index = 0;
    for (const value of this) if (keep(value, index++)) yield value;
  },
  toArray(this: AnyIterable): unknown[] {
    return [...this];
  },
  some(this: AnyIterable, test: (value: unknown, index: number) => boolean): boolean {
    return [...this].some(test);
  },
  every(this: AnyIterable, test: (value: unknown, index: number) => boolean): boolean {
    return [...this].every(test);
  },
  reduce(this: AnyIterable, ...args: Parameters<unknown[]['reduce']>): unknown {
    return [...this].reduce(...args);
  },
};

const iteratorPrototype: object = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
for (const [name, value] of Object.entries(helpers))
  if (!(name in iteratorPrototype))
    Object.defineProperty(iteratorPrototype, name, { value, writable: true, configurable: true });
