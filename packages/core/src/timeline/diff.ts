// What differs between two states of one machine: registers by name, memory by runs of bytes, slices by path.
import type { MachineDefinition } from '../plugin/host.js';
import type { MachineState } from '../state/machine.js';
import { framesOf } from '../state/memory.js';
import type { ProcessorState } from '../state/processor.js';
import { registerOf } from '../state/seal-processor.js';
import { FRAME_BYTES } from '../state/workbench.js';

/** One place and its two values; bytes for memory, plain data for slices, bigints for registers. */
export interface Difference {
  /** In the grammar of timeline/location.ts. */
  readonly location: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Every difference, processors first, then memory by address, then slices. Shared structure is not visited. */
export function* diff(
  definition: MachineDefinition,
  before: MachineState,
  after: MachineState,
): IterableIterator<Difference> {
  for (const [id, processor] of after.processors.entries()) {
    const earlier = before.processors[id];
    if (earlier !== undefined && earlier !== processor) yield* processorDifferences(definition, earlier, processor);
  }
  for (const frame of framesOf(before.memory).differences(framesOf(after.memory)))
    yield* frameDifferences(before, after, frame * FRAME_BYTES);
  yield* sliceDifferences('slice', before.plugins, after.plugins);
}

function* processorDifferences(
  { registers }: MachineDefinition,
  before: ProcessorState,
  after: ProcessorState,
): IterableIterator<Difference> {
  const prefix = `processor/${after.id}/`;
  for (const { group, name } of registers.rows) {
    if (before[group as keyof ProcessorState] === after[group as keyof ProcessorState]) continue;
    const [old, now] = [registerOf(before, group, name), registerOf(after, group, name)];
    if (old !== now) yield { location: `${prefix}${name}`, before: old, after: now };
  }
  yield* sliceDifferences(`${prefix}slice`, before.plugins, after.plugins);
}

/** Runs of differing bytes; gaps of up to 7 equal bytes do not end a run. */
function* frameDifferences(before: MachineState, after: MachineState, address: number): IterableIterator<Difference> {
  const [old, now] = [before.memory.read(address, FRAME_BYTES), after.memory.read(address, FRAME_BYTES)];
  let start = -1;
  let end = -1;
  for (let index = 0; index <= FRAME_BYTES; index++) {
    const differs = index < FRAME_BYTES && old[index] !== now[index];
    if (differs) {
      if (start < 0) start = index;
      end = index + 1;
    } else if (start >= 0 && (index - end >= 8 || index === FRAME_BYTES)) {
      yield {
        location: `[0x${(address + start).toString(16)}+${end - start}]`,
        before: old.slice(start, end),
        after: now.slice(start, end),
      };
      start = -1;
    }
  }
}

function* sliceDifferences(path: string, before: unknown, after: unknown): IterableIterator<Difference> {
  if (Object.is(before, after)) return;
  if (!isObject(before) || !isObject(after)) {
    yield { location: path, before, after };
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* sliceDifferences(`${path}/${key}`, before[key], after[key]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
