import { expect, it } from 'vitest';
import { loadGStreamer } from '../../src/media/gstreamer.js';
import type { PipelineGraph } from '../../src/media/messages.js';
import { withoutSecrets } from '../../src/media/redact.js';
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
