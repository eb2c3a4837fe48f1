import { ThermolinkError } from '../../../errors.js';
import { counted } from '../../../number-text.js';
import { recoverTrace } from '../../../traces/recover.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option, printedAs } from '../../options/option.js';

const OPTIONS = {
  out: option('--out <file>', 'the valid file (MCAP); it must not exist', {
    value: (text: string) => text,
    required: true,
    file: 'own',
    dash: printedAs('.mcap'),
  }),
  ...JSON_OUTPUT,
};

export const command = defineCommand({
  arguments: [{ name: '<file>', help: 'a damaged recording (MCAP)', file: 'input' }],
  options: OPTIONS,
  example: `
Example:
  thermolink trace recover session.mcap --out mended.mcap

The exit code is 1 if something was lost. The file is written in any case.`,
  async run(options, _name, [file]) {
    await checkFiles(OPTIONS, options, { '<file>': file });
    const { out, json } = options;
    const { messages, sessions, lost } = await recoverTrace(file, out);
    const text = `${out}: ${counted(sessions, 'session')}, ${counted(messages, 'message')}\n`;
    printReport({ json: { out, messages, sessions, lost }, text }, json === true);
    if (lost.length > 0)
      throw new ThermolinkError('BAD_FILE', `Parts of ${file} were lost: ${lost.join('; ')}.`, {
        hint: `${out} holds the rest.`,
        data: { file, out },
      });
  },
});
