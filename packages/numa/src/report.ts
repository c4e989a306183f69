// What happened between two positions, in accesses and cycles, and how much of it distance is to blame for.
import { type MachineState, UsageError } from '@retrovisor/core';
import { constantsOf, countsOf, type MachineConstants } from './counters.js';

/** Accesses of one processor to memory of one node between two positions. */
export interface CostEntry {
  readonly processor: number;
  readonly from: number;
  readonly to: number;
  readonly kind: 'local' | 'remote';
  readonly reads: number;
  readonly writes: number;
  readonly cycles: number;
  /** What the same accesses would have cost in memory of the processor's own node. */
  readonly cyclesIfLocal: number;
}

/** The sums over all entries of one kind. */
export interface CostSum {
  readonly accesses: number;
  readonly cycles: number;
}

/** The cost between two positions. */
export interface CostReport {
  /** By processor, then node; pairs without an access are left out. */
  readonly entries: readonly CostEntry[];
  readonly local: CostSum;
  readonly remote: CostSum;
  /** Cycles that would have been saved, had all memory been local. */
  readonly penalty: number;
  /** The same in sentences, one a line. */
  readonly explanation: string;
}

/**
 * What the accesses between two states of one machine cost.
 *
 * @throws UsageError `NO_NUMA_COUNTS` for states of a machine without this plugin
 * @example costOf(timeline.seek(3), timeline.seek(4)).penalty
 */
export function costOf(before: MachineState, after: MachineState): CostReport {
  const constants = constantsOf(after);
  if (constants === undefined || constantsOf(before) === undefined) {
    throw new UsageError(
      'NO_NUMA_COUNTS',
      {},
      'these states have no counts: the plugin numa must be among the plugins of their machine',
    );
  }
  const entries = constants.nodeOfProcessor.flatMap((_, processor) => entriesOf(processor, constants, before, after));
  const penalty = entries.reduce((sum, { cycles, cyclesIfLocal }) => sum + cycles - cyclesIfLocal, 0);
  return {
    entries,
    local: sumOf(entries, 'local'),
    remote: sumOf(entries, 'remote'),
    penalty,
    explanation: explain(entries),
  };
}

function entriesOf(
  processor: number,
  constants: MachineConstants,
  before: MachineState,
  after: MachineState,
): readonly CostEntry[] {
  const { nodeOfProcessor, cyclesPerAccess } = constants;
  const from = nodeOfProcessor[processor] ?? 0;
  const earlier = countsOf(before, processor)?.nodes ?? [];
  const entries = (countsOf(after, processor)?.nodes ?? []).map((counts, to): CostEntry => {
    const reads = counts.reads - (earlier[to]?.reads ?? 0);
    const writes = counts.writes - (earlier[to]?.writes ?? 0);
    const cycles = counts.cycles - (earlier[to]?.cycles ?? 0);
    const cyclesIfLocal = (reads + writes) * localCycles(cyclesPerAccess[from] ?? [], from, to);
    return { processor, from, to, kind: from === to ? 'local' : 'remote', reads, writes, cycles, cyclesIfLocal };
  });
  return entries.filter(({ reads, writes }) => reads + writes !== 0);
}

/** A node of processors alone has no local memory to compare with: then nothing is called a penalty. */
function localCycles(row: readonly number[], from: number, to: number): number {
  return row[from] || row[to] || 0;
}

function sumOf(entries: readonly CostEntry[], kind: CostEntry['kind']): CostSum {
  const chosen = entries.filter((entry) => entry.kind === kind);
  return {
    accesses: chosen.reduce((sum, { reads, writes }) => sum + reads + writes, 0),
    cycles: chosen.reduce((sum, { cycles }) => sum + cycles, 0),
  };
}

function explain(entries: readonly CostEntry[]): string {
  if (entries.length === 0) return 'No access to memory.';
  return entries.map(explainEntry).join('\n');
}

function explainEntry({ processor, from, to, kind, reads, writes, cycles, cyclesIfLocal }: CostEntry): string {
  const accesses = [counted(reads, 'read'), counted(writes, 'write')].filter((part) => part !== '').join(' and ');
  const where = kind === 'local' ? `memory of its own node ${to}` : `memory of node ${to}`;
  const sentence = `Processor ${processor} (node ${from}): ${accesses} of ${where} cost ${cycles} cycles`;
  if (kind === 'local' || cyclesIfLocal === 0) return `${sentence}.`;
  const factor = (cycles / cyclesIfLocal).toFixed(2);
  return `${sentence}; in memory of its own node they would have cost ${cyclesIfLocal} (${factor} times as much here: slower, not wrong).`;
}

function counted(count: number, word: string): string {
  if (count === 0) return '';
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}
