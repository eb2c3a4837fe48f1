/** The part of the page's address that shows a board. */
export function hashOf(name: string): string {
  return `#/${encodeURIComponent(name)}`;
}

/** The board that this part of the address names; undefined for any other text that a person may type. */
export function boardNameOf(hash: string): string | undefined {
  if (!hash.startsWith('#/')) return undefined;
  try {
    return decodeURIComponent(hash.slice(2));
  } catch {
    // A percent sign without its two digits.
    return undefined;
  }
}
