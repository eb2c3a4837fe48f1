import type { Logger } from '../../../driver/logger.js';
import { ThermolinkError } from '../../../errors.js';
import { connectFarm, type Farm, type FarmAddress } from '../../../farm/index.js';
import { readInputFile } from '../../../files/input-file.js';

/** The files with which a program proves to the server of a farm that the program may use the farm. */
export interface FarmAccess {
  readonly tokenFile?: string | undefined;
  readonly creds?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

/** Reads the files that the options name. Errors: BAD_ARGUMENT, BAD_FILE. */
async function addressOf(url: string, access: FarmAccess): Promise<FarmAddress> {
  const { tokenFile, creds, tlsCa, tlsCert, tlsKey } = access;
  checkUrl(url);
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new ThermolinkError('BAD_ARGUMENT', '`tlsCert` and `tlsKey` belong together.', {
      hint: 'Give both, or neither.',
    });
  const read = async (file: string | undefined): Promise<string | undefined> =>
    file === undefined ? undefined : new TextDecoder().decode(await readInputFile(file));
  const [ca, cert, key] = [await read(tlsCa), await read(tlsCert), await read(tlsKey)];
  const usesTls = ca !== undefined || cert !== undefined || url.startsWith('tls:');
  return {
    url,
    token: (await read(tokenFile))?.trim(),
    credentials: await read(creds),
    tls: usesTls
      ? { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert, key }) }
      : undefined,
  };
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isFine = parsed !== undefined && /^(nats|tls):$/.test(parsed.protocol) && parsed.hostname !== '';
  if (isFine && parsed.username === '' && parsed.password === '') return;
  const secret = parsed !== undefined && (parsed.username !== '' || parsed.password !== '');
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    secret
      ? 'The URL of the NATS server holds a secret.'
      : `${JSON.stringify(url)} is no URL of a NATS server.`,
    {
      hint: secret
        ? 'Other users of this machine can see a command line. Put the token into a file and name it by `tokenFile`.'
        : 'For example nats://127.0.0.1:4222 or tls://nats.example:4222.',
    },
  );
}

/**
 * Connects to the farm, works, and ends the connection. It says on standard error when the server is away and
 * when it is back. Errors: those of `connectFarm` and of the work; BAD_FILE.
 */
export async function withFarm<T>(
  url: string,
  access: FarmAccess,
  { signal, log }: { readonly signal: AbortSignal; readonly log?: Logger | undefined },
  work: (farm: Farm) => Promise<T>,
): Promise<T> {
  let isThere = true;
  const onServer = (isNow: boolean): void => {
    if (isNow === isThere || signal.aborted) return;
    isThere = isNow;
    process.stderr.write(
      isNow ? 'The NATS server is back.\n' : 'The NATS server is away; waiting for it …\n',
    );
  };
  const farm = await connectFarm(await addressOf(url, access), { signal, onServer, ...(log && { log }) });
  try {
    return await work(farm);
  } finally {
    isThere = false;
    await farm.close();
  }
}
