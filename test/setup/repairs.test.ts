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

it('the web page is part of the build, and built again when it was deleted', async () => {
  sandbox = new SetupSandbox('installed');
  sandbox.write('src/web/index.html', '<!doctype html>');
  await sandbox.run();
  expect(sandbox.has('dist/web/index.html')).toBe(true);
  sandbox.takeCalls();
  expect((await sandbox.run()).output).toBe('');
  sandbox.remove('dist/web');
  expect((await sandbox.run()).code).toBe(0);
  expect(sandbox.has('dist/web/index.html')).toBe(true);
});

it('a page that cannot be built leaves the last good build in its place', async () => {
  sandbox = new SetupSandbox('installed');
  sandbox.write('src/web/index.html', '<!doctype html>');
  await sandbox.run();
  const good = sandbox.read('dist/web/index.html');
  sandbox.append('src/web/index.html', 'broken');
  sandbox.establish('fails build:web');
  expect((await sandbox.run()).code).toBe(1);
  expect(sandbox.read('dist/web/index.html')).toBe(good);
});
