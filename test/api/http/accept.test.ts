import { expect, it } from 'vitest';
import { preferred } from '../../../src/api/http/accept.js';

const [dot, svg] = ['text/vnd.graphviz', 'image/svg+xml'] as const;

it.each([
  ['nothing', undefined, dot],
  ['anything', '*/*', dot],
  ['a page', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', dot],
  ['a picture in a page', 'image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8', svg],
  ['any picture', 'image/*', svg],
  ['a drawing rather than a text', 'text/*;q=0.5, Image/SVG+xml; q=0.6', svg],
  ['a text rather than a drawing', 'image/svg+xml;q=0.1, text/vnd.graphviz', dot],
  ['any picture but this', 'image/*, image/svg+xml;q=0, */*;q=0.1', dot],
])('who asks for %s gets what fits best', (_what, accept, form) => {
  expect(preferred(accept, [dot, svg])).toBe(form);
});
