/**
 * Moves places apart, so that neighbours are at least `gap` from each other and all lie in [low, high]. The
 * sum of the squared moves is minimal, and the order is kept. Needs (places.length − 1) × gap ≤ high − low.
 */
export function spread(places: readonly number[], gap: number, low: number, high: number): number[] {
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b]);
  // If the gaps are subtracted from the places, the only condition left is that places ascend. The problem is
  // then an isotonic regression.
  const blocks: { sum: number; count: number }[] = [];
  for (const [rank, index] of order.entries()) {
    blocks.push({ sum: places[index] - rank * gap, count: 1 });
    while (blocks.length > 1 && mean(blocks[blocks.length - 2]) > mean(blocks[blocks.length - 1])) {
      const { sum, count } = blocks.pop()!;
      const above = blocks[blocks.length - 1];
      above.sum += sum;
      above.count += count;
    }
  }
  const spreadOut = places.slice();
  const highest = high - (places.length - 1) * gap;
  let rank = 0;
  for (const block of blocks)
    for (let i = 0; i < block.count; i++, rank++)
      spreadOut[order[rank]] = Math.min(highest, Math.max(low, mean(block))) + rank * gap;
  return spreadOut;
}

function mean({ sum, count }: { readonly sum: number; readonly count: number }): number {
  return sum / count;
}
