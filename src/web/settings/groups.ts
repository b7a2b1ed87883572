// The settings as the page shows them: by group, what can be set apart from what is only told.
import type { Description, Schema } from './description.js';

export type Named = readonly [key: string, description: Description];

export interface Group {
  readonly name: string;
  readonly title: string;
  /** What somebody may set, whoever that is. */
  readonly settings: readonly Named[];
  /** What only the server sets. */
  readonly told: readonly Named[];
}

/** Groups in which nothing is left are left out. */
export function groupsOf(schema: Schema, isWanted: (named: Named) => boolean): readonly Group[] {
  const all = Object.entries(schema.properties).filter(
    (named) => named[1]['x-kind'] !== 'action' && isWanted(named),
  );
  return schema['x-groups']
    .map(({ name, title }) => {
      const here = all.filter(([, description]) => description['x-group'] === name);
      return {
        name,
        title,
        settings: here.filter(([, description]) => description['x-write'].length > 0),
        told: here.filter(([, description]) => description['x-write'].length === 0),
      };
    })
    .filter(({ settings, told }) => settings.length + told.length > 0);
}
