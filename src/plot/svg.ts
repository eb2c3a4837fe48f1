/** Attributes of an element; numbers are written with at most one decimal, a tenth of a pixel. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with `content`, which must be markup (use `escapeXml` for text). */
export function element(name: string, attributes: Attributes, content = ''): string {
  let tag = `<${name}`;
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined)
      tag += ` ${key}="${typeof value === 'number' ? pixels(value) : escapeXml(value)}"`;
  return content === '' ? `${tag}/>` : `${tag}>${content}</${name}>`;
}

/** A text element at the given place; `text` is escaped. Returns an empty string if `text` is empty. */
export function textElement(text: string, attributes: Attributes): string {
  return text === '' ? '' : element('text', attributes, escapeXml(text));
}

/** A group moved by (x, y). */
export function group(x: number, y: number, content: string): string {
  return element('g', { transform: `translate(${pixels(x)} ${pixels(y)})` }, content);
}

/** A coordinate as text, rounded to a tenth of a pixel. */
export function pixels(value: number): string {
  // Adding 0 turns -0 into 0.
  return String(Math.round(value * 10) / 10 + 0);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * `text` for content and attributes. It is escaped. Characters that XML forbids even in escaped form are
 * replaced.
 */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are forbidden in XML.
      .replace(/[\x00-\x08\x0B\x0C\x0E-\x1F\p{Surrogate}\uFFFE\uFFFF]/gu, '\uFFFD')
      .replace(/[&<>"]/g, (character) => ENTITIES[character])
  );
}
