// What RTCP is taken for, in C++ under the sanitizers: it comes from anybody on the network.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../support/mediaServer.js';
import {
  estimate,
  keyframeWish,
  packet,
  packetsMissing,
  pictureLoss,
  receiverReport,
} from '../support/rtcpPackets.js';
import { root } from '../support/program.js';

const refused = 'refused';
const nothing = 'nacks=0 plis=0 firs=0 estimate=-1';
const block = { about: 9, fraction: 64, lost: -3, jitter: 900, lastReport: 7, delay: 65536 };
const report = receiverReport(8, block);
const senderInfo = Buffer.from('0000000900000001800000020000000300000004000000050000000600000007', 'hex');
const remb = estimate(8, 9, 5_000_000);

const cases: readonly (readonly [what: string, bytes: Buffer, taken: string])[] = [
  ['a report', report, `${nothing} report=9,0.250,-3,900,7,65536`],
  ['an empty report, as ffmpeg opens ways with it', receiverReport(8), nothing],
  [
    'several blocks',
    receiverReport(8, block, { about: 10, lost: 5 }),
    `${nothing} report=9,0.250,-3,900,7,65536 report=10,0.000,5,0,0,0`,
  ],
  ['what a sender says of its clock', packet(200, 0, senderInfo.subarray(0, 24)), `${nothing} own=9,98304`],
  [
    'wishes, together',
    Buffer.concat([receiverReport(8), packetsMissing(8, 9), pictureLoss(8, 9), keyframeWish(8, 9)]),
    'nacks=1 plis=1 firs=1 estimate=-1',
  ],
  ['an estimate', Buffer.concat([receiverReport(8), remb]), 'nacks=0 plis=0 firs=0 estimate=5000000'],
  [
    'an estimate beyond all networks',
    packet(206, 15, Buffer.from('000000080000000052454d4201ffffff00000009', 'hex')),
    'nacks=0 plis=0 firs=0 estimate=1000000000000',
  ],
  [
    'a jitter of a minute',
    receiverReport(8, { ...block, jitter: 60 * 90_000 }),
    `${nothing} report=9,0.250,-3,5400000,7,65536`,
  ],
  [
    'a jitter beyond a minute',
    receiverReport(8, { ...block, jitter: 60 * 90_000 + 1 }, { about: 10, lost: 5 }),
    `${nothing} report=10,0.000,5,0,0,0`,
  ],
  ['another application', packet(206, 15, Buffer.from('000000080000000045564952', 'hex')), nothing],
  [
    'names and farewells',
    Buffer.concat([report, packet(202, 0), packet(203, 0)]),
    `${nothing} report=9,0.250,-3,900,7,65536`,
  ],
  ['padding of nothing', Buffer.from('a0c900020000000800000000', 'hex'), refused],
  ['padding that is told rightly', Buffer.from('a0c900020000000800000004', 'hex'), nothing],
  ['nothing at all', Buffer.alloc(0), refused],
  ['another version', Buffer.from('40c9000100000008', 'hex'), refused],
  ['RTP', Buffer.from('806000010000000200000003', 'hex'), refused],
  ['a head without its end', report.subarray(0, 3), refused],
  ['a report that is cut off', report.subarray(0, 31), refused],
  ['more blocks than there are', Buffer.from('9fc9000100000008', 'hex'), refused],
  ['a length beyond the end', Buffer.from('80c9ffff00000008', 'hex'), refused],
  ['a sender without its clock', packet(200, 0, senderInfo.subarray(0, 8)), refused],
  ['a wish of nobody', packet(206, 1, Buffer.alloc(4)), refused],
  [
    'an estimate for more than it names',
    packet(206, 15, Buffer.from('000000080000000052454d4209000000', 'hex')),
    refused,
  ],
  ['something false after something true', Buffer.concat([report, Buffer.from('80c9ffff', 'hex')]), refused],
];

let folder = '';
let taken: readonly string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'obscura-rtcp-'));
  const [program, packets] = [join(folder, 'rtcp'), join(folder, 'packets')];
  const sources = [join(root, 'test/native/rtcpFuzz.cc'), join(root, 'native/media/rtcp.cc')];
  const sanitizers = '-fsanitize=address,undefined';
  const built = await run('g++', ['-std=c++17', '-O1', '-g', sanitizers, '-o', program, ...sources]);
  expect([built.code, built.err]).toEqual([0, '']);
  await writeFile(packets, cases.map(([, bytes]) => `${bytes.toString('hex')}\n`).join(''));
  const { code, out, err } = await run(program, [packets]);
  expect([code, err]).toEqual([0, '']);
  taken = out.trimEnd().split('\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each(cases.map(([what, , expected], index) => [what, expected, index] as const))(
  '%s is taken for what it is',
  (_what, expected, index) => {
    expect(taken[index]).toBe(expected);
  },
);
