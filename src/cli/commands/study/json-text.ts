/**
 * Results as JSON that a person can compare: indented, and each entry of the arrays called `rows` on one
 * line.
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
  // A text of the results can't be taken for a row, since JSON writes no bare line that ends there.
  return `${text.replace(/^(\s*)"row (\d+)"(,?)$/gm, (_, space: string, index: string, comma: string) => `${space}${lines[Number(index)]}${comma}`)}\n`;
}
