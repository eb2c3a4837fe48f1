import { flag, option } from './option.js';

/** The options with which a program proves to a NATS server that the program may use the server. */
export const FARM_ACCESS = {
  tokenFile: option('--token-file <file>', 'file that holds the token of the NATS server', { file: 'input' }),
  creds: option('--creds <file>', 'credentials of NATS (.creds)', { file: 'input' }),
  tlsCa: option('--tls-ca <file>', 'certificates to trust, as PEM; the URL is then tls://HOST:PORT', {
    file: 'input',
  }),
  tlsCert: option('--tls-cert <file>', 'certificate of this client, as PEM', { file: 'input' }),
  tlsKey: option('--tls-key <file>', 'key of that certificate, as PEM', { file: 'input' }),
};

/** The farm that a command works with. */
export const FARM = {
  nats: option('--nats <url>', 'NATS server of the farm', { default: 'nats://127.0.0.1:4222' }),
  ...FARM_ACCESS,
};

/** The board of a job, and whether its result is waited for. */
export const FARM_JOB = {
  model: option('--model <name>', 'model of the board (default: the smallest that is offered and fits)'),
  detach: flag('--detach', 'queue the job and end; the same command without --detach gets the result'),
};
