// `retrovisor info`: what a trace says about itself, read without any plugin and without replaying anything.
import { positionsOf, type Trace } from '@retrovisor/core';
import { openTraceFile } from '@retrovisor/core/node';
import { EXIT } from '../exit-status.js';
import type { Colours } from '../output/colour.js';
import { hex } from '../output/hexadecimal.js';
import { command } from '../output/next.js';
import { type Cell, table } from '../output/table.js';
import { damageText } from '../trace-input.js';
import type { VerbCode } from '../verb-table.js';

/** Recorded events of one type. */
interface EventCount {
  readonly type: string;
  readonly events: number;
  readonly positions: number;
}

/** Shows the header, the length, the events by kind, and damage. */
export const info: VerbCode = async ([path = ''], _options, output) => {
  const trace = openTraceFile(path);
  const counts = countEvents(trace);
  const digests = [...trace.digests()].length;
  output.result(documentOf(path, trace, counts, digests), (colours) => textOf(path, trace, counts, digests, colours));
  return trace.damage === undefined ? EXIT.done : EXIT.unreadable;
};

function countEvents(trace: Trace): readonly EventCount[] {
  const counts = new Map<string, EventCount>();
  for (const { event } of trace.events()) {
    const { events, positions } = counts.get(event.type) ?? { events: 0, positions: 0 };
    counts.set(event.type, { type: event.type, events: events + 1, positions: positions + positionsOf(event) });
  }
  return [...counts.values()].toSorted((one, other) => other.positions - one.positions);
}

function documentOf(
  path: string,
  { header, length, size, damage, keyframes }: Trace,
  events: readonly EventCount[],
  digests: number,
): unknown {
  const { boot, ...machine } = header;
  return {
    trace: path,
    bytes: size,
    ...machine,
    boot: boot === undefined ? null : { mode: boot.mode, entry: boot.entry, bytes: imageBytes(boot.segments) },
    length,
    events,
    digests,
    keyframes,
    damage: damage ?? null,
  };
}

function imageBytes(segments: readonly { readonly bytes: Uint8Array }[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

const turns = ({ quantum, schedule }: Trace['header']): string =>
  schedule === undefined
    ? `turns of ${quantum} instructions`
    : `turns of up to ${quantum} instructions, drawn with seed ${schedule.random}`;

function textOf(path: string, trace: Trace, counts: readonly EventCount[], digests: number, colours: Colours): string {
  const { header, length, size, damage, keyframes } = trace;
  const { boot } = header;
  const start =
    boot === undefined
      ? 'after RESET'
      : `${boot.mode} mode at ${hex(boot.entry)}, ${imageBytes(boot.segments)} bytes of image`;
  const rows: readonly (readonly Cell[])[] = [
    ['trace', `${path}, ${size} bytes`],
    ['recorded by', `retrovisor ${header.retrovisor}`],
    ['profile', header.profile.name],
    ['processors', `${header.processors}, ${turns(header)}`],
    ['memory', `${header.memory / 2 ** 20} MiB`],
    ['plugins', header.plugins.map(({ name, version }) => `${name} ${version}`).join(', ') || 'none'],
    ['start', start],
    ['positions', `0 to ${length}`],
    ['checks', `${digests} digests, ${keyframes.length} keyframes`],
  ];
  const counted = counts.map(({ type, events, positions }) => [type, events, positions]);
  const parts = [
    table(
      [],
      rows.map(([name = '', value = '']) => [colours.dim(String(name)), value]),
      colours,
    ),
    ...(counted.length === 0 ? [] : [table(['event', 'recorded', 'positions'], counted, colours)]),
    ...(damage === undefined ? [] : [colours.red(damageText(path, trace))]),
    `next: ${command(damage === undefined ? 'events' : 'replay', path)}`,
  ];
  return parts.join('\n\n');
}
