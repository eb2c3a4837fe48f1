import { matrix } from '../linalg/matrix.js';
import type { QuadraticProgram } from '../linalg/quadratic-program.js';
import { allocateEntries, badFile, ENTRIES_MAX, type InputFile, readAll } from './input-file.js';

/** A program from a file, with the names in the file. */
export interface NamedProgram extends QuadraticProgram {
  readonly columnNames: readonly string[];
  /** Names of the rows of A; a bound on an unknown has the unknown's name. */
  readonly rowNames: readonly string[];
}

interface Row {
  readonly kind: string;
  readonly entries: Map<number, number>;
  right: number;
  range: number | undefined;
}

interface Bounds {
  lower: number;
  upper: number;
  isLowerGiven: boolean;
}

const SECTIONS = ['ROWS', 'COLUMNS', 'RHS', 'RANGES', 'BOUNDS', 'QUADOBJ', 'QMATRIX'] as const;
type Section = (typeof SECTIONS)[number];
/** Numbers of this size and beyond stand for no bound. */
const NO_BOUND = 1e20;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eEdD][+-]?\d+)?$/;

/**
 * Reads a QPS file. The SIF files in the collection of Maros and Mészáros are QPS files too. Fields are
 * separated by blanks, so names cannot contain blanks. QUADOBJ holds one triangle of P, QMATRIX all of it;
 * both are P of ½xᵀPx. The right-hand side of the objective is −c. Rows of kind N after the first one are
 * left out.
 *
 * Errors: BAD_FILE with the line for text that is not understood, for names that do not exist, entries that
 * are given twice, integer variables, maximisation, and a file without ENDATA, which may be cut. Source:
 * Maros, Mészáros, "A repository of convex quadratic programming problems", Optim. Meth. Softw. 11 (1999).
 */
export async function readQps(file: InputFile): Promise<NamedProgram> {
  const text = Buffer.from(await readAll(file)).toString('utf8');
  return new QpsParser(file.path, text.split(/\r\n|\n|\r/)).parse();
}

class QpsParser {
  readonly #path: string;
  readonly #lines: readonly string[];
  #line = 0;
  #objective: string | undefined;
  readonly #objectiveEntries = new Map<number, number>();
  #constant = 0;
  readonly #rows = new Map<string, Row | undefined>();
  readonly #columns = new Map<string, number>();
  readonly #bounds: Bounds[] = [];
  readonly #hessian = new Map<string, number>();
  #isTriangle = true;
  readonly #vectorNames = new Map<Section, string>();

  constructor(path: string, lines: readonly string[]) {
    this.#path = path;
    this.#lines = lines;
  }

  parse(): NamedProgram {
    let section: Section | undefined;
    const seen = new Set<string>();
    for (const [index, line] of this.#lines.entries()) {
      this.#line = index + 1;
      const fields = line.trim().split(/\s+/);
      if (fields[0] === '' || line.startsWith('*')) continue;
      if (/^\s/.test(line)) {
        if (section === undefined) throw this.#bad('stands before the first section');
        this.#read(section, fields);
        continue;
      }
      if (fields[0] === 'NAME') continue;
      if (fields[0] === 'ENDATA') return this.#program();
      section = this.#section(fields[0], seen);
    }
    throw badFile(this.#path, `${this.#path} has no ENDATA: it may be cut.`, 'Fetch or save the file again.');
  }

  #section(name: string, seen: Set<string>): Section {
    const section = SECTIONS.find((known) => known === name);
    if (section === undefined)
      throw this.#bad(`begins the section ${shown(name)}, which is not one of ${SECTIONS.join(', ')}`);
    if (seen.has(section)) throw this.#bad(`begins ${section} a second time`);
    if (section.startsWith('Q') && (seen.has('QUADOBJ') || seen.has('QMATRIX')))
      throw this.#bad('begins a second section of P');
    seen.add(section);
    if (section === 'QMATRIX') this.#isTriangle = false;
    return section;
  }

  #read(section: Section, fields: readonly string[]): void {
    if (section === 'ROWS') this.#row(fields);
    else if (section === 'COLUMNS') this.#column(fields);
    else if (section === 'BOUNDS') this.#bound(fields);
    else if (section === 'RHS' || section === 'RANGES') this.#vector(section, fields);
    else this.#quadratic(fields);
  }

  #row(fields: readonly string[]): void {
    const [kind, name] = fields;
    if (fields.length !== 2 || !['N', 'E', 'L', 'G'].includes(kind))
      throw this.#bad('is no row: N, E, L or G, and a name');
    if (this.#rows.has(name)) throw this.#bad(`names the row ${shown(name)} a second time`);
    if (kind === 'N') {
      this.#objective ??= name;
      this.#rows.set(name, undefined);
    } else this.#rows.set(name, { kind, entries: new Map(), right: 0, range: undefined });
  }

  #column(fields: readonly string[]): void {
    if (fields.includes("'MARKER'")) throw this.#bad('begins integer variables, which are not solved');
    const [name, ...pairs] = fields;
    if (!this.#columns.has(name)) {
      this.#columns.set(name, this.#columns.size);
      this.#bounds.push({ lower: 0, upper: Infinity, isLowerGiven: false });
    }
    const column = this.#columns.get(name)!;
    for (const [rowName, value] of this.#pairs(pairs)) {
      const row = this.#rowNamed(rowName);
      const entries = rowName === this.#objective ? this.#objectiveEntries : row?.entries;
      if (entries?.has(column))
        throw this.#bad(`gives the entry of ${shown(name)} in ${shown(rowName)} a second time`);
      entries?.set(column, value);
    }
  }

  #vector(section: 'RHS' | 'RANGES', fields: readonly string[]): void {
    const hasName = fields.length % 2 === 1;
    this.#oneSet(section, hasName ? fields[0] : '');
    for (const [rowName, value] of this.#pairs(hasName ? fields.slice(1) : fields)) {
      const row = this.#rowNamed(rowName);
      if (row === undefined) {
        if (section === 'RANGES') throw this.#bad(`gives a range to ${shown(rowName)}, which has no bound`);
        if (rowName === this.#objective) this.#constant = -value;
      } else if (section === 'RHS') row.right = value;
      else row.range = value;
    }
  }

  #bound(fields: readonly string[]): void {
    const kind = fields[0];
    const hasValue = ['UP', 'LO', 'FX'].includes(kind);
    if (!hasValue && !['FR', 'MI', 'PL'].includes(kind))
      throw this.#bad(`has a bound of the kind ${shown(kind)}, not UP, LO, FX, FR, MI or PL`);
    // FR, MI and PL may have a number, which is ignored.
    const rest = fields.slice(1);
    if (!hasValue && rest.length === 3) rest.pop();
    const count = hasValue ? 2 : 1;
    if (rest.length !== count && rest.length !== count + 1)
      throw this.#bad('is no bound: kind, set, column and number');
    this.#oneSet('BOUNDS', rest.length === count ? '' : rest[0]);
    const [name, text] = rest.slice(-count);
    const index = this.#columnNamed(name);
    const bounds = this.#bounds[index];
    const value = hasValue ? this.#number(text) : 0;
    if (kind === 'UP' && value < 0 && !bounds.isLowerGiven)
      throw this.#bad(
        `bounds ${shown(name)} by ${value} from above and leaves its lower bound open: solvers read that as 0 or as no bound`,
      );
    if (kind !== 'UP' && kind !== 'PL') bounds.isLowerGiven = true;
    if (kind === 'UP' || kind === 'FX') bounds.upper = boundOf(value);
    if (kind === 'LO' || kind === 'FX') bounds.lower = boundOf(value);
    if (kind === 'FR' || kind === 'MI') bounds.lower = -Infinity;
    if (kind === 'FR' || kind === 'PL') bounds.upper = Infinity;
  }

  #quadratic(fields: readonly string[]): void {
    const [first, ...pairs] = fields;
    const i = this.#columnNamed(first);
    for (const [second, value] of this.#pairs(pairs)) {
      const j = this.#columnNamed(second);
      const key = this.#isTriangle ? `${Math.max(i, j)} ${Math.min(i, j)}` : `${i} ${j}`;
      if (this.#hessian.has(key))
        throw this.#bad(`gives the entry of ${shown(first)} and ${shown(second)} a second time`);
      this.#hessian.set(key, value);
    }
  }

  *#pairs(fields: readonly string[]): Generator<[string, number]> {
    if (fields.length !== 2 && fields.length !== 4)
      throw this.#bad('has not one or two pairs of a name and a number');
    for (let at = 0; at < fields.length; at += 2) yield [fields[at], this.#number(fields[at + 1])];
  }

  #number(text: string): number {
    const value = NUMBER.test(text) ? Number(text.replace(/[dD]/, 'e')) : Number.NaN;
    if (Number.isFinite(value)) return value;
    throw this.#bad(`has ${shown(text)} where a finite number belongs`);
  }

  #rowNamed(name: string): Row | undefined {
    if (this.#rows.has(name)) return this.#rows.get(name);
    throw this.#bad(`names the row ${shown(name)}, which ROWS has not`);
  }

  #columnNamed(name: string): number {
    const column = this.#columns.get(name);
    if (column !== undefined) return column;
    throw this.#bad(`names the column ${shown(name)}, which COLUMNS has not`);
  }

  /** Refuses a second set of right-hand sides, ranges or bounds, because one set would have to be chosen. */
  #oneSet(section: Section, name: string): void {
    const first = this.#vectorNames.get(section);
    if (first !== undefined && first !== name)
      throw this.#bad(`begins a second set of ${section}, ${shown(name)}`);
    this.#vectorNames.set(section, name);
  }

  #program(): NamedProgram {
    const n = this.#columns.size;
    if (this.#objective === undefined || n === 0)
      throw badFile(
        this.#path,
        `${this.#path} has no objective or no columns.`,
        'ROWS needs a row of kind N, and COLUMNS a column.',
      );
    const columnNames = [...this.#columns.keys()];
    const rows = [...this.#rows].flatMap(([name, row]) =>
      row === undefined ? [] : [{ name, ...row, ...rowBounds(row) }],
    );
    const bounded = this.#bounds.flatMap(({ lower, upper }, column) =>
      lower === -Infinity && upper === Infinity
        ? []
        : [{ name: columnNames[column], entries: new Map([[column, 1]]), lower, upper }],
    );
    const all = [...rows, ...bounded];
    if (Math.max(n, all.length) * n > ENTRIES_MAX)
      throw badFile(
        this.#path,
        `${this.#path} has ${n} columns and ${all.length} rows, too many.`,
        'Use a smaller program.',
      );
    const a = allocateEntries(this.#path, all.length * n);
    for (const [i, { entries }] of all.entries()) for (const [j, value] of entries) a[i * n + j] = value;
    const linear = new Float64Array(n);
    for (const [j, value] of this.#objectiveEntries) linear[j] = value;
    const p = allocateEntries(this.#path, n * n);
    for (const [key, value] of this.#hessian) {
      const [i, j] = key.split(' ').map(Number);
      p[i * n + j] = value;
      if (this.#isTriangle) p[j * n + i] = value;
    }
    return {
      hessian: matrix(n, n, p),
      linear,
      constraints: matrix(all.length, n, a),
      lower: Float64Array.from(all, ({ lower }) => lower),
      upper: Float64Array.from(all, ({ upper }) => upper),
      constant: this.#constant,
      columnNames,
      rowNames: all.map(({ name }) => name),
    };
  }

  #bad(what: string): Error {
    return badFile(
      this.#path,
      `${this.#path}: line ${this.#line} ${what}.`,
      'QPS is described in docs/reference/quadratic-programs.md.',
    );
  }
}

function boundOf(value: number): number {
  return Math.abs(value) >= NO_BOUND ? Math.sign(value) * Infinity : value;
}

/** l and u of a row with its range R: [b, b + |R|] for G, [b − |R|, b] for L, and by the sign of R for E. */
function rowBounds({ kind, right, range }: Row): { lower: number; upper: number } {
  const size = Math.abs(range ?? Infinity);
  if (kind === 'G') return { lower: right, upper: right + size };
  if (kind === 'L') return { lower: right - size, upper: right };
  return { lower: right + Math.min(range ?? 0, 0), upper: right + Math.max(range ?? 0, 0) };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 24 ? `${text.slice(0, 24)}…` : text);
}
