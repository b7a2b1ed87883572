// Graphs are for everybody who may look at pipelines; the passwords in them are not.
import { withoutAccount } from '../system/redact.js';
import type { PipelineGraph } from './messages.js';

export { withoutAccount };

const isSecret = /-pw$/;
/** In the labels of DOT: a quotation mark is `\"` there, and inside of a value `\\\"`, as a backslash is four. */
const secretInDot = /(-pw=)\\"(?:[^\\]|\\{4}|\\{3}")*\\"/g;

export function withoutSecrets({ dot, elements, links }: PipelineGraph): PipelineGraph {
  return {
    dot: withoutAccount(dot.replaceAll(secretInDot, '$1***')),
    elements: elements.map((element) => ({
      ...element,
      properties: Object.fromEntries(
        Object.entries(element.properties).map(([name, value]) => [
          name,
          isSecret.test(name) ? '***' : withoutAccount(value),
        ]),
      ),
    })),
    links,
  };
}
