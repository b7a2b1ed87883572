// The colours of tokens.css as a canvas needs them: as they are now, light or dark.

export interface Palette {
  readonly series: readonly string[];
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly surface: string;
  readonly accent: string;
}

export function paletteOfNow(): Palette {
  const probe = document.createElement('span');
  document.body.append(probe);
  const colourOf = (token: string): string => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    series: ['series-1', 'series-2', 'series-3'].map(colourOf),
    ink: colourOf('ink'),
    quiet: colourOf('ink-quiet'),
    line: colourOf('line'),
    surface: colourOf('surface'),
    accent: colourOf('accent'),
  };
  probe.remove();
  return palette;
}
