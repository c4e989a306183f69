import { defineMachine, type MachineDefinition } from '@retrovisor/core';
import { expect, it } from 'vitest';
import { acpiTables } from '../src/acpi-tables.js';
import { fitMachine, numa, Topology, XEON_8360Y } from '../src/index.js';

const GIB = 2 ** 30;
const tablesOf = (processors: number, memoryBytes: number) => {
  const topology = new Topology(fitMachine(XEON_8360Y, { processors, memoryBytes }));
  const definition: MachineDefinition = defineMachine({ profile: 'intel-server', processors, memory: memoryBytes });
  return { topology, tables: acpiTables(topology, definition) };
};

/** Type, length, and the rest as a view. */
function* entries(body: Uint8Array): IterableIterator<{ readonly type: number; readonly view: DataView }> {
  for (let at = 12; at < body.length; at += body[at + 1] ?? body.length)
    yield { type: body[at] ?? -1, view: new DataView(body.buffer, body.byteOffset + at, body[at + 1]) };
}

it('the SRAT has each processor and all of RAM, each with its node', () => {
  const { topology, tables } = tablesOf(4, 5 * GIB);
  const [srat] = tables;
  const found = [...entries(srat?.body ?? new Uint8Array())];
  const processors = found.filter(({ type }) => type === 0);
  expect(processors.map(({ view }) => [view.getUint8(3), view.getUint8(2), view.getUint32(4, true)])).toEqual(
    [0, 1, 2, 3].map((id) => [id, topology.nodeOfProcessor(id), 1]),
  );
  const memory = found.filter(({ type }) => type === 1);
  expect(memory.reduce((sum, { view }) => sum + Number(view.getBigUint64(16, true)), 0)).toBe(5 * GIB);
  for (const { view } of memory)
    expect(topology.nodeOfAddress(Number(view.getBigUint64(8, true)))).toBe(view.getUint32(2, true));
});

it('the SLIT has the distance of each pair of nodes', () => {
  const { tables } = tablesOf(2, 64 * 2 ** 20);
  expect(tables[1]).toMatchObject({ signature: 'SLIT', body: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 10, 20, 20, 10) });
});

it('the plugin brings both', () => {
  const description = fitMachine(XEON_8360Y, { processors: 2, memoryBytes: 64 * 2 ** 20 });
  const definition = defineMachine({ profile: 'intel-server', processors: 2 });
  expect(
    numa(description)
      .acpiTables?.(definition)
      .map(({ signature }) => signature),
  ).toEqual(['SRAT', 'SLIT']);
});
