/**
 * The rules for comments of public symbols that a machine can check. The input is the JSON that typedoc
 * writes (https://typedoc.org/api/modules/JSONOutput.html). The types below have only the fields used here.
 */

/** A symbol, a member or a signature of the reference. */
export interface Reflection {
  readonly name: string;
  readonly kind: number;
  readonly comment?: Comment;
  readonly children?: readonly Reflection[];
  readonly signatures?: readonly Reflection[];
  readonly getSignature?: Reflection;
  readonly parameters?: readonly Reflection[];
  readonly type?: TypeNode;
}

interface Comment {
  readonly summary?: readonly { readonly text?: string }[];
  readonly blockTags?: readonly { readonly content: readonly { readonly text?: string }[] }[];
}

interface TypeNode {
  readonly type?: string;
  readonly name?: string;
  readonly value?: unknown;
  readonly types?: readonly TypeNode[];
  readonly typeArguments?: readonly TypeNode[];
  readonly elementType?: TypeNode;
  readonly target?: TypeNode | number;
  readonly declaration?: Reflection;
}

/** The numbers of typedoc for kinds of symbols. */
const KIND = { constructor: 512, method: 2048, property: 1024, accessor: 262144 } as const;

/** A name that ends in one of these says its unit, or that it is a count, an index or an identifier. */
const TELLING_END =
  /(Ns|Ms|Us|Seconds|Bytes|Bits|Volts|Microvolts|Ticks|Ppm|Lsb|Log2|Counts?|Index|Seed|Id|Epochs?|Version|Rate|Cells?|Rows?|Columns?|Samples?|Steps?|Size|Port|Banks?|Tick|Digits|Examples|Passes|Row|Max|Min)$/;
const TELLING_NAMES = new Set(
  [
    'cells rows columns count samples passes step seed block bank banks epochs batch classes iterations examples',
    'runs port index tick ticks bytes bits from to cell length opcode requestId version min max',
  ].flatMap((line) => line.split(' ')),
);

/** Words by which a comment says the unit of a number: a unit, a pure number, or a count. */
const UNIT =
  /V_fs|G_fs|V\b|τ|\bticks?\b|\b(ms|ns|µs|s|seconds?|bytes?|bits?|codes?|LSB|days?|pixels?|%)\b|\bunits?\b|2⁻|\bu(8|16|32)\b|dimensionless|share|fraction|relative|ratio|factor|0 ?… ?1|1\/eigenvalue|how many|number of|count(ed|s)?\b|whole number|correlation|\bindex\b|accuracy|width/i;
/** Words by which a comment says how an array is laid out. */
const SHAPE =
  /\[[^\]]+\]|\blength\b|×|\bone (entry )?(a|per)\b|per cell|entry i|row-major|belongs? to cell|ascending|in order/i;
const ERRORS = /\bErrors?\b|\bnever (throws|rejects)|\b[Tt]hrows?\b|\b[Rr]ejects?\b/;

const NUMBER_ARRAYS = /^((Float|Int|Uint)(16|32|64)Array|Int8Array|ArrayLike)$/;

/**
 * Lists the missing parts, such as `thermolink/board.Scaling.systemScale: no unit`. `reference` is the whole
 * JSON of typedoc.
 */
export function missingInComments(reference: Reflection): string[] {
  const findings: string[] = [];
  for (const entry of reference.children ?? [])
    for (const symbol of entry.children ?? [])
      new Inspection(findings).symbol(symbol, `${entry.name}.${symbol.name}`);
  return [...new Set(findings)].sort();
}

/**
 * Walks through one symbol. `context` is the text of the comments around a member, which may contain its unit
 * or shape.
 */
class Inspection {
  readonly #findings: string[];

  constructor(findings: string[]) {
    this.#findings = findings;
  }

  symbol(symbol: Reflection, path: string): void {
    if (symbol.signatures) {
      for (const signature of symbol.signatures) this.#signature(signature, path, '');
      return;
    }
    const text = textOf(symbol);
    // A re-export of another entry's symbol has neither children nor a type, and is documented there.
    if (!symbol.children && !symbol.type) return;
    this.#require(text !== '', path, 'no comment');
    for (const member of symbol.children ?? []) this.#member(member, path, text);
    if (symbol.type) this.#value(symbol, symbol.type, path, text);
  }

  #member(member: Reflection, parent: string, context: string): void {
    const path = `${parent}.${member.name}`;
    if (member.kind === KIND.method)
      for (const signature of member.signatures ?? []) this.#signature(signature, path, context);
    if (member.kind === KIND.accessor && member.getSignature) {
      this.#require(textOf(member.getSignature) !== '', path, 'no comment');
      if (member.getSignature.type) this.#value(member.getSignature, member.getSignature.type, path, context);
    }
    if (member.kind === KIND.property && member.type) this.#value(member, member.type, path, context);
  }

  #signature(signature: Reflection, path: string, context: string): void {
    const text = textOf(signature);
    this.#require(text !== '', path, 'no comment');
    this.#require(ERRORS.test(`${text} ${context}`), path, 'no word of errors');
    for (const parameter of signature.parameters ?? []) {
      const named = text.includes(`\`${parameter.name}\``) ? 'unit' : '';
      if (parameter.type)
        this.#value(parameter, parameter.type, `${path}(${parameter.name})`, `${named} ${text}`);
    }
    const result = awaited(signature.type);
    if (result) this.#value({ ...signature, name: '' }, result, `${path} => result`, '');
  }

  #value({ name, ...rest }: Reflection, type: TypeNode, path: string, context: string): void {
    const text = `${textOf({ name, ...rest })} ${context}`;
    const isTelling = TELLING_END.test(name) || TELLING_NAMES.has(name);
    if (isNumber(type)) this.#require(isTelling || UNIT.test(text), path, 'no unit');
    else if (isNumberArray(type)) this.#require(SHAPE.test(text), path, 'no shape');
    this.#nested(type, path, text);
  }

  /** Members of types that are written out in place. */
  #nested(type: TypeNode, path: string, context: string): void {
    for (const member of type.declaration?.children ?? []) this.#member(member, path, context);
    const inner = [...(type.types ?? []), ...(type.typeArguments ?? []), type.elementType, type.target];
    for (const part of inner) if (typeof part === 'object') this.#nested(part, path, context);
  }

  #require(isMet: boolean, path: string, what: string): void {
    if (!isMet) this.#findings.push(`${path}: ${what}`);
  }
}

function textOf({ comment }: Reflection): string {
  const tags = comment?.blockTags?.flatMap(({ content }) => content) ?? [];
  return [...(comment?.summary ?? []), ...tags].map(({ text = '' }) => text).join('');
}

function awaited(type: TypeNode | undefined): TypeNode | undefined {
  return type?.type === 'reference' && type.name === 'Promise' ? type.typeArguments?.[0] : type;
}

/** The parts of a union without undefined and null. A type that is not a union is its own only part. */
function alternatives(type: TypeNode): readonly TypeNode[] {
  const isNothing = (part: TypeNode): boolean => part.name === 'undefined' || part.value === null;
  return type.type === 'union' ? (type.types ?? []).filter((part) => !isNothing(part)) : [type];
}

function isNumber(type: TypeNode): boolean {
  return alternatives(type).every((part) => part.type === 'intrinsic' && part.name === 'number');
}

function isNumberArray(type: TypeNode): boolean {
  return alternatives(type).some((part) => {
    if (part.type === 'reference') return NUMBER_ARRAYS.test(part.name ?? '');
    if (part.type === 'array') return part.elementType !== undefined && isNumber(part.elementType);
    return part.type === 'typeOperator' && typeof part.target === 'object' && isNumberArray(part.target);
  });
}
