import { ThermolinkError } from '../errors.js';
import { parseHostPort, type TcpAddress } from '../transport/tcp-port.js';
import { BadUri, readParameters, type Transport } from '../transport/transport.js';

/** The port at which a LUCIDAC listens. */
export const LUCIDAC_PORT = 5732;

/** Address of a LUCIDAC. */
export interface LucidacAddress extends TcpAddress {
  readonly kind: 'lucidac';
}

/**
 * The device URI of a LUCIDAC. A LUCIDAC does not speak the protocol of this project, so this transport opens
 * nothing. To solve with a LUCIDAC call `openLucidac`, as `thermolink solve` does.
 */
export const lucidacTransport: Transport<LucidacAddress> = {
  scheme: 'lucidac',
  form: 'lucidac://HOST[:PORT]',
  parse({ path, parameters }) {
    readParameters(parameters, {});
    const text = path.replace(/^\/\//, '').replace(/\/$/, '');
    const address = parseHostPort(text) ?? parseHostPort(`${text}:${LUCIDAC_PORT}`);
    if (!path.startsWith('//') || !address || address.port === 0)
      throw new BadUri('the URI of a LUCIDAC is lucidac://HOST or lucidac://HOST:PORT');
    return { kind: 'lucidac', ...address };
  },
  open(address) {
    return Promise.reject(
      new ThermolinkError(
        'UNSUPPORTED',
        'A LUCIDAC has no ticks, banks, noise or digests; this command needs another board.',
        {
          hint: 'A LUCIDAC works with `thermolink solve`, `info` and `ping`. A program can solve and relax with `openLucidac` of thermolink/lucidac. For everything else name an emulated board (emulator:ideal-64) or a board of this protocol.',
          data: { host: address.host, port: address.port },
        },
      ),
    );
  },
};
