// A pipeline as elements and links, for those who read it instead of looking at its drawing.

export interface Graph {
  readonly elements: readonly {
    readonly name: string;
    readonly factory: string;
    readonly state: string;
    readonly group: string;
    readonly properties: Readonly<Record<string, string>>;
  }[];
  readonly links: readonly {
    readonly from: number;
    readonly to: number;
    readonly fromPad: string;
    readonly toPad: string;
    readonly caps: string;
  }[];
}

export interface Step {
  readonly name: string;
  readonly factory: string;
  readonly state: string;
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly next: readonly { readonly name: string; readonly caps: string }[];
}

/** Each element with those that it gives its data to, in the order of the flow as far as there is one. */
export function stepsOf({ elements, links }: Graph): readonly Step[] {
  const left = new Map(elements.entries());
  const steps: Step[] = [];
  while (left.size > 0) {
    const isFed = (index: number): boolean => links.some(({ from, to }) => to === index && left.has(from));
    // Within a loop, whoever stands first.
    const [index, element] = [...left].find(([each]) => !isFed(each)) ?? [...left][0] ?? [];
    if (index === undefined || element === undefined) break;
    left.delete(index);
    steps.push({
      ...{ name: wholeName(element), factory: element.factory, state: element.state },
      properties: Object.entries(element.properties),
      next: links
        .filter(({ from }) => from === index)
        .flatMap(({ to, caps }) => {
          const other = elements[to];
          return other === undefined ? [] : [{ name: wholeName(other), caps }];
        }),
    });
  }
  return steps;
}

function wholeName({ group, name }: Graph['elements'][number]): string {
  return group === '' ? name : `${group}/${name}`;
}

export function graphAddress(
  name: string,
  format: 'svg' | 'json',
  more: Readonly<Record<string, string>> = {},
) {
  return `/api/pipelines/graph?${new URLSearchParams({ name, format, ...more }).toString()}`;
}
