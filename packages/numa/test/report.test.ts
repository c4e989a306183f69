import { createMachine, longMode, type MachineState } from '@retrovisor/core';
import { describe, expect, it } from 'vitest';
import { costOf, type NodeCounts } from '../src/index.js';

/** As much of a state as the report reads. */
function stateOf(...processors: readonly (readonly NodeCounts[])[]): MachineState {
  const constants = {
    nodeOfProcessor: [0, 1],
    cyclesPerAccess: [
      [200, 300],
      [310, 210],
    ],
  };
  return {
    processors: processors.map((nodes) => ({ plugins: { numa: { nodes } } })),
    plugins: { numa: constants },
  } as unknown as MachineState;
}
const counts = (reads: number, writes: number, cycles: number): NodeCounts => ({ reads, writes, cycles });
const none = counts(0, 0, 0);

describe('costOf', () => {
  it('is nothing between equal states', () => {
    const state = stateOf([none, none], [none, none]);
    expect(costOf(state, state)).toEqual({
      entries: [],
      local: { accesses: 0, cycles: 0 },
      remote: { accesses: 0, cycles: 0 },
      penalty: 0,
      explanation: 'No access to memory.',
    });
  });

  it('is the difference, by processor and node, with the price of distance', () => {
    const before = stateOf([counts(1, 0, 200), none], [none, none]);
    const after = stateOf([counts(3, 1, 800), counts(2, 0, 600)], [none, counts(0, 1, 210)]);
    const report = costOf(before, after);
    expect(report.entries).toEqual([
      { processor: 0, from: 0, to: 0, kind: 'local', reads: 2, writes: 1, cycles: 600, cyclesIfLocal: 600 },
      { processor: 0, from: 0, to: 1, kind: 'remote', reads: 2, writes: 0, cycles: 600, cyclesIfLocal: 400 },
      { processor: 1, from: 1, to: 1, kind: 'local', reads: 0, writes: 1, cycles: 210, cyclesIfLocal: 210 },
    ]);
    expect(report).toMatchObject({
      local: { accesses: 4, cycles: 810 },
      remote: { accesses: 2, cycles: 600 },
      penalty: 200,
    });
    expect(report.explanation.split('\n')).toEqual([
      'Processor 0 (node 0): 2 reads and 1 write of memory of its own node 0 cost 600 cycles.',
      'Processor 0 (node 0): 2 reads of memory of node 1 cost 600 cycles; in memory of its own node they would have cost 400 (1.50 times as much here: slower, not wrong).',
      'Processor 1 (node 1): 1 write of memory of its own node 1 cost 210 cycles.',
    ]);
  });

  it('needs states of a machine with the plugin', () => {
    const machine = createMachine({ profile: 'intel-server', boot: longMode() });
    expect(() => costOf(machine.state, machine.state)).toThrow(expect.objectContaining({ code: 'NO_NUMA_COUNTS' }));
  });
});
