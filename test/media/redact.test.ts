import { expect, it } from 'vitest';
import { loadGStreamer } from '../../src/media/gstreamer.js';
import type { PipelineGraph } from '../../src/media/messages.js';
import { withoutAccount, withoutSecrets } from '../../src/media/redact.js';
import { launchText } from '../../src/pipelines/launchText.js';

const { addon, Pipeline } = loadGStreamer();

it.each(['plain', 'with "quotes"', 'with \\ and \\" and $& and `', "it's", ' '])(
  'a graph does not tell the password %j, and the element has it',
  (password) => {
    const text = 'rtspsrc name=source location=rtsp://192.0.2.7/x user-id=eye ! fakesink';
    const whole = `${launchText(text, { 'source.user-pw': password })} videotestsrc is-live=true ! hubsink channel=redact owner=redact`;
    const pipeline = new Pipeline(whole);
    pipeline.play();
    try {
      const graph = JSON.parse(addon.graph('redact')) as PipelineGraph;
      const source = ({ elements }: PipelineGraph) =>
        elements.find(({ name }) => name === 'source')?.properties;
      expect(source(graph)?.['user-pw']).toBe(password);
      const shown = withoutSecrets(graph);
      expect(source(shown)).toMatchObject({ 'user-id': 'eye', 'user-pw': '***' });
      expect(shown.dot).toContain('user-pw=***');
      expect(shown.dot).toContain('user-id=\\"eye\\"');
      if (password !== ' ')
        for (const part of password.split(/["\\]/))
          if (part.length > 3) expect(JSON.stringify(shown)).not.toContain(part);
    } finally {
      addon.release('redact');
    }
  },
);

it.each([
  'rtsp://eye:p%40ss%3A%2F%22@192.0.2.7:554/main?x=a@b',
  "rtsps://a'(b)!~*:c@[2001:db8::1]/",
  'rtsp://eye:@h/',
  'rtsp://:pass@h/',
])('neither an address nor a graph with %j tells the account', (location) => {
  const place = location.slice(location.indexOf('@') + 1);
  expect(withoutAccount(`Cannot open ${location}: gone`)).toBe(
    `Cannot open ${location.slice(0, location.indexOf('://'))}://***@${place}: gone`,
  );
  const text = 'rtspsrc location=rtsp://192.0.2.7/x name=source ! fakesink';
  const whole = `${launchText(text, { 'source.location': location })} videotestsrc is-live=true ! hubsink channel=redact owner=redact`;
  const pipeline = new Pipeline(whole);
  pipeline.play();
  try {
    const graph = JSON.parse(addon.graph('redact')) as PipelineGraph;
    const source = ({ elements }: PipelineGraph) =>
      elements.find(({ name }) => name === 'source')?.properties['location'];
    expect(source(graph)).toBe(location);
    const shown = withoutSecrets(graph);
    expect(source(shown)).toBe(withoutAccount(location));
    expect(JSON.stringify(shown)).not.toContain(
      location.slice(location.indexOf('://') + 3, location.indexOf('@') + 1),
    );
  } finally {
    addon.release('redact');
  }
});

it('addresses without an account stay as they are', () => {
  for (const address of ['rtsp://192.0.2.7/x?mail=a@b', 'http://host/a@b', 'udp://239.0.0.1:5000'])
    expect(withoutAccount(address)).toBe(address);
});
