// The settings by section, for clients that think in configuration files. A section is a group of observables.
import { Type } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../../../access/identity.js';
import { ObscuraError } from '../../../errors.js';
import { groups } from '../../../observables/registry.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { change } from '../outcomes.js';
import { answers, Values, type App } from '../route.js';

const tags = ['configuration'];
const mayReadCamera = ['Device_r', 'Device_rw', 'Media_r', 'Media_rw'] as const;
const mayWriteCamera = ['Device_rw', 'Media_rw'] as const;
const Section = Type.Object({ section: Type.String({ minLength: 1, maxLength: 64 }) });

/** Members as the reference product calls them, where that is not the name of the key. */
const olderNames: Readonly<Record<string, string>> = {
  default_resolution: 'streamResolution',
  default_framerate: 'streamFramerate',
  auto_exposure: 'exposure',
  ip_address: 'ipAddress',
  subnet_mask: 'subnetMask',
  dns_servers: 'dnsServers',
};

/** The same, by the part of a camera they have to do with. */
const cameraParts: Readonly<Record<string, readonly string[]>> = {
  config: ['camera', 'stream'],
  controls: ['image', 'exposure'],
  encoder: ['stream'],
  processing: ['image', 'overlay', 'pip'],
};

export function configRoutes(app: App, services: Services): void {
  const { store } = services;

  const valuesOf = (keys: readonly string[], identity: Identity): Record<string, unknown> =>
    Object.fromEntries(
      keys
        .flatMap((key) => store.cell(key) ?? [])
        .filter((cell) => cell.definition.kind !== 'action' && isReadable(cell, identity))
        .map((cell) => [cell.key, store.read(identity, cell.key)]),
    );
  const find = (section: string): (typeof groups)[number] => {
    const group = groups.find(({ name }) => name === section);
    if (group !== undefined) return group;
    const names = groups.map(({ name }) => name).join(', ');
    throw new ObscuraError('unknown', `There is no section ${section}; there are ${names}`);
  };

  app.get(
    '/api/config',
    {
      config: { access: 'reader' },
      schema: { tags, summary: 'All sections', response: answers(Type.Record(Type.String(), Values)) },
    },
    ({ identity }) =>
      Object.fromEntries(
        groups
          .map(({ name, keys }) => [name, valuesOf(keys, identity)] as const)
          .filter(([, values]) => Object.keys(values).length > 0),
      ),
  );
  app.get(
    '/api/config/:section',
    {
      config: { access: 'reader' },
      schema: { tags, summary: 'One section', params: Section, response: answers(Values) },
    },
    ({ identity, params }) => valuesOf(find(params.section).keys, identity),
  );
  /** Changes settings of a section, all or none of them, and answers how the section is then. */
  const assign = async (
    request: FastifyRequest,
    name: string,
    keys: readonly string[],
    body: Readonly<Record<string, unknown>>,
  ): Promise<Record<string, unknown>> => {
    const known = new Set<string>([...keys, ...Object.keys(olderNames)]);
    const members = Object.entries(flattened(unwrapped(body, name, known)));
    const patch = Object.fromEntries(members.map(([member, value]) => [olderNames[member] ?? member, value]));
    const stranger = members.find(([member]) => !known.has(member))?.[0];
    if (stranger !== undefined)
      throw new ObscuraError('unknown', `Section ${name} has no setting ${stranger}`, { key: stranger });
    await change(services, request, patch);
    return valuesOf(keys, request.identity);
  };
  app.route({
    method: ['PUT', 'PATCH'],
    url: '/api/config/:section',
    config: { access: 'reader' },
    schema: {
      tags,
      summary: 'Change settings of a section: all of them or none',
      description:
        'What is left out stays as it is. The body may repeat the name of the section around its members.',
      params: Section,
      body: Values,
      response: answers(Values),
    },
    handler: (request) => {
      const { name, keys } = find(request.params.section);
      return assign(request, name, keys, request.body);
    },
  });

  for (const [part, sections] of Object.entries(cameraParts)) {
    const url = `/api/camera/${part}`;
    const keys = sections.flatMap((section) => find(section).keys);
    const summary = `The settings of the sections ${sections.join(', ')}`;
    app.get(
      url,
      { config: { access: mayReadCamera }, schema: { tags, summary, response: answers(Values) } },
      ({ identity }) => valuesOf(keys, identity),
    );
    app.put(
      url,
      {
        config: { access: mayWriteCamera },
        schema: {
          tags,
          summary: `Change settings of the sections ${sections.join(', ')}: all of them or none`,
          body: Values,
          response: answers(Values),
        },
      },
      (request) => assign(request, part, keys, request.body),
    );
  }
}

/** The reference product keeps the addresses of a network card in an object of their own. */
function flattened(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { ethernet, ...others } = members;
  if (typeof ethernet !== 'object' || ethernet === null) return members;
  const { enabled, mode, ...addresses } = { ...ethernet } as Record<string, unknown>;
  if (enabled !== undefined && enabled !== true)
    throw new ObscuraError(
      'invalid',
      'Value at ethernet.enabled must be true: the server is reached through it',
    );
  if (mode !== undefined && mode !== 'dhcp' && mode !== 'static')
    throw new ObscuraError('invalid', 'Value at ethernet.mode must be "dhcp" or "static"');
  return { ...others, ...addresses, ...(mode === undefined ? {} : { dhcpEnabled: mode === 'dhcp' }) };
}

/** A section and a setting in it can have the same name; then what is inside decides which of the two is meant. */
function unwrapped(
  body: Readonly<Record<string, unknown>>,
  section: string,
  known: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  const inner = body[section];
  if (Object.keys(body).length !== 1 || typeof inner !== 'object' || inner === null) return body;
  return !known.has(section) || Object.keys(inner).every((key) => known.has(key)) ? { ...inner } : body;
}
