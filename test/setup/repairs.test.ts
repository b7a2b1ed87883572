import { afterEach, expect, it } from 'vitest';
import { SetupSandbox } from '../support/SetupSandbox.js';

let sandbox: SetupSandbox;
afterEach(() => sandbox.close());

it('a build that fails leaves the last good one in its place', async () => {
  sandbox = new SetupSandbox('installed');
  await sandbox.run();
  const good = sandbox.read('dist/main.js');
  sandbox.append('src/main.ts', 'broken');
  sandbox.establish('fails build:ts');
  expect((await sandbox.run()).code).toBe(1);
  expect(sandbox.read('dist/main.js')).toBe(good);
});

it('a failed addon does not cost a second installation of the packages', async () => {
  sandbox = new SetupSandbox('installed', 'fails build:native');
  await sandbox.run();
  sandbox.lift('fails build:native');
  sandbox.takeCalls();
  expect((await sandbox.run()).code).toBe(0);
  expect(sandbox.calls().map((call) => call.split(' -- ')[0])).toEqual([
    'npm run --silent build:native',
    'npm run --silent build:ts',
  ]);
});

it('an addon that was deleted is built again', async () => {
  sandbox = new SetupSandbox('installed');
  await sandbox.run();
  sandbox.remove('native/build');
  expect((await sandbox.run()).code).toBe(0);
  expect(sandbox.has('native/build/Release/obscura_system.node')).toBe(true);
});

it('a lock left empty by a crash blocks nobody', async () => {
  sandbox = new SetupSandbox('installed');
  sandbox.write('.cache/setup.lock', '');
  expect((await sandbox.run()).code).toBe(0);
}, 5000);
