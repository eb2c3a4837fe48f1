import { ThermolinkError } from '../errors.js';
import { parseHostPort, type TcpAddress } from '../transport/tcp-port.js';
import { BadUri, readParameters, type Transport } from '../transport/transport.js';

/** The port at which a LUCIDAC listens. */
export const LUCIDAC_PORT = 5732;

/** Where a LUCIDAC is. */
export interface LucidacAddress extends TcpAddress {
  readonly kind: 'lucidac';
}

/**
 * The device URI of a LUCIDAC. It is no device of this project's protocol, so nothing can be opened by it:
 * who wants to solve with it calls `openLucidac`, as `thermolink solve` does.
 */
export const lucidacTransport: Transport<LucidacAddress> = {
  scheme: 'lucidac',
  form: 'lucidac://HOST[:PORT]',
  parse({ path, parameters }) {
    readParameters(parameters, {});
    const text = path.replace(/^\/\//, '').replace(/\/$/, '');
    const address = parseHostPort(text) ?? parseHostPort(`${text}:${LUCIDAC_PORT}`);
    if (!path.startsWith('//') || !address || address.port === 0)
      throw new BadUri('a LUCIDAC is written lucidac://HOST or lucidac://HOST:PORT');
    return { kind: 'lucidac', ...address };
  },
  open(address) {
    return Promise.reject(
      new ThermolinkError(
        'UNSUPPORTED',
        'A LUCIDAC has no ticks, banks, noise or digests, so this needs another board.',
        {
          hint: 'With a LUCIDAC work `thermolink solve`, `info` and `ping`, and in a program `openLucidac` of thermolink/lucidac, which solves and relaxes. For everything else name an emulated board (emulator:ideal-64) or a board of this protocol.',
          data: { host: address.host, port: address.port },
        },
      ),
    );
  },
};
