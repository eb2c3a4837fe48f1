import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import {
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nanos,
} from '@nats-io/transport-node';
import { checkObject, checkSignal, checkText } from '../argument-checks.js';
import { type Logger, SILENT_LOGGER } from '../driver/logger.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import { ConnectionSockets } from './connection-sockets.js';
import {
  ACKNOWLEDGE_MS,
  ALL_JOBS,
  type BoardClass,
  BUCKETS,
  consumerName,
  JOB_BYTES_MAX,
  JOB_STREAM,
  JOBS_AGE_MS,
  JOBS_BYTES_MAX,
  jobSubject,
} from './farm-names.js';
import { type Patience, patiently } from './patience.js';

const CONNECT_MS = 10_000;
const RECONNECT_MS = 250;
const REQUEST_MS = 5000;
/** Period of pings. A server that does not answer two pings counts as away. */
const PING_MS = 5000;
const CLOSE_MS = 3000;
/** Time between two looks at a connection that is being made. */
const LOOK_MS = 100;
/** A client that has no socket after this time will not get one. */
const GONE_MS = 1000;
/**
 * Largest number of idle boards of one class that wait for a job at the same time; the default of the server
 * is 512.
 */
const BOARDS_OF_A_CLASS_MAX = 4096;

/** Address of the NATS server of a farm, and the credentials of the program. */
export interface FarmAddress {
  /** `nats://HOST:PORT`, or `tls://HOST:PORT`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** The content of a credentials file of NATS (`.creds`). */
  readonly credentials?: string | undefined;
  /** PEM texts: the trusted authorities, and the client's certificate with its key. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string } | undefined;
}

/** Options of connecting to a farm. */
export interface ConnectFarmOptions {
  readonly signal?: AbortSignal;
  /** Default: logs nothing. */
  readonly log?: Logger;
  /** Called when the server is away, and when it is back. */
  readonly onServer?: (isThere: boolean) => void;
}

/**
 * A connection to the NATS server of a farm, with the streams and buckets that a farm has there. If the
 * server is away, it connects again, and requests wait meanwhile.
 */
export class Farm {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly boards: KV;
  readonly results: KV;
  readonly parts: KV;
  readonly givenBack: KV;
  readonly log: Logger;
  readonly #sockets: ConnectionSockets;

  constructor({
    sockets,
    ...parts
  }: Pick<
    Farm,
    'connection' | 'jetstream' | 'manager' | 'boards' | 'results' | 'parts' | 'givenBack' | 'log'
  > & { readonly sockets: ConnectionSockets }) {
    this.#sockets = sockets;
    ({
      connection: this.connection,
      jetstream: this.jetstream,
      manager: this.manager,
      boards: this.boards,
      results: this.results,
      parts: this.parts,
      givenBack: this.givenBack,
      log: this.log,
    } = parts);
  }

  /**
   * Sends a request to the server, and repeats it while the server is away. So the request must be one that
   * may be sent twice. Errors: ABORTED; CANNOT_CONNECT when the server is away for too long, or refuses the
   * client; TOO_LARGE when the server is full; errors that the server answers.
   */
  ask<T>(attempt: () => Promise<T>, patience: Patience = {}): Promise<T> {
    return patiently(attempt, {
      onOutage: (error) => this.log.warn({ error: String(error) }, 'the NATS server does not answer'),
      ...patience,
    });
  }

  /** Makes the consumer that all boards of a class share, if it is missing. Errors: those of `ask`. */
  async offerClass(boards: BoardClass, signal: AbortSignal): Promise<void> {
    await this.ask(
      () =>
        this.manager.consumers.add(JOB_STREAM, {
          durable_name: consumerName(boards),
          filter_subject: jobSubject(boards, '*'),
          ack_policy: AckPolicy.Explicit,
          ack_wait: nanos(ACKNOWLEDGE_MS),
          // The server sets no limit. The workers count deliveries, because one of them must store an error
          // as the result after the last one.
          max_deliver: -1,
          max_ack_pending: -1,
          max_waiting: BOARDS_OF_A_CLASS_MAX,
        }),
      { signal },
    );
  }

  /** Ends the connection. Never throws. */
  async close(): Promise<void> {
    await closeConnection(this.connection, this.#sockets);
  }
}

/**
 * Connects to the NATS server of a farm and makes the queue and the four buckets, all in files, if they are
 * missing. Errors: BAD_ARGUMENT; CANNOT_CONNECT; UNSUPPORTED for a server without JetStream; ABORTED.
 */
export async function connectFarm(address: FarmAddress, options: ConnectFarmOptions = {}): Promise<Farm> {
  checkObject('address', address, "{ url: 'nats://127.0.0.1:4222' }");
  checkText('address.url', address.url);
  checkObject('options', options, '{ signal: controller.signal }');
  checkSignal(options.signal);
  const { signal, log = SILENT_LOGGER, onServer } = options;
  throwIfAborted(signal);
  const sockets = new ConnectionSockets();
  const connection = await connected(address, sockets, signal);
  try {
    if (onServer !== undefined) void tellServer(connection, onServer);
    const made = await patiently(() => makeStores(connection), { signal, outageMs: CONNECT_MS });
    return new Farm({ connection, sockets, log, ...made });
  } catch (error) {
    await closeConnection(connection, sockets);
    throw withoutJetStream(error);
  }
}

/** A server that accepts a connection and says nothing ends in CANNOT_CONNECT too, and leaves no socket. */
async function connected(
  address: FarmAddress,
  sockets: ConnectionSockets,
  signal: AbortSignal | undefined,
): Promise<NatsConnection> {
  const { url } = address;
  const connecting = sockets.run(() => connect(connectionOptions(address)));
  const stop = new AbortController();
  const until = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])]);
  const late = refusalOf(sockets, until).then(
    (why) => {
      throw new Error(why);
    },
    () => throwIfAborted(signal),
  );
  try {
    return (await Promise.race([connecting, late])) as NatsConnection;
  } catch (cause) {
    // The server may have answered in this moment.
    void connecting.then((connection) => closeConnection(connection, sockets)).catch(() => undefined);
    sockets.end();
    throwIfAborted(signal);
    throw new ThermolinkError('CANNOT_CONNECT', `The NATS server ${url} cannot be reached.`, {
      cause,
      retryable: true,
      hint: 'Start `nats-server -js`, and check the address, the token, the credentials and the certificates.',
      data: { url },
    });
  } finally {
    stop.abort();
    sockets.settle();
  }
}

/**
 * The reason to stop waiting for a server. The NATS library does not notice when a server ends the connection
 * late. A server that demands a client certificate does so.
 */
async function refusalOf(sockets: ConnectionSockets, signal: AbortSignal): Promise<string> {
  let gone = 0;
  for (let waitedMs = 0; waitedMs < CONNECT_MS; waitedMs += LOOK_MS) {
    await delay(LOOK_MS, undefined, { signal });
    gone = sockets.areGone ? gone + 1 : 0;
    if (gone * LOOK_MS >= GONE_MS) return 'The server ended the connection.';
  }
  return `The server did not answer within ${CONNECT_MS / 1000} s.`;
}

async function closeConnection(connection: NatsConnection, sockets: ConnectionSockets): Promise<void> {
  const deadline = new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref());
  await Promise.race([connection.close().catch(() => undefined), deadline]);
  sockets.end();
}

function connectionOptions({ url, token, credentials, tls }: FarmAddress): NodeConnectionOptions {
  return {
    servers: url,
    name: 'thermolink',
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    pingInterval: PING_MS,
    ignoreClusterUpdates: true,
    ...(token === undefined ? {} : { token }),
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** A server that is still starting and a server without JetStream give the same answer. */
function withoutJetStream(error: unknown): unknown {
  const isNone =
    error instanceof Error && /jetstream (is )?not enabled|no responders/i.test(messagesOf(error));
  if (!isNone) return error;
  return new ThermolinkError('UNSUPPORTED', 'The NATS server has no JetStream.', {
    cause: error,
    hint: 'Start it by `nats-server -js --store_dir DIRECTORY`.',
  });
}

function messagesOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message} ${cause.message}` : message;
}

async function makeStores(connection: NatsConnection) {
  const manager = await jetstreamManager(connection, { timeout: REQUEST_MS });
  await manager.streams.add({
    name: JOB_STREAM,
    subjects: [ALL_JOBS],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: JOBS_BYTES_MAX,
    max_age: nanos(JOBS_AGE_MS),
    max_msg_size: JOB_BYTES_MAX + 4096,
  });
  const buckets = new Kvm(jetstream(connection, { timeout: REQUEST_MS }));
  const bucket = ({ name, ageMs, bytesMax }: (typeof BUCKETS)[keyof typeof BUCKETS]): Promise<KV> =>
    buckets.create(name, { history: 1, ttl: ageMs, max_bytes: bytesMax, storage: StorageType.File });
  return {
    manager,
    jetstream: jetstream(connection, { timeout: REQUEST_MS }),
    boards: await bucket(BUCKETS.boards),
    results: await bucket(BUCKETS.results),
    parts: await bucket(BUCKETS.parts),
    givenBack: await bucket(BUCKETS.givenBack),
  };
}

async function tellServer(connection: NatsConnection, tell: (isThere: boolean) => void): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type === 'disconnect') tell(false);
    if (type === 'reconnect') tell(true);
  }
}
