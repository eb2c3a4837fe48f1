import type { CommandEntry, CommandGroup } from './command.js';

/** Every command, in the order of `thermolink --help`. */
export const COMMANDS: readonly (CommandEntry | CommandGroup)[] = [
  {
    name: 'train',
    summary: 'train a classifier, a quantum state or the solution of an equation, on a board or without one',
    commands: [
      {
        name: 'mnist',
        summary: 'a convolution classifier of handwritten digits',
        load: () => import('./commands/train/mnist.js'),
      },
      {
        name: 'autoencoder',
        summary: 'a deep autoencoder of images, by squared error',
        load: () => import('./commands/train/autoencoder.js'),
      },
      {
        name: 'ising',
        summary: 'the ground state of a transverse-field Ising ring, by variational Monte Carlo',
        load: () => import('./commands/train/ising.js'),
      },
      {
        name: 'heisenberg',
        summary: 'the ground state of a Heisenberg ring, by variational Monte Carlo',
        load: () => import('./commands/train/heisenberg.js'),
      },
      {
        name: 'poisson',
        summary: 'a network that solves a Poisson equation in several dimensions',
        load: () => import('./commands/train/poisson.js'),
      },
      {
        name: 'heat',
        summary: 'a network that solves a heat equation',
        load: () => import('./commands/train/heat.js'),
      },
      {
        name: 'burgers',
        summary: 'a network that solves Burgers’ equation',
        load: () => import('./commands/train/burgers.js'),
      },
    ],
  },
  {
    name: 'evaluate',
    summary: 'test stored weights on images or on a table, class by class',
    load: () => import('./commands/evaluate/evaluate.js'),
  },
  {
    name: 'study',
    summary: 'run a study over several seeds and report which claims hold and where a digital method wins',
    commands: [
      {
        name: 'quantum',
        summary: 'ground states of spin rings: the board beside digital optimizers',
        load: () => import('./commands/study/quantum.js'),
      },
      {
        name: 'pinn',
        summary: 'equations solved by networks: the board beside digital optimizers',
        load: () => import('./commands/study/pinn.js'),
      },
      {
        name: 'linear-algebra',
        summary: 'error of inverses and solves against board time, beside Cholesky and CG',
        load: () => import('./commands/study/linear-algebra.js'),
      },
      {
        name: 'error-mitigation',
        summary: 'mean of several solves whose couplings are rounded at random',
        load: () => import('./commands/study/error-mitigation.js'),
      },
      {
        name: 'settling',
        summary: 'how long the board must run in a training step',
        load: () => import('./commands/study/settling.js'),
      },
      {
        name: 'delay',
        summary: 'the effect of a delay on training, with momentum as control',
        load: () => import('./commands/study/delay.js'),
      },
      {
        name: 'noise',
        summary: 'the effect of noise on training',
        load: () => import('./commands/study/noise.js'),
      },
      {
        name: 'precision',
        summary: 'the effect of bits and mismatch, with and without calibration and refinement',
        load: () => import('./commands/study/precision.js'),
      },
      {
        name: 'sensitivity',
        summary: 'the effect of each imperfection on the trainings of quantum and pinn',
        load: () => import('./commands/study/sensitivity.js'),
      },
      {
        name: 'runtime',
        summary: 'the time of a step of every optimizer, and a cost model of the board',
        load: () => import('./commands/study/runtime.js'),
      },
      {
        name: 'mnist',
        summary: 'the paper’s training of digits beside baselines tuned with one budget',
        load: () => import('./commands/study/mnist.js'),
      },
      {
        name: 'where-curvature-helps',
        summary: 'a map: where the board wins, ties or loses against digital methods',
        load: () => import('./commands/study/where-curvature-helps.js'),
      },
    ],
  },
  {
    name: 'farm',
    summary: 'share work over the boards of several machines, by a NATS server',
    commands: [
      {
        name: 'worker',
        summary: 'offer boards to a farm and do its jobs on them',
        load: () => import('./commands/farm/worker.js'),
      },
      {
        name: 'submit',
        summary: 'send a job to a farm: solve, study, train',
        load: () => import('./commands/farm/submit.js'),
      },
      {
        name: 'status',
        summary: 'show the boards, the queue and the results of a farm',
        load: () => import('./commands/farm/status.js'),
      },
    ],
  },
  {
    name: 'solve',
    summary: 'solve A x = b, A symmetric positive definite, on a board',
    load: () => import('./commands/solve/solve.js'),
  },
  {
    name: 'invert',
    summary: 'invert a symmetric positive definite matrix on a board, column by column',
    load: () => import('./commands/invert/invert.js'),
  },
  {
    name: 'qp',
    summary: 'solve a convex quadratic program, with its linear systems on a board',
    load: () => import('./commands/qp/qp.js'),
  },
  {
    name: 'sample',
    summary: 'draw from N(0, P⁻¹) by the noise of an undriven board',
    load: () => import('./commands/sample/sample.js'),
  },
  {
    name: 'posterior',
    summary: 'draw from the posterior of a Bayesian model by the noise of a board',
    commands: [
      {
        name: 'gaussian',
        summary: 'a Gaussian mean under a Gaussian prior',
        load: () => import('./commands/posterior/gaussian.js'),
      },
      {
        name: 'linear',
        summary: 'linear regression, with the data in the crossbar',
        load: () => import('./commands/posterior/linear.js'),
      },
      {
        name: 'logistic',
        summary: 'logistic regression, on a board whose rows have an element',
        load: () => import('./commands/posterior/logistic.js'),
      },
      {
        name: 'laplace',
        summary: 'the last layer of a trained classifier, around its weights',
        load: () => import('./commands/posterior/laplace.js'),
      },
    ],
  },
  {
    name: 'logdet',
    summary: 'compute ln det A for a symmetric positive definite A by sweeping the damping of a board',
    load: () => import('./commands/logdet/logdet.js'),
  },
  {
    name: 'lyapunov',
    summary: 'solve A X + X Aᵀ = S for a stable A; X is the covariance of a board that is not symmetric',
    load: () => import('./commands/lyapunov/lyapunov.js'),
  },
  {
    name: 'control',
    summary: 'control a linear plant: learn a gain, or plan its inputs, with a board',
    commands: [
      {
        name: 'policy',
        summary: 'learn a gain by natural policy gradient, with visited states as rows of a crossbar',
        load: () => import('./commands/control/policy.js'),
      },
      {
        name: 'mpc',
        summary: 'model-predictive control, with the rails of the board as bounds of the inputs',
        load: () => import('./commands/control/mpc.js'),
      },
    ],
  },
  {
    name: 'info',
    summary: 'show the identity, limits, state and counters of a board',
    load: () => import('./commands/info/info.js'),
  },
  {
    name: 'identify',
    summary: 'make a board show which one it is, for example by a blinking light',
    load: () => import('./commands/identify/identify.js'),
  },
  {
    name: 'characterize',
    summary: 'measure the cells, converters and couplings of a board',
    load: () => import('./commands/characterize/characterize.js'),
  },
  {
    name: 'calibrate',
    summary: 'measure a board so that solves can compensate its errors',
    load: () => import('./commands/calibrate/calibrate.js'),
  },
  {
    name: 'extract',
    summary: 'measure a board and write a profile with which the emulator imitates it',
    load: () => import('./commands/extract/extract.js'),
  },
  {
    name: 'emulate',
    summary: 'serve an emulated board over TCP or a pseudo-terminal until Ctrl-C',
    load: () => import('./commands/emulate/emulate.js'),
  },
  {
    name: 'serve',
    summary: 'share boards with several people: one drives, others wait or watch',
    load: () => import('./commands/serve/serve.js'),
  },
  {
    name: 'console',
    summary: 'share boards as `serve` does, and open the page that shows and stops them',
    load: () => import('./commands/console/console.js'),
  },
  {
    name: 'devices',
    summary: 'list the serial ports, and say of each whether it is a board and can be used',
    load: () => import('./commands/devices/devices.js'),
  },
  {
    name: 'ping',
    summary: 'measure round trips to a board',
    load: () => import('./commands/ping/ping.js'),
  },
  {
    name: 'stop',
    summary: 'put a board into the state safe at once: its outputs go off',
    load: () => import('./commands/stop/stop.js'),
  },
  {
    name: 'acknowledge',
    summary: 'clear a fault or an overload of a board, or leave safe',
    load: () => import('./commands/acknowledge/acknowledge.js'),
  },
  {
    name: 'reset',
    summary: 'restart a board and wait until it is back',
    load: () => import('./commands/reset/reset.js'),
  },
  {
    name: 'run',
    summary: 'run a program given in the units of the board once, and show the voltages of its cells',
    load: () => import('./commands/run/run.js'),
  },
  {
    name: 'selftest',
    summary: 'check a board: latched faults, a round trip, a small solve',
    load: () => import('./commands/selftest/selftest.js'),
  },
  {
    name: 'flash',
    summary: 'write firmware (UF2) to a board in BOOTSEL mode',
    load: () => import('./commands/flash/flash.js'),
  },
  {
    name: 'shell',
    summary: 'give commands to a board line by line',
    load: () => import('./commands/shell/shell.js'),
  },
  {
    name: 'bench',
    summary: 'measure the speed of this machine: link, emulated ticks, training steps, solves and recording',
    commands: [
      {
        name: 'link',
        summary: 'payload rate both ways, wire overhead and round trips of the link to a board',
        load: () => import('./commands/bench/link-command.js'),
      },
      {
        name: 'step',
        summary:
          "time of one tick of the emulated cell array, beside the limit of this machine's instructions",
        load: () => import('./commands/bench/step-command.js'),
      },
      {
        name: 'train',
        summary: 'time of the parts of a training step, with a board and without one',
        load: () => import('./commands/bench/train-command.js'),
      },
      {
        name: 'solve',
        summary: 'cost and error of solves, by size, condition and tolerance',
        load: () => import('./commands/bench/solve-command.js'),
      },
      {
        name: 'record',
        summary: 'cost of recording a session, at 1 MB/s and at the full rate',
        load: () => import('./commands/bench/record-command.js'),
      },
    ],
  },
  {
    name: 'conformance',
    summary: 'check a board against every rule of the protocol that can be seen from outside',
    load: () => import('./commands/conformance/conformance.js'),
  },
  {
    name: 'monitor',
    summary: 'show a board live, or a session while another program records it',
    load: () => import('./commands/monitor/monitor.js'),
  },
  {
    name: 'trace',
    summary: 'inspect and repair recorded sessions, and compare boards with them',
    commands: [
      {
        name: 'info',
        summary: 'summarize a recording: board, versions, seeds, messages, runs, losses',
        load: () => import('./commands/trace/info.js'),
      },
      {
        name: 'messages',
        summary: 'print the messages of a recorded session with times and sizes',
        load: () => import('./commands/trace/messages.js'),
      },
      {
        name: 'diff',
        summary: 'find the first difference of two recorded sessions',
        load: () => import('./commands/trace/diff.js'),
      },
      {
        name: 'plot',
        summary: 'draw a recorded session: runs, frames, errors, voltages over time',
        load: () => import('./commands/trace/plot.js'),
      },
      {
        name: 'export',
        summary: 'write frames for Wireshark, samples as table or array, messages as JSON',
        load: () => import('./commands/trace/export.js'),
      },
      {
        name: 'doctor',
        summary: 'say what is missing in a recorded session',
        load: () => import('./commands/trace/doctor.js'),
      },
      {
        name: 'recover',
        summary: 'write a valid file from the readable part of a damaged recording',
        load: () => import('./commands/trace/recover.js'),
      },
      {
        name: 'verify',
        summary: 'send a recorded session to a board and compare what comes back',
        load: () => import('./commands/trace/verify/verify.js'),
      },
      {
        name: 'to-test',
        summary: 'write a vitest file that replays a recorded session',
        load: () => import('./commands/trace/to-test.js'),
      },
    ],
  },
  {
    name: 'report',
    summary: 'write a zip about a board, without secrets, to attach to a bug report',
    load: () => import('./commands/report/report.js'),
  },
  {
    name: 'completion',
    summary: 'print a script that makes bash, zsh or fish complete commands, options and devices',
    // The script covers every command, so its maker gets this table.
    load: async () => ({
      command: (await import('./commands/completion/completion.js')).completionCommand(() => COMMANDS),
    }),
  },
  {
    name: 'demo',
    summary:
      'train a quantum chain and a classifier of digits, on an emulated board and without one, and compare',
    load: () => import('./commands/demo/demo.js'),
  },
];
