/**
 * The message tables and their frozen copy, firmware-protocol/frozen/tables.json. Both commands read the
 * built sources.
 *
 *     npm run protocol:check                                     compare; exit 1 at a forbidden difference
 *     npm run protocol:freeze -- --decision docs/decisions/…     write the copy as the present version
 *     npm run protocol:freeze -- --decision … --label 1.0-rc     the same, as a candidate
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MESSAGES } from '../../../dist/firmware-protocol/messages/index.js';
import {
  frozenMessages,
  renderFrozenTables,
} from '../../../dist/firmware-protocol/tools/frozen/frozen-tables.js';
import { checkAgainstFrozen, refusalToFreeze } from '../../../dist/firmware-protocol/tools/frozen/verdict.js';
import { canonicalTables, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../../dist/firmware-protocol/version.js';

const inRepository = (file) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const read = (file) =>
  existsSync(inRepository(file)) ? readFileSync(inRepository(file), 'utf8') : undefined;

const COPY = 'firmware-protocol/frozen/tables.json';
const copy = read(COPY);
const frozen = copy === undefined ? undefined : JSON.parse(copy);
const current = {
  major: PROTOCOL_MAJOR,
  minor: PROTOCOL_MINOR,
  tableHash: createHash('sha256').update(canonicalTables()).digest('hex').slice(0, 16),
  messages: frozenMessages(MESSAGES),
};

function check() {
  if (!frozen) return { ok: false, text: `${COPY} is missing: git checkout -- ${COPY}` };
  return checkAgainstFrozen(frozen, current, read(frozen.decision));
}

function freeze({ decision, label = `${current.major}.${current.minor}` }) {
  const record = decision === undefined ? undefined : read(decision);
  if (decision !== undefined && record === undefined) return { ok: false, text: `there is no ${decision}` };
  const refusal = refusalToFreeze(frozen, current, label, record);
  if (refusal !== undefined) return { ok: false, text: refusal };
  const about =
    'The message tables as another implementation relies on them. Written by npm run protocol:freeze.';
  const { major, minor, tableHash, messages } = current;
  writeFileSync(
    inRepository(COPY),
    renderFrozenTables({ about, major, minor, label, tableHash, decision, messages }),
  );
  return { ok: true, text: `${COPY} is now ${label}, hash ${tableHash}, by ${decision}` };
}

const { values, positionals } = parseArgs({
  options: { decision: { type: 'string' }, label: { type: 'string' } },
  allowPositionals: true,
});
const commands = { check, freeze: () => freeze(values) };
const command = commands[positionals[0]];
const { ok, text } = command
  ? command()
  : { ok: false, text: 'usage: frozen-tables.mjs check | freeze --decision FILE [--label LABEL]' };
(ok ? console.log : console.error)(text);
process.exitCode = ok ? 0 : 1;
