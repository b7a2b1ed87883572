// Builds the web page of src/web into dist/web, with every file compressed once and for all beside it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const compressible = /\.(?:html|js|css|svg|json)$/;

/** The server sends these as they are, and never spends time on compressing. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    writeBundle: ({ dir = '' }) => {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        if (!compressible.test(name)) continue;
        const file = join(dir, name);
        const bytes = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(bytes));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
}

/** Bundled into the page, though nothing of them is installed beside the server. */
const bundled: ReadonlySet<string> = new Set(['svelte', 'uplot', 'hls.js']);

/** What is part of the product, for its page about itself: `import('virtual:licences')`. */
function licences(): Plugin {
  const name = 'virtual:licences';
  return {
    name: 'licences',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load: (id) => {
      if (id !== `\0${name}`) return undefined;
      const { packages } = JSON.parse(
        readFileSync(resolve(import.meta.dirname, '../../package-lock.json'), 'utf8'),
      ) as { readonly packages: Readonly<Record<string, Locked>> };
      const parts = Object.entries(packages)
        .map(([path, locked]) => ({ name: path.split('node_modules/').at(-1) ?? '', ...locked }))
        .filter((each) => each.name !== '' && (each.dev !== true || bundled.has(each.name)))
        .map(({ name: part, version, license = '?' }) => ({ name: part, version, license }));
      const once = new Map(parts.map((part) => [`${part.name} ${part.version}`, part]));
      const sorted = [...once.values()].sort((a, b) => a.name.localeCompare(b.name));
      return `export const licences = ${JSON.stringify(sorted)};`;
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  plugins: [svelte({ configFile: false }), licences(), precompressed()],
  build: {
    outDir: resolve(import.meta.dirname, '../../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // The first that know light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Data in the markup would need a looser Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  logLevel: 'warn',
  // `npm run dev:web` shows the page of the sources with the server that runs here.
  server: {
    proxy: { '^/(api|snapshot|files|download|camera\\.jpeg)': { target: 'http://127.0.0.1:8080', ws: true } },
  },
});
