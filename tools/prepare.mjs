/**
 * npm's `prepare`: builds after `npm ci` and `npm install` in the checkout, and before packing.
 *
 * `npx thermolink` in the checkout runs `prepare` too and does not show it, because npm first installs the
 * checkout into its cache. A build there would take half a minute, and an interrupted build would leave a
 * broken entry in the cache. So `prepare` builds nothing then: the command runs the existing build, or says
 * that there is none.
 */
import { spawnSync } from 'node:child_process';

if (process.env['npm_command'] !== 'exec') {
  const { status } = spawnSync('npm run build', { shell: true, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
