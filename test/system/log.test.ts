import { beforeEach, describe, expect, it } from 'vitest';
import { openLog, type ServerLog } from '../../src/system/log.js';
import { withoutCredentials } from '../../src/system/redact.js';

let written: string;
let log: ServerLog;
beforeEach(() => {
  written = '';
  log = openLog({ write: (line) => void (written += line) });
});

const messages = (query: Parameters<ServerLog['recent']['find']>[0] = {}): string[] =>
  log.recent.find(query).map(({ message }) => message);

it('writes lines of JSON from its level on, and keeps them for people', () => {
  const part = log.logger.child({ part: 'media' });
  part.debug('too much');
  part.warn({ key: 'rtspPort' }, 'careful');
  expect(JSON.parse(written)).toMatchObject({ level: 40, part: 'media', msg: 'careful' });
  expect(log.recent.find({})).toEqual([
    {
      ...{ level: 'warn', message: 'careful', time: expect.any(Number) as number },
      details: { part: 'media', key: 'rtspPort' },
    },
  ]);
});

it('changes its level at run time, also for the loggers of parts that were made before', () => {
  const part = log.logger.child({ part: 'media' });
  log.logger.level = 'debug';
  part.debug('now');
  part.trace('not yet');
  log.logger.level = 'error';
  part.warn('no more');
  expect(messages()).toEqual(['now']);
});

describe('what is kept', () => {
  it('is found by level, time, words and number, the newest of them', () => {
    for (const word of ['one', 'two', 'three']) log.logger.info(word);
    log.logger.error({ time: 1 }, 'bad');
    expect(messages({ level: 'warn' })).toEqual(['bad']);
    expect(messages({ limit: 2 })).toEqual(['three', 'bad']);
    expect(messages({ contains: 'tw' })).toEqual(['two']);
    expect(messages({ since: Date.now() + 60_000 })).toEqual([]);
  });

  it('is the last two thousand lines, and of each no more than fits', () => {
    for (let count = 0; count < 2100; count += 1) log.logger.info(String(count));
    log.logger.info('x'.repeat(20_000));
    const all = log.recent.find({});
    expect(all).toHaveLength(2000);
    expect(all[0]?.message).toBe('101');
    expect(all.at(-1)?.message.length).toBe(8192);
    expect(all.at(-1)).toMatchObject({ level: 'info', details: { cut: true } });
    expect(all.at(-1)?.time).toBeGreaterThan(0);
  });
});

describe('a secret never stands in it', () => {
  const secret = 'Very-Secret-17';
  const lines: readonly (readonly [object, string])[] = [
    [{ password: secret }, ''],
    [{ req: { headers: { authorization: `Basic ${secret}`, cookie: `session=${secret}` } } }, ''],
    [{ nested: { credential: secret, token: secret } }, ''],
    [{ err: new Error(`cannot open rtsp://ann:${secret}@192.0.2.1/`) }, ''],
    [{}, `GET /image?token=${secret}&width=3`],
    [{}, `Authorization: Bearer ${secret}`],
    [{}, `rtspsrc user-id=ann user-pw=${secret} ! fakesink`],
    [{}, `by the token obs_0123456789ab_${'0123456789abcdef'.repeat(4)}`],
  ];
  it.each(lines)('%#', (details, message) => {
    log.logger.warn(details, message);
    for (const text of [written, JSON.stringify(log.recent.find({}))]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain('0123456789abcdef01');
      expect(text).toContain('***');
    }
  });

  it('and what is none stays as it was', () => {
    const line = '{"msg":"The password of ann was changed; tokens: 3","url":"rtsp://192.0.2.1/a@b"}';
    expect(withoutCredentials(line)).toBe(line);
  });
});
