// The reference of all settings, written from their declarations so that it cannot be out of date.
import type { TSchema } from '@sinclair/typebox';
import type { AnyDefinition } from '../observables/define.js';
import { authenticated } from '../observables/permissions.js';
import { groups, registry } from '../observables/registry.js';

export function settingsReference(): string {
  const all = new Map<string, AnyDefinition>(Object.entries(registry));
  const sections = groups.map(({ title, keys }) => {
    const entries = keys.flatMap((key) => {
      const definition = all.get(key);
      return definition === undefined ? [] : [entry(definition)];
    });
    return `## ${title}\n\n${entries.join('\n')}`;
  });
  return `# Settings

Every setting, status and action of the server. This page is made from the declarations in \`src/observables/\` by
\`npm run docs\`; a test compares them.

How to read it: **read** and **write** name the permissions of which any one suffices. **Effect** says what a change
costs: \`none\`, \`live\` (at once), \`renegotiate\` (viewers stay, the stream changes in-band), \`rebuild\` (a pipeline
is replaced, viewers stay). What is *not saved* begins with its default after a restart.

${sections.join('\n')}`;
}

function entry(definition: AnyDefinition): string {
  const { key, title, description, unit, read, legacy } = definition;
  const facts = [
    ['Type', typeText(definition.schema as TSchema) + (unit === undefined ? '' : `, in ${unit}`)],
    ...('default' in definition ? [['Default', code(definition.default)]] : []),
    ['Read', needs(read)],
    ['Write', 'write' in definition ? needs(definition.write) : 'nobody (computed)'],
    ...(definition.kind === 'setting'
      ? [
          ['Saved', definition.save ? 'yes' : 'no'],
          ['Effect', definition.effect],
        ]
      : []),
    ...(legacy === undefined ? [] : [['Older name', `\`${legacy.name}\``]]),
  ];
  const rows = facts.map(([name, value]) => `- ${String(name)}: ${String(value)}`).join('\n');
  return `### \`${key}\`\n\n**${title}.** ${kindText(definition)}${description}\n\n${rows}\n`;
}

function kindText(definition: AnyDefinition): string {
  switch (definition.kind) {
    case 'derived':
      return '(Computed.) ';
    case 'view':
      return '(Another view of other settings.) ';
    case 'action':
      return '(Action.) ';
    case 'setting':
      return '';
  }
}

function needs(list: readonly string[]): string {
  if (list.length === 0) return 'nobody';
  return list.map((need) => (need === authenticated ? 'everybody who is logged in' : need)).join(', ');
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function typeText(schema: TSchema): string {
  const {
    enum: values,
    anyOf,
    minimum,
    maximum,
    items,
    properties,
    maxLength,
  } = schema as {
    readonly enum?: readonly unknown[];
    readonly anyOf?: readonly TSchema[];
    readonly minimum?: number;
    readonly maximum?: number;
    readonly items?: TSchema;
    readonly properties?: Readonly<Record<string, TSchema>>;
    readonly maxLength?: number;
  };
  if (values !== undefined) return values.map(code).join(', ');
  if ('const' in schema) return code(schema['const']);
  if (anyOf !== undefined) return anyOf.map(typeText).join(', or ');
  switch (schema['type']) {
    case 'integer':
    case 'number':
      return `${schema['type'] === 'integer' ? 'whole number' : 'number'}${range(minimum, maximum)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return maxLength === undefined ? 'text' : `text, at most ${String(maxLength)} characters`;
    case 'array':
      return items === undefined ? 'list' : `list of: ${typeText(items)}`;
    case 'null':
      return 'null';
    default:
      return properties === undefined
        ? 'object with values by name'
        : `object: ${Object.entries(properties)
            .map(([name, member]) => `\`${name}\` (${typeText(member)})`)
            .join('; ')}`;
  }
}

function range(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${String(minimum)} to ${String(maximum)}`;
  if (minimum !== undefined) return `, at least ${String(minimum)}`;
  return maximum === undefined ? '' : `, at most ${String(maximum)}`;
}
