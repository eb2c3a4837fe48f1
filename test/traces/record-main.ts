/**
 * Records the sessions of test/traces/recorded, and the one of test/traces/older, anew: `npm run
 * traces:record`.
 */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../repository/files.js';
import { writeOlder } from './older-minor.js';
import { OWN_SESSIONS, recordOwn, recordPulledCable } from './own-sessions.js';

const folder = path.join(ROOT, 'test/traces/recorded');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const session of OWN_SESSIONS) {
  await recordOwn(session, path.join(folder, `${session.name}.mcap`));
  process.stdout.write(`${session.name}\n`);
}
await recordPulledCable(path.join(folder, 'pulled-cable.mcap'));

const older = path.join(ROOT, 'test/traces/older');
rmSync(older, { recursive: true, force: true });
mkdirSync(older);
await writeOlder(path.join(folder, 'ideal-factored.mcap'), path.join(older, 'before-purpose.mcap'));
