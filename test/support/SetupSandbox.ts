// A copy of the set-up script in a small project of its own, on a machine whose outside tools (apt, sudo, npm, the
// compiler and its like) are stand-ins that write down how they were called.
import { spawn, type ChildProcess } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root as repository } from './program.js';

export interface Finished {
  readonly code: number | null;
  /** Both streams, as a person at a terminal reads them. */
  readonly output: string;
}

/** Facts about the machine, each a file in the folder of facts. */
export type Fact =
  | 'installed' // compiler and GStreamer are there
  | 'sudo' // sudo asks no password
  | 'apt-broken'
  | 'hold' // `npm ci` does not end before this fact is gone
  | 'broken-addon' // the native build yields something that cannot be loaded
  | `fails ${string}`; // the npm command of this name fails

/** Runs with every node of the sandbox: who we are, and addons that are text. */
const preload = `
process.getuid = () => Number(process.env.SANDBOX_UID);
require('node:module')._extensions['.node'] = require('node:module')._extensions['.js'];
`;

const shell = '#!/bin/sh\nset -u\n';
const needsInstalled = `${shell}[ -e "$SANDBOX_FACTS/installed" ]\n`;
const writeDown = (name: string) => `echo "${name} $*" >> "$SANDBOX_CALLS"\n`;

const standIns: Readonly<Record<string, string>> = {
  'pkg-config': needsInstalled,
  'g++': needsInstalled,
  make: needsInstalled,
  'gst-inspect-1.0': needsInstalled,
  curl: shell,
  openssl: shell,
  python3: shell,
  ffprobe: shell,
  chromium: shell,
  'dpkg-query': shell,
  'apt-get': `${shell}[ "$1" = --version ] && exit 0
${writeDown('apt-get')}
[ -e "$SANDBOX_FACTS/apt-broken" ] && { echo "E: no route to the archive"; exit 100; }
[ "$1" = install ] && : > "$SANDBOX_FACTS/installed"
exit 0
`,
  sudo: `${shell}[ -e "$SANDBOX_FACTS/sudo" ] || exit 1
[ "$1" = -n ] && shift
[ "$1" = true ] && exit 0
${writeDown('sudo')}
exec "$@"
`,
  npm: `${shell}
name="$1"; [ "$1" = run ] && name="$3"
${writeDown('npm')}
out=dist; last=
for word in "$@"; do [ "$last" = --outDir ] && out="$word"; last="$word"; done
if [ "$name" = ci ]; then
  rm -rf node_modules
  while [ -e "$SANDBOX_FACTS/hold" ]; do sleep 0.02; done
  mkdir -p node_modules
fi
[ "$name" = build:ts ] && mkdir -p "$out" && echo "built by run $$" > "$out/main.js"
[ "$name" = build:web ] && mkdir -p "$out" && echo "page of run $$" > "$out/index.html"
if [ -e "$SANDBOX_FACTS/fails $name" ]; then
  i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo "line $i of a long story"; done
  echo "the reason why $name cannot work" >&2
  exit 2
fi
if [ "$name" = build:native ]; then
  mkdir -p native/build/Release
  text="exports.notify = () => true;"
  [ -e "$SANDBOX_FACTS/broken-addon" ] && text="throw new Error('undefined symbol: napi_of_tomorrow');"
  echo "$text" > native/build/Release/obscura_system.node
fi
exit 0
`,
};

export class SetupSandbox {
  readonly #folder = mkdtempSync(join(tmpdir(), 'obscura-setup-'));
  readonly #running = new Set<ChildProcess>();
  /** 0 is root. */
  uid = 0;

  constructor(...facts: Fact[]) {
    cpSync(join(repository, 'scripts'), this.path('scripts'), { recursive: true });
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
      this.write(name, '{}');
    this.write('src/main.ts', 'export {};');
    this.write('native/binding.gyp', '{}');
    this.write('../preload.cjs', preload);
    mkdirSync(join(this.#folder, 'facts'));
    this.write('../calls', '');
    for (const [name, text] of Object.entries(standIns)) {
      this.write(`../bin/${name}`, text);
      chmodSync(this.path(`../bin/${name}`), 0o755);
    }
    facts.forEach((fact) => this.establish(fact));
  }

  path(name: string): string {
    return join(this.#folder, 'project', name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  append(name: string, text: string): void {
    appendFileSync(this.path(name), text);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true, force: true });
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  establish(fact: Fact): void {
    writeFileSync(join(this.#folder, 'facts', fact), '');
  }

  lift(fact: Fact): void {
    rmSync(join(this.#folder, 'facts', fact), { force: true });
  }

  /** What was called since the last time somebody asked. */
  takeCalls(): string[] {
    const calls = this.calls();
    this.write('../calls', '');
    return calls;
  }

  calls(): string[] {
    return this.read('../calls').split('\n').slice(0, -1);
  }

  /** Starts the set-up in a process group of its own, as a terminal does. */
  start(options: { args?: readonly string[]; environment?: Readonly<Record<string, string>> } = {}): Run {
    const child = spawn(process.execPath, [this.path('scripts/setup.cjs'), ...(options.args ?? [])], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: `${join(this.#folder, 'bin')}:/usr/bin:/bin`,
        NODE_OPTIONS: `--require ${this.path('../preload.cjs')}`,
        SANDBOX_UID: String(this.uid),
        SANDBOX_FACTS: join(this.#folder, 'facts'),
        SANDBOX_CALLS: join(this.#folder, 'calls'),
        ...options.environment,
      },
    });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return new Run(child);
  }

  run(...args: string[]): Promise<Finished> {
    return this.start({ args }).finished;
  }

  async close(): Promise<void> {
    await Promise.all(
      [...this.#running].map(
        (child) =>
          new Promise((done) => {
            child.once('close', done);
            killGroup(child);
          }),
      ),
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** One set-up under way. */
export class Run {
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    const collect = (chunk: Buffer) => (this.#output += chunk.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.finished = new Promise((done) => {
      child.once('close', (code) => done({ code, output: this.#output }));
    });
  }

  get output(): string {
    return this.#output;
  }

  /** As a power cut would end it, with everything it started. */
  kill(): void {
    killGroup(this.#child);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}
