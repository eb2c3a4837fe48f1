/** Codes from `first` up to, not including, `end`. */
export interface CodeSpan {
  readonly first: number;
  readonly end: number;
}

/**
 * The shortest span that contains all differences between `codes` and `before`. It contains all codes if
 * there is no `before` or its length differs. Equal codes give an empty span.
 */
export function changedSpan(codes: Int16Array, before: Int16Array | undefined): CodeSpan {
  if (before?.length !== codes.length) return { first: 0, end: codes.length };
  let first = 0;
  while (first < codes.length && codes[first] === before[first]) first++;
  let end = codes.length;
  while (end > first && codes[end - 1] === before[end - 1]) end--;
  return { first, end };
}
