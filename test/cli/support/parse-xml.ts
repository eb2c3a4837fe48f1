/** An element of a document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  /** All text in the element, unescaped. */
  text: string;
}

const TOKEN = /<\?[^?]*\?>|<(\/?)([a-z]+)((?: [a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>|[^<]+|</g;
const ENTITY = /&(?:amp|lt|gt|quot);/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are forbidden in XML.
const FORBIDDEN = /[\x00-\x08\x0B\x0C\x0E-\x1F\p{Surrogate}\uFFFE\uFFFF]/u;

/** Parses the part of XML that SVG needs, and throws if the text is not well-formed. */
export function parseXml(xml: string): XmlElement {
  if (FORBIDDEN.test(xml)) throw new Error('a character that XML forbids');
  const document: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open: XmlElement[] = [document];
  for (const [token, closing, name, attributes, empty] of xml.matchAll(TOKEN)) {
    if (token.startsWith('<?')) continue;
    const parent = open[open.length - 1];
    if (token === '<') throw new Error('a < that begins no tag');
    if (name === undefined) {
      if (open.length === 1 && token.trim() !== '') throw new Error('text outside the root element');
      for (const element of open) element.text += unescapeXml(token);
      continue;
    }
    if (closing === '/') {
      if (open.pop()!.name !== name || attributes !== '') throw new Error(`</${name}> closes no <${name}>`);
      continue;
    }
    const element: XmlElement = { name, attributes: parseAttributes(attributes), children: [], text: '' };
    parent.children.push(element);
    if (empty === '') open.push(element);
  }
  if (open.length !== 1) throw new Error(`<${open[open.length - 1].name}> is not closed`);
  if (document.children.length !== 1) throw new Error('not one root element');
  return document.children[0];
}

/** The element and all elements in it. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}

function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/ ([a-zA-Z][\w:-]*)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`${name} is given twice`);
    attributes[name] = unescapeXml(value);
  }
  return attributes;
}

function unescapeXml(text: string): string {
  if (text.replace(ENTITY, '').includes('&')) throw new Error(`a & that is not escaped in ${text}`);
  const characters: Readonly<Record<string, string>> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
  };
  return text.replace(ENTITY, (entity) => characters[entity]);
}
