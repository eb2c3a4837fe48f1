import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PageFiles } from '../../src/hub/page-files.js';
import { ROOT } from '../repository/files.js';
import { isBuilt } from '../support/child-process.js';

let server: Server;
let page: PageFiles;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'thermolink-page-'));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), '<p>page</p>');
  writeFileSync(path.join(folder, 'assets/a-1.js'), 'let a;');
  writeFileSync(path.join(folder, 'notes.txt'), 'not of the page');
  page = new PageFiles(folder);
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (!page.answer(pathname, request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const ask = (place: string, method = 'GET'): Promise<Response> =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${place}`, {
    method,
    headers: { Connection: 'close' },
  });

describe('the files of the page', () => {
  it('have their content types, and forbid content of other origins', async () => {
    const answer = await ask('/');
    expect(await answer.text()).toBe('<p>page</p>');
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  it('are cached by browsers only if the name changes with the contents', async () => {
    const answer = await ask('/assets/a-1.js');
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toContain('immutable');
  });

  it.each(['/notes.txt', '/../package.json', '/assets/..%2f..%2fpackage.json', '/assets', '/%2e%2e/x'])(
    'are the only files that are served: not %s',
    async (place) => {
      expect((await ask(place)).status).toBe(404);
    },
  );

  it('are only read', async () => {
    expect((await ask('/', 'POST')).status).toBe(405);
    const head = await ask('/', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('that are not built are named', async () => {
    page = new PageFiles(path.join(folder, 'assets'));
    const answer = await ask('/');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('npm run build');
  });
});

/** Largest number of bytes of all files of the page, plain and compressed by gzip. */
const PAGE_BYTES_MAX = 115_000;
const PACKED_BYTES_MAX = 45_000;

describe.runIf(isBuilt)('the built page', () => {
  const built = path.join(ROOT, 'dist/console');
  const files = isBuilt
    ? readdirSync(built, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
    : [];

  it('is small and does not contain the schemas', () => {
    const page = Buffer.concat(files.map((file) => readFileSync(file)));
    expect(files).toHaveLength(4);
    expect(page.byteLength).toBeLessThan(PAGE_BYTES_MAX);
    expect(gzipSync(page).byteLength).toBeLessThan(PACKED_BYTES_MAX);
    expect(page.includes('ZodError')).toBe(false);
  });

  it('contains no address of another machine', () => {
    const hosts = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\b(?:https?|wss?):\/\/([\w.-]+)/g)].map(([, host]) => host),
    );
    // The namespaces of SVG and HTML are addresses that nobody fetches.
    expect([...new Set(hosts)]).toEqual(['www.w3.org']);
  });
});
