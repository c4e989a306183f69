import { ramRanges } from '@retrovisor/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFit } from '../src/fit-machine.js';
import { fitMachine, MACHINES, OPTERON_8N, parseMachineDescription, Topology, XEON_8360Y } from '../src/index.js';

const PAGE = 4096;
const GIB = 2 ** 30;
const MIB = 2 ** 20;

describe('fitMachine', () => {
  it('puts two processors of a machine of two sockets on different ones, and half of the memory on each', () => {
    const fitted = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 64 * MIB });
    expect(fitted.nodes).toEqual([
      { processors: '0', memory: [{ start: 0, end: 32 * MIB }] },
      { processors: '1', memory: [{ start: 32 * MIB, end: 64 * MIB }] },
    ]);
    expect(fitted.latency).toBe(XEON_8360Y.latency);
  });

  it('spreads few processors over many nodes', () => {
    const topology = new Topology(fitMachine(OPTERON_8N, { processors: 2, memoryBytes: 64 * MIB }));
    expect([topology.nodeOfProcessor(0), topology.nodeOfProcessor(1)]).toEqual([0, 4]);
  });

  it('goes around the hole below 4 GiB', () => {
    const fitted = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 8 * GIB });
    expect(fitted.nodes.map(({ memory }) => memory)).toEqual([
      [
        { start: 0, end: 3 * GIB },
        { start: 4 * GIB, end: 5 * GIB },
      ],
      [{ start: 5 * GIB, end: 9 * GIB }],
    ]);
  });

  it('fits every machine to every size: all processors and all RAM have a node', () => {
    const size = fc.record({
      processors: fc.integer({ min: 1, max: 256 }),
      pages: fc.integer({ min: 1, max: 10_000_000 }),
    });
    fc.assert(
      fc.property(fc.constantFrom(...MACHINES), size, (machine, { processors, pages }) => {
        const memoryBytes = pages * PAGE;
        const fitted = parseMachineDescription(fitMachine(machine, { processors, memoryBytes }));
        expect(() => checkFit(new Topology(fitted), { processors, ranges: ramRanges(memoryBytes) })).not.toThrow();
        const sizes = fitted.nodes.map(({ memory }) => memory.reduce((sum, { start, end }) => sum + end - start, 0));
        expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(memoryBytes);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(PAGE);
      }),
    );
  });

  it.each([
    { processors: 0, memoryBytes: PAGE },
    { processors: 1.5, memoryBytes: PAGE },
    { processors: 1, memoryBytes: 0 },
    { processors: 1, memoryBytes: 5000 },
  ])('refuses %j', (size) => {
    expect(() => fitMachine(XEON_8360Y, size)).toThrow(expect.objectContaining({ code: 'BAD_MACHINE_SIZE' }));
  });
});

describe('a description that does not fit', () => {
  const topology = new Topology(fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 64 * MIB }));

  it('names the first processor without a node', () => {
    expect(() => checkFit(topology, { processors: 3, ranges: ramRanges(64 * MIB) })).toThrow(
      expect.objectContaining({
        code: 'MACHINE_DOES_NOT_FIT',
        details: { machine: 'xeon-platinum-8360y', processor: 2 },
      }),
    );
  });

  it('names the first address without a node', () => {
    expect(() => checkFit(topology, { processors: 2, ranges: ramRanges(65 * MIB) })).toThrow(
      expect.objectContaining({
        code: 'MACHINE_DOES_NOT_FIT',
        details: { machine: 'xeon-platinum-8360y', address: 64 * MIB },
      }),
    );
  });

  it('may describe more than the machine has', () => {
    expect(() => checkFit(topology, { processors: 1, ranges: ramRanges(MIB) })).not.toThrow();
  });
});
