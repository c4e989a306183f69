// What a run found, for people and for programs.

/** One line of a table. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value is beside another line of the same table: `× Immer` 35. */
  readonly ratios?: Readonly<Record<string, number>>;
  readonly goals?: readonly Goal[];
}

/** What a figure should be. */
export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

/** Figures that belong together. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Larger is better in each; what `--compare` looks at. */
export type Ratios = Readonly<Record<string, number>>;

/** A number with as many digits as mean something. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** Sections as aligned text. */
export function asText(sections: readonly Section[]): string {
  return sections.map(({ title, rows }) => `${title}\n${table(rows.map(cells))}\n`).join('\n');
}

function cells({ name, value, unit, ratios = {}, goals = [] }: Row): readonly string[] {
  const beside = Object.entries(ratios).map(([peer, ratio]) => `${figure(ratio)} ${peer}`);
  return [
    name,
    figure(value),
    unit,
    beside.join(', '),
    goals.map(({ text, met }) => `goal ${text}: ${met ? 'met' : 'MISSED'}`).join(', '),
  ];
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const align = (cell: string, column: number) =>
    column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return lines.map((line) => `  ${line.map(align).join('  ')}`.trimEnd()).join('\n');
}

/** Every ratio of a run by `section / row / peer`. */
export function ratiosOf(sections: readonly Section[]): Ratios {
  const named = sections.flatMap(({ title, rows }) =>
    rows.flatMap(({ name, ratios = {} }) =>
      Object.entries(ratios).map(([peer, ratio]) => [`${title} / ${name} / ${peer}`, ratio] as const),
    ),
  );
  return Object.fromEntries(named);
}

/** A ratio that fell below this part of the recorded one is flagged. */
const TOLERATED = 0.7;

/** What became worse than the recorded figures allow, a line each. */
export function worseThan(recorded: Ratios, now: Ratios): readonly string[] {
  return Object.entries(recorded).flatMap(([name, before]) => {
    const after = now[name];
    if (after === undefined) return [`${name}: not measured any more`];
    return after < before * TOLERATED ? [`${name}: ${figure(after)}, recorded ${figure(before)}`] : [];
  });
}
