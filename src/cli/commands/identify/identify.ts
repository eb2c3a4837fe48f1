import { formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';

const SECONDS_MAX = 60;

export const command = boardCommand({
  options: {
    seconds: option('--seconds <n>', `seconds of showing, 1 to ${SECONDS_MAX}`, {
      value: positiveInteger(SECONDS_MAX),
      default: 10,
    }),
  },
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink identify --device serial:/dev/ttyACM1

The board shows which one it is, for example by a blinking light. For an emulated board, the program that serves it prints a line.`,
  async run({ seconds }, onBoard) {
    const { result, device } = await onBoard(async (board, { signal }) => {
      await board.identify(1000 * seconds, { signal });
      return board.identity;
    });
    const { model, serialNumber } = result;
    return {
      json: { device, model, serialNumber, seconds },
      text: `${model}, ${serialNumber} at ${device} shows itself for ${formatSeconds(seconds)}.\n`,
    };
  },
});
