import { ThermolinkError } from '../../../errors.js';
import { counted, formatBytes } from '../../../number-text.js';
import { examineTrace, type TraceHealth } from '../../../traces/doctor.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { formatTable } from '../../output/table.js';

export const command = defineCommand({
  arguments: [{ name: '<file>', help: 'a recorded session (MCAP)', file: 'input' }],
  options: { ...JSON_OUTPUT },
  example: `
Example:
  thermolink trace doctor session.mcap

The exit code is 1 if something was lost. \`thermolink trace recover\` writes a valid file from the readable part.`,
  async run({ json }, _name, [file]) {
    const health = await examineTrace(file);
    const isJson = json === true;
    printReport({ json: health, text: healthText(health) }, isJson);
    if (health.lost.length > 0)
      throw new ThermolinkError('BAD_FILE', `${file} lacks something: ${health.lost.join('; ')}.`, {
        hint: 'Write a file from the readable part by `thermolink trace recover`.',
        data: { file },
      });
  },
});

function healthText({ messages, sessions, bytes, link, lost }: TraceHealth): string {
  const rows = [
    ['file', formatBytes(bytes)],
    ['sessions, messages', `${counted(sessions, 'session')}, ${counted(messages, 'message')}`],
    ['frames, retransmissions', `${link.framesReceived}, ${link.retransmissions}`],
    ['damaged frames, of another session', `${link.framesFaulty}, ${link.framesForeign}`],
    ['sample frames lost on the line', String(link.sampleFramesLost)],
    ...(lost.length === 0 ? [['missing', 'nothing']] : lost.map((what) => ['missing', what])),
  ];
  return formatTable(rows);
}
