import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';

/** Directory of the built page: beside the built program, or in `dist` if the sources themselves run. */
const FOLDERS = ['../../console', '../../dist/console'].map((place) => path.join(import.meta.dirname, place));

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The content security policy: a browser lets the page use only its own files and its own server. Inline
 * scripts and other machines are not allowed, so text from a board cannot become a program.
 */
const SECURITY_HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

/** The files of the live page, read once. */
export class PageFiles {
  readonly #files = new Map<string, PageFile>();

  constructor(folder = FOLDERS.find((place) => existsSync(path.join(place, 'index.html')))) {
    if (folder === undefined) return;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const contentType = CONTENT_TYPES[path.extname(entry.name)];
      if (!entry.isFile() || contentType === undefined) continue;
      const file = path.join(entry.parentPath, entry.name);
      const name = path.relative(folder, file).split(path.sep).join('/');
      this.#files.set(`/${name}`, { body: readFileSync(file), contentType });
    }
    const index = this.#files.get('/index.html');
    if (index) this.#files.set('/', index);
  }

  /**
   * Answers a request for the page or one of its files; returns false, without an answer, if `pathname` is
   * none of these files. Errors: none.
   */
  answer(pathname: string, request: IncomingMessage, response: ServerResponse): boolean {
    const file = this.#files.get(pathname);
    if (!file && pathname !== '/') return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
      return true;
    }
    const { body, contentType } = file ?? NOT_BUILT;
    // Names of scripts and styles change with their contents, the page's own name does not.
    const isNamedByContents = pathname.startsWith('/assets/');
    response.writeHead(file ? 200 : 503, {
      ...SECURITY_HEADERS,
      'Content-Type': contentType,
      'Content-Length': body.byteLength,
      'Cache-Control': isNamedByContents ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    return true;
  }
}

const NOT_BUILT: PageFile = {
  body: Buffer.from('The live page is not built here. Build it with `npm run build`.\n'),
  contentType: 'text/plain; charset=utf-8',
};
