import { parseDeviceUri } from '../../../connect.js';
import { ThermolinkError } from '../../../errors.js';
import { boardCommand } from '../../board-command.js';
import { option } from '../../options/option.js';
import { decimalUpTo } from '../../options/values.js';
import { waitForBoard } from '../../wait-for-board.js';

export const command = boardCommand({
  options: {
    wait: option('--wait <s>', 'how long the board may take to come back', {
      value: decimalUpTo(600),
      default: 15,
    }),
  },
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink reset --device serial:/dev/ttyACM0

The board answers, then restarts and loses its programs, state and session. The command waits until the board is back, and
says whether its boot epoch grew. It does not wait for an emulated board within this process, which ends with the process.`,
  async run({ wait }, onBoard) {
    const { result: before, device } = await onBoard(async (board, { signal }) => {
      const { bootEpoch } = board.identity;
      await board.reset({ signal });
      return bootEpoch;
    });
    const { kind } = parseDeviceUri(device);
    if (kind !== 'serial' && kind !== 'tcp')
      return { json: { device, bootEpochBefore: before }, text: `${device} has answered and was reset.\n` };
    const readBoot = () =>
      onBoard(
        async (board, { signal }) => {
          const { bootEpoch, state, fault } = await board.readStatus({ signal });
          return { bootEpoch, state, fault };
        },
        { uri: device, boardNumber: 2 },
      );
    const { result: after } = await waitForBoard(readBoot, wait);
    const report = { device, bootEpochBefore: before, ...after };
    if (after.bootEpoch === before)
      throw new ThermolinkError('DEVICE_FAULT', `${device} answered the reset, but it did not restart.`, {
        hint: 'Switch its power off for a second.',
        data: report,
      });
    const fault = after.fault === 'none' ? '' : `, with the latched fault ${after.fault}`;
    return {
      json: report,
      text: `${device} has restarted (boot ${before} → ${after.bootEpoch}) and is in ${after.state}${fault}.\n`,
    };
  },
});
