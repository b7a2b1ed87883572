import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, type CliOptions, type CliResult } from '../support/cli.js';
import { program, root } from '../support/program.js';
import { adminPassword, peoplePassword, runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await runningServer({ people: true });
  folder = await mkdtemp(join(tmpdir(), 'obscura-cli-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

function as(username: string): (words: string, options?: CliOptions) => Promise<CliResult> {
  const environment = {
    OBSCURA_URL: server.url,
    OBSCURA_USER: username,
    OBSCURA_PASSWORD: username === 'admin' ? adminPassword : peoplePassword,
    XDG_CONFIG_HOME: folder,
  };
  return (words, options) => cli(words.split(' '), environment, options);
}

const admin = (words: string, options?: CliOptions): Promise<CliResult> => as('admin')(words, options);
const viewer = (words: string): Promise<CliResult> => as('viewer')(words);

describe('get and set', () => {
  it('show one value bare, several as pairs, and all about them as JSON', async () => {
    expect(await admin('get streamBitrate')).toEqual({ exitCode: 0, out: '8000000\n', err: '' });
    expect((await admin('get hue gamma')).out).toBe('hue=0\ngamma=100\n');
    const { out } = await admin('--json get streamB*');
    expect(JSON.parse(out)).toMatchObject({
      streamBitrate: { value: 8_000_000, status: 'applied', unit: 'bit/s' },
    });
  });

  it('read values by the type of the setting, several in one transaction', async () => {
    expect(await admin('set streamBitrate=4000000 rtspsEnabled=on timezone=Europe/Berlin')).toMatchObject({
      exitCode: 0,
    });
    expect(server.store.get('streamBitrate')).toBe(4_000_000);
    expect(server.store.get('rtspsEnabled')).toBe(true);
    const layout = join(folder, 'layout.json');
    await writeFile(layout, JSON.stringify({ ...server.store.get('pipLayout'), pipScale: 0.5 }));
    await admin(
      `set pipLayout=@${layout} stream2:=${JSON.stringify({ ...server.store.get('stream2'), bitrate: 900_000 })}`,
    );
    expect(server.store.get('pipLayout').pipScale).toBe(0.5);
    expect(server.store.get('stream2').bitrate).toBe(900_000);
    expect((await admin('set streamBitrate=4000000')).err).toBe('streamBitrate: unchanged\n');
  });

  it('say beforehand what would follow', async () => {
    const { out } = await admin('set --dry-run rtspPort=9554');
    expect(out).toContain('New players connect to the new port');
    expect(server.store.get('rtspPort')).toBe(8554);
  });
});

describe('the exit code', () => {
  it.each([
    ['of what is done', 'get hue', 0, ''],
    ['of a wrong command', 'fly', 2, "unknown command 'fly'"],
    ['of an assignment that is none', 'set hue', 2, '"hue" is not of the form key=value'],
    [
      'of an unknown key',
      'set streamBitrat=1',
      3,
      'There is no setting named streamBitrat; did you mean streamBitrate?',
    ],
    ['of an unknown key asked for', 'get streamBitrat', 3, 'did you mean streamBitrate?'],
    ['of a refused value', 'set hue=900', 5, 'Value must be between -180 and 180'],
    ['of a value that is not JSON', 'set pipLayout={', 5, 'is not JSON'],
    ['of a conflict', 'set --if-revision 0 streamBitrate=4100000', 6, 'changed at revision'],
    [
      'of something that cannot be done',
      'set takePicture=true',
      7,
      'takePicture is not available on this server',
    ],
    ['of waiting in vain', 'wait --for hue=7 --timeout 0.05', 8, 'Not within 0.05 seconds'],
    ['of a server that is not there', '--url http://127.0.0.1:1 get hue', 69, 'ECONNREFUSED'],
  ])('%s', async (_what, words, exitCode, text) => {
    const result = await admin(words);
    expect(result).toMatchObject({ exitCode });
    expect(result.err).toContain(text);
  });

  it('of what one may not do is 4, whoever one is', async () => {
    expect(await viewer('set hue=1')).toMatchObject({ exitCode: 4, err: 'You may not change hue\n' });
    const wrong = { OBSCURA_URL: server.url, OBSCURA_TOKEN: 'nonsense', XDG_CONFIG_HOME: folder };
    expect(await cli(['get', 'hue'], wrong)).toMatchObject({ exitCode: 4 });
  });

  it('comes with a machine-readable error where JSON is asked for', async () => {
    const { err, out } = await admin('--json set hue=900');
    expect(JSON.parse(err)).toEqual({
      error: { code: 'invalid', key: 'hue', message: 'Value must be between -180 and 180' },
    });
    expect(out).toBe('');
  });
});

describe('watch and wait', () => {
  it('follow changes as lines of JSON until the count is reached', async () => {
    const state = { done: false };
    const watching = admin('--json watch sharpness --count 2 --changes-only').finally(() => {
      state.done = true;
    });
    // Nothing tells from outside that the watch has begun, so values change until it has seen two of them.
    const isDone = (): boolean => state.done;
    for (let value = 1; !isDone(); value = (value % 90) + 1) await admin(`set sharpness=${String(value)}`);
    const lines = (await watching).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ set: { sharpness: expect.any(Number) as number }, by: 'admin' });
  });

  it('end with a condition on a member as soon as it holds', async () => {
    const waiting = admin('wait --for streamStats.clientCount>=1 --timeout 10');
    server.store.write({ streamStats: { ...server.store.get('streamStats'), clientCount: 2 } });
    expect(await waiting).toMatchObject({ exitCode: 0 });
  });

  it('end with 130 when interrupted', async () => {
    const interrupt = new AbortController();
    const watching = admin('watch hue', { signal: interrupt.signal, onOutput: () => interrupt.abort() });
    expect(await watching).toMatchObject({ exitCode: 130 });
  });
});

describe('export, diff and apply', () => {
  it('go round: what was exported makes no difference, what was edited does', async () => {
    const { out } = await admin('export');
    expect(out).not.toMatch(/credentials|userPasswords/);
    const file = join(folder, 'all.yaml');
    await writeFile(file, out);
    expect(await admin(`diff -f ${file}`)).toMatchObject({ exitCode: 0, out: '' });
    expect(await admin(`apply -f ${file}`)).toMatchObject({ exitCode: 0, err: 'unchanged\n' });
    const part = 'streamFramerate: 25\nvideoRotation: 90\n';
    expect(await admin('diff -f -', { input: part })).toMatchObject({
      exitCode: 1,
      out: '- streamFramerate: 60\n+ streamFramerate: 25\n- videoRotation: 0\n+ videoRotation: 90\n',
    });
    expect(await admin('apply -f -', { input: part })).toMatchObject({ exitCode: 0 });
    expect(server.store.get('videoRotation')).toBe(90);
    expect(await admin('apply -f -', { input: 'videoRotation: 45' })).toMatchObject({ exitCode: 5 });
  });
});

describe('management', () => {
  it('makes, shows, compares, applies and deletes presets', async () => {
    await admin('set lightIntensity=30');
    expect(await admin('preset save night lightIntensity gain')).toMatchObject({ exitCode: 0 });
    expect((await admin('preset list')).out).toContain('night\tadmin\tlightIntensity,gain');
    await admin('set lightIntensity=90');
    expect(await admin('preset diff night')).toMatchObject({
      exitCode: 1,
      out: 'lightIntensity: 90 -> 30\n',
    });
    expect(await admin('preset apply night')).toMatchObject({ exitCode: 0 });
    expect(server.store.get('lightIntensity')).toBe(30);
    expect(await admin('preset delete night')).toMatchObject({ exitCode: 0 });
    expect(await admin('preset apply night')).toMatchObject({ exitCode: 3 });
  });

  it('makes accounts, roles and tokens that work', async () => {
    expect(await admin('role set painter Device_r,Device_rw')).toMatchObject({ exitCode: 0 });
    expect(await admin('user add paula --role painter', { input: 'Brush-and-colour-4\n' })).toMatchObject({
      exitCode: 0,
    });
    const paula = { OBSCURA_URL: server.url, OBSCURA_USER: 'paula', OBSCURA_PASSWORD: 'Brush-and-colour-4' };
    expect(await cli(['set', 'hue=5'], paula)).toMatchObject({ exitCode: 0 });
    expect((await admin('user list')).out).toContain('paula\tpainter');
    const { out: token } = await cli(
      ['token', 'create', 'reader', '--permissions', 'Device_r', '--days', '1'],
      paula,
    );
    const bearer = { OBSCURA_URL: server.url, OBSCURA_TOKEN: token.trim() };
    expect(await cli(['get', 'hue'], bearer)).toMatchObject({ exitCode: 0, out: '5\n' });
    expect(await cli(['set', 'hue=6'], bearer)).toMatchObject({ exitCode: 4 });
    expect(await admin('user add paula', { input: 'Brush-and-colour-4' })).toMatchObject({ exitCode: 6 });
    expect(await admin('user delete paula')).toMatchObject({ exitCode: 0 });
    expect(await cli(['get', 'hue'], bearer)).toMatchObject({ exitCode: 4 });
  });

  it('tells who did what, by user and by key, and undoes', async () => {
    await admin('set gain=21');
    await viewer('set gain=22');
    const { out } = await admin('log --audit --key gain --limit 2');
    expect(out.split('\n')[0]).toMatch(/admin \(ws|cli\) done: gain: \d+ -> 21/);
    expect(out.split('\n')[1]).toMatch(/viewer .* refused: You may not change gain \[gain\]/);
    expect((await admin('log --audit --user viewer --limit 1')).out).toContain('refused');
    expect(await admin('undo')).toMatchObject({ exitCode: 0 });
    expect(server.store.get('gain')).not.toBe(21);
  });
});

describe('login', () => {
  it('keeps a token of its own, readable by its owner alone, and logout ends it', async () => {
    const environment = { XDG_CONFIG_HOME: folder, OBSCURA_URL: server.url };
    expect(await cli(['login', '--user', 'operator'], environment, { input: peoplePassword })).toMatchObject({
      exitCode: 0,
    });
    const file = join(folder, 'obscura', 'contexts.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(peoplePassword);
    expect(await cli(['get', 'currentUser'], environment)).toMatchObject({ out: 'operator\n' });
    expect(await cli(['logout'], environment)).toMatchObject({ exitCode: 0 });
    expect(await cli(['get', 'hue'], environment)).toMatchObject({ exitCode: 3 });
    expect(Object.values(server.store.get('apiTokens')).some(({ username }) => username === 'operator')).toBe(
      false,
    );
  });

  it('over HTTPS trusts the certificate it saw, and no other from then on', async () => {
    const secure = `https://127.0.0.1:${String(server.httpsPort)}`;
    const environment = { XDG_CONFIG_HOME: folder, OBSCURA_URL: secure };
    const { err, exitCode } = await cli(['login', '--user', 'operator'], environment, {
      input: peoplePassword,
    });
    expect(exitCode).toBe(0);
    expect(err).toContain(server.store.get('tlsCertificate').fingerprint);
    expect(await cli(['get', 'currentUser'], environment)).toMatchObject({ out: 'operator\n' });
    const other = await runningServer();
    try {
      const moved = { ...environment, OBSCURA_URL: `https://127.0.0.1:${String(other.httpsPort)}` };
      expect(await cli(['get', 'hue'], moved)).toMatchObject({ exitCode: 69 });
    } finally {
      await other.stop();
    }
  });
});

it('doctor finds the server and says what is missing', async () => {
  const { out } = await admin('--json doctor');
  const findings = JSON.parse(out) as { name: string; ok: boolean }[];
  expect(findings.find(({ name }) => name.startsWith('server'))).toMatchObject({ ok: true, detail: 'ready' });
  expect(findings.find(({ name }) => name === 'Node.js')).toMatchObject({ ok: true });
});

it('completion knows the commands and the settings', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await admin(`completion ${shell}`);
    expect(out).toContain('streamBitrate');
    expect(out).toContain('describe');
  }
  expect(await admin('completion tcsh')).toMatchObject({ exitCode: 2 });
});

it('is a program that ends quietly when nobody reads on', async () => {
  const script = `${process.execPath} ${program('src/cli/main.ts').join(' ')} describe | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: root,
    env: { ...process.env, OBSCURA_URL: server.url, OBSCURA_USER: 'admin', OBSCURA_PASSWORD: adminPassword },
  });
  expect(stdout.trim().split('\n')).toHaveLength(2);
  expect(stdout).toMatch(/\n0\n$/);
});
