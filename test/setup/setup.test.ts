import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Fact, SetupSandbox } from '../support/SetupSandbox.js';

let machine: SetupSandbox | undefined;

function onMachine(...facts: Fact[]): SetupSandbox {
  machine = new SetupSandbox(...facts);
  return machine;
}

afterEach(async () => {
  await machine?.close();
  machine = undefined;
});

const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 15_000, interval: 20 });

const npmOf = (calls: readonly string[]) =>
  calls.filter((call) => call.startsWith('npm ')).map((call) => call.split(' -- ')[0]?.trim());

const everyStep = ['npm ci', 'npm run --silent build:native', 'npm run --silent build:ts'];

describe('the first start', () => {
  it('installs what Debian lacks, then the packages, the addon and the build, and says so in a line each', async () => {
    const sandbox = onMachine();
    const { code, output } = await sandbox.run();
    expect(code, output).toBe(0);
    const calls = sandbox.calls();
    expect(calls[0]).toBe('apt-get update -qq');
    expect(calls[1]).toMatch(/^apt-get install -y --no-install-recommends .*libgstreamer1\.0-dev/);
    expect(npmOf(calls)).toEqual(everyStep);
    for (const title of ['npm packages', 'native addon', 'TypeScript'])
      expect(output).toMatch(new RegExp(`^.*${title} \\.\\.\\. ok \\(\\d+\\.\\d s\\)$`, 'm'));
    expect(sandbox.has('dist/main.js')).toBe(true);
  });

  it('leaves apt alone where nothing is missing', async () => {
    const sandbox = onMachine('installed');
    expect((await sandbox.run()).code).toBe(0);
    expect(sandbox.calls().filter((call) => call.startsWith('apt-get'))).toEqual([]);
  });

  it('uses sudo where it needs no password', async () => {
    const sandbox = onMachine('sudo');
    sandbox.uid = 1000;
    expect((await sandbox.run()).code).toBe(0);
    expect(sandbox.calls().filter((call) => call.startsWith('sudo ')).length).toBeGreaterThan(0);
    expect(npmOf(sandbox.calls())).toEqual(everyStep);
  });

  it('without root and sudo prints the exact line for apt and goes on without video', async () => {
    const sandbox = onMachine();
    sandbox.uid = 1000;
    const { code, output } = await sandbox.run();
    expect(code, output).toBe(0);
    expect(output).toMatch(
      /^ +sudo apt-get install -y --no-install-recommends build-essential .*glib-networking$/m,
    );
    expect(output).toMatch(/no video|without video/);
    expect(sandbox.calls().filter((call) => /^(apt-get|sudo)/.test(call))).toEqual([]);
    expect(sandbox.calls()).toContain('npm ci --ignore-scripts');
    expect(sandbox.has('dist/main.js')).toBe(true);
  });

  it('does not touch apt against OBSCURA_NO_APT, even as root', async () => {
    const sandbox = onMachine();
    const { code, output } = await sandbox.start({ environment: { OBSCURA_NO_APT: '1' } }).finished;
    expect(code, output).toBe(0);
    expect(output).toContain('sudo apt-get install');
    expect(sandbox.calls().filter((call) => call.startsWith('apt-get'))).toEqual([]);
  });

  it('survives an apt that cannot reach its archive', async () => {
    const sandbox = onMachine('apt-broken');
    const { code, output } = await sandbox.run();
    expect(code, output).toBe(0);
    expect(output).toContain('FAILED');
    expect(sandbox.has('dist/main.js')).toBe(true);
  });
});

describe('a later start', () => {
  it('has nothing to do and nothing to say', async () => {
    const sandbox = onMachine('installed');
    await sandbox.run();
    sandbox.takeCalls();
    expect(await sandbox.run()).toEqual({ code: 0, output: '' });
    expect(sandbox.calls()).toEqual([]);
  });

  it('only compiles after a change of the source', async () => {
    const sandbox = onMachine('installed');
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.append('src/main.ts', '// changed\n');
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls())).toEqual(['npm run --silent build:ts']);
  });

  it('only builds the addon after a change of the addon', async () => {
    const sandbox = onMachine('installed');
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.write('native/system.cc', '// changed\n');
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls())).toEqual(['npm run --silent build:native']);
  });

  it('installs again after a change of the locked packages', async () => {
    const sandbox = onMachine('installed');
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.write('package-lock.json', '{"changed":true}');
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls())[0]).toBe('npm ci');
  });

  it('asks Debian again where an update wants more of it, and leaves the npm packages alone', async () => {
    const sandbox = onMachine();
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.append('scripts/setup/debian.cjs', "packages.push('gstreamer1.0-extra');\n");
    sandbox.lift('installed');
    expect((await sandbox.run()).code).toBe(0);
    const calls = sandbox.calls();
    expect(calls.some((call) => call.includes('gstreamer1.0-extra'))).toBe(true);
    expect(npmOf(calls)).toEqual([]);
    sandbox.takeCalls();
    expect((await sandbox.run()).output).toBe('');
    expect(sandbox.calls()).toEqual([]);
  });

  it('builds again what somebody deleted', async () => {
    const sandbox = onMachine('installed');
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.remove('dist');
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls())).toEqual(['npm run --silent build:ts']);
    sandbox.remove('node_modules');
    sandbox.takeCalls();
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls())[0]).toBe('npm ci');
  });

  it('gets video as soon as the packages are there', async () => {
    const sandbox = onMachine();
    sandbox.uid = 1000;
    await sandbox.run();
    sandbox.takeCalls();
    sandbox.establish('installed');
    expect((await sandbox.run()).code).toBe(0);
    expect(npmOf(sandbox.calls()).slice(0, 2)).toEqual(everyStep.slice(0, 2));
  });
});

describe('a step that fails', () => {
  it.each(['ci', 'build:native', 'build:ts'])(
    'ends the start with the last words of %s, and the next start tries again',
    async (name) => {
      const sandbox = onMachine('installed', `fails ${name}`);
      const { code, output } = await sandbox.run();
      expect(code).toBe(1);
      expect(output).toContain(`the reason why ${name} cannot work`);
      expect(output).toContain('line 40 of');
      expect(output).not.toContain('line 1 of');
      expect(sandbox.read('.cache/setup.log')).toContain('line 1 of');

      sandbox.lift(`fails ${name}`);
      sandbox.takeCalls();
      expect((await sandbox.run()).code).toBe(0);
      expect(npmOf(sandbox.calls())).toContain(name === 'ci' ? 'npm ci' : `npm run --silent ${name}`);
      expect((await sandbox.run()).output).toBe('');
    },
  );

  it('includes an addon that was built and cannot be loaded', async () => {
    const sandbox = onMachine('installed', 'broken-addon');
    const { code, output } = await sandbox.run();
    expect(code).toBe(1);
    expect(output).toContain('napi_of_tomorrow');
    sandbox.lift('broken-addon');
    expect((await sandbox.run()).code).toBe(0);
  });
});

describe('two starts at once', () => {
  it('run every step once; the second waits and finds everything done', async () => {
    const sandbox = onMachine('installed', 'hold');
    const first = sandbox.start();
    await until(() => sandbox.calls().includes('npm ci'));
    const second = sandbox.start();
    await until(() => second.output.includes('waiting'));
    sandbox.lift('hold');
    expect((await first.finished).code).toBe(0);
    expect((await second.finished).code).toBe(0);
    expect(npmOf(sandbox.calls())).toEqual(everyStep);
  });

  it('do not wait for one that was killed', async () => {
    const sandbox = onMachine('installed', 'hold');
    const killed = sandbox.start();
    await until(() => sandbox.calls().includes('npm ci'));
    killed.kill();
    await killed.finished;
    sandbox.lift('hold');
    sandbox.takeCalls();
    const { code, output } = await sandbox.run();
    expect(code, output).toBe(0);
    expect(npmOf(sandbox.calls())).toEqual(everyStep);
  });
});
