/**
 * Results as JSON that a person can compare: it is indented, but each entry of an array called `rows` is on
 * one line.
 */
export function jsonText(results: object, rows: string): string {
  const lines: string[] = [];
  const text = JSON.stringify(
    results,
    (key, value: unknown) => {
      if (key !== rows || !Array.isArray(value)) return value;
      return value.map((entry) => `row ${lines.push(JSON.stringify(entry)) - 1}`);
    },
    2,
  );
  // The pattern matches whole lines. No array of the results has a text like this as an entry.
  return `${text.replace(/^(\s*)"row (\d+)"(,?)$/gm, (_, space: string, index: string, comma: string) => `${space}${lines[Number(index)]}${comma}`)}\n`;
}
