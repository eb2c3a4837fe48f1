/**
 * npm's `prepare`: builds after `npm ci` and `npm install` in the checkout, and before packing.
 *
 * `npx thermolink` in the checkout runs `prepare` too, unseen, since npm installs the checkout into its cache
 * first. A build there would take half a minute, and interrupting it would leave a broken entry in that
 * cache. So it builds nothing: the command runs what is built, or says that nothing is.
 */
import { spawnSync } from 'node:child_process';

if (process.env['npm_command'] !== 'exec') {
  const { status } = spawnSync('npm run build', { shell: true, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
