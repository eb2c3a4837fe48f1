/** An entry of a legend: the name of a series, and its present value. */
export interface LegendEntry {
  readonly label: string;
  readonly color: number;
  readonly kind?: 'line' | 'point' | 'ring';
  /** The newest value with its unit. */
  readonly value?: string;
}

/** Names of the series beside their marks, as text that screen readers can read. */
export function Legend({ entries }: { readonly entries: readonly LegendEntry[] }) {
  return (
    <ul class="legend">
      {entries.map(({ label, color, kind = 'line', value }) => (
        <li key={label}>
          <span class={`mark mark-${kind} line-${color + 1}`} aria-hidden="true" />
          <bdi>{label}</bdi>
          {value === undefined ? null : <span class="value">{value}</span>}
        </li>
      ))}
    </ul>
  );
}
