#!/usr/bin/env node
import { stopBoardsOnExit } from '../driver/stop-on-exit.js';
import { endOnBrokenPipe } from './output/broken-pipe.js';
import { reportError } from './output/report-error.js';
import { main } from './program.js';

endOnBrokenPipe();
const json = process.argv.includes('--json');
// Each command listens for signals itself, because its message describes the state in which this command
// ends.
stopBoardsOnExit({ signals: false, report: (error) => reportError(error, { json }) });
process.exitCode = await main(process.argv.slice(2));
