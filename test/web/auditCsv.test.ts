import { expect, it } from 'vitest';
import { auditCsv } from '../../src/web/log/auditCsv.js';

const at = Date.parse('2026-01-02T03:04:05.000Z');
const head = 'time,who,via,from,outcome,setting,old,new,text';

it('has a line for each setting, with what a spreadsheet would trip over quoted', () => {
  const text = auditCsv([
    {
      ...{ seq: 2, at, by: 'anna', via: 'http', from: '192.0.2.1', outcome: 'done' },
      changes: [
        { key: 'hue', old: 1, new: 2 },
        { key: 'imageSettings', old: { hue: 1 }, new: { hue: 2 } },
        { key: 'webhooks', secret: true },
      ],
      note: 'said "so", twice',
    },
    {
      ...{ seq: 1, at, by: 'system', via: 'system', outcome: 'event' },
      event: 'start',
      detail: { version: '1' },
    },
  ]);
  expect(text.split('\r\n')).toEqual([
    head,
    '2026-01-02T03:04:05.000Z,anna,http,192.0.2.1,done,hue,1,2,"said ""so"", twice"',
    '2026-01-02T03:04:05.000Z,anna,http,192.0.2.1,done,imageSettings,"{""hue"":1}","{""hue"":2}","said ""so"", twice"',
    '2026-01-02T03:04:05.000Z,anna,http,192.0.2.1,done,webhooks,,,"said ""so"", twice"',
    '2026-01-02T03:04:05.000Z,system,system,,event,,,,"start; {""version"":""1""}"',
    '',
  ]);
});

it('is text to a spreadsheet, whatever somebody has written', () => {
  const text = auditCsv([
    {
      ...{ seq: 1, at, by: '@anna', via: 'ws', outcome: 'refused', keys: ['overlayText'] },
      message: '=HYPERLINK("http://evil.example")',
    },
  ]);
  expect(text).toContain(`,'@anna,ws,,refused,overlayText,,,"'=HYPERLINK(""http://evil.example"")"`);
  // A negative number is no formula.
  const number = auditCsv([
    { ...{ seq: 1, at, by: 'a', via: 'ws', outcome: 'done' }, changes: [{ key: 'x', old: 1, new: -1 }] },
  ]);
  expect(number).toContain(',x,1,-1,');
});
