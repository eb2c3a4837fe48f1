import { formatBytes, formatPercent, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { benchLink, type LinkBench } from './link.js';

export const command = boardCommand({
  options: {
    bytes: option('--bytes <n>', 'bytes of couplings to upload, at most as many as the board holds', {
      value: positiveInteger(),
      default: 16_000_000,
    }),
  },
  fallback: 'emulator:ideal-crossbar',
  example: `
Example:
  thermolink bench link --device emulator:ideal-crossbar --json`,
  async run({ bytes }, onBoard) {
    const { result, device } = await onBoard((board, { signal, uri }) =>
      benchLink(board, bytes, uri.startsWith('tcp:'), signal),
    );
    return { json: { device, timing: result }, text: reportText(device, result) };
  },
});

function ratesRows(kind: string, rates: LinkBench['mostlyZero']): string[][] {
  return [
    [`upload, ${kind}`, `${formatBytes(rates.uploadBytesPerSecond)}/s`],
    [`download, ${kind}`, `${formatBytes(rates.downloadBytesPerSecond)}/s`],
    [`wire bytes per code byte, ${kind}`, rates.wireOverhead.toFixed(4)],
  ];
}

function reportText(uri: string, result: LinkBench): string {
  const rows = [
    ['device', uri],
    ...ratesRows('codes of every size', result),
    ...ratesRows('nine codes in ten zero', result.mostlyZero),
    ['longest frame', formatBytes(result.frameBytes)],
    [
      'round trip p50, p99',
      `${formatSeconds(result.roundTripP50Ms / 1000)}, ${formatSeconds(result.roundTripP99Ms / 1000)}`,
    ],
    [
      'stop, longest of 10: in a board run, behind an upload',
      `${formatSeconds(result.stopDuringRunMaxMs / 1000)}, ${formatSeconds(result.stopDuringUploadMaxMs / 1000)}`,
    ],
    ...(result.bareSocketBytesPerSecond === undefined
      ? []
      : [
          ['same frames, bare socket', `${formatBytes(result.bareSocketBytesPerSecond)}/s`],
          ['upload over bare socket', formatPercent(result.uploadOverBareSocket ?? Number.NaN, 0)],
        ]),
  ];
  return formatTable(rows);
}
