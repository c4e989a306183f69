// Machines whose translations live until they are invalidated, beside coherent ones.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apply } from '../../src/event/apply.js';
import type { MachineEvent } from '../../src/event/event.js';
import type { Machine } from '../../src/machine/machine.js';
import { staleTlb } from '../../src/memory/stale-tlb.js';
import { initialState } from '../../src/state/initial-state.js';
import { formatDigest, stateDigest } from '../../src/trace/digest.js';
import { CODE, hex, machineWith } from '../support/booted-machine.js';
import { quad } from '../support/protected-machine.js';

const DIRECTORY = 0x3000;
const TABLE = 0x30_0000;
/** Linear addresses from here on go through the table; its first page has the index of the page of code. */
const PAGES = 0x40_0000;
const FRAMES = 0x50_0000;
const GLOBAL = 0x100n;

const bytes32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const load = (page: number): number[] => [0x8a, 0x04, 0x25, ...bytes32(PAGES + page * 0x1000)]; // mov al, [page]
const store = (page: number): number[] => [0xc6, 0x04, 0x25, ...bytes32(PAGES + page * 0x1000 + 8), 0x5a];
const map = (page: number, entry: number): number[] => [
  ...[0x48, 0xc7, 0x04, 0x25],
  ...bytes32(TABLE + page * 8),
  ...bytes32(entry),
];
const invlpg = (page: number): number[] => [0x0f, 0x01, 0x3c, 0x25, ...bytes32(PAGES + page * 0x1000)];
const RELOAD_CR3 = hex('0f 20 d8  0f 22 d8');
const TOGGLE_PGE = hex('0f 20 e0  34 80  0f 22 e0');
const frame = (index: number): number => FRAMES + index * 0x1000;

/** Each page mapped to the frame of its number, which holds that number in its first byte. */
function machineWithTable(code: readonly number[], { coherent = false, processors = 1, flags = 0n } = {}): Machine {
  const machine = machineWith(code, { processors, plugins: coherent ? [] : [staleTlb] }) as unknown as Machine;
  machine.writeMemory(DIRECTORY + 16, Uint8Array.from(quad(BigInt(TABLE) | 3n)));
  for (let index = 0; index < 512; index++)
    machine.writeMemory(TABLE + index * 8, Uint8Array.from(quad(BigInt(frame(index)) | 3n | flags)));
  for (let index = 0; index < 8; index++) machine.writeMemory(frame(index), Uint8Array.of(index));
  return machine;
}

/** What AL holds after each step of a run. */
function loaded(machine: Machine, steps: number): readonly number[] {
  return Array.from({ length: steps }, () => {
    machine.step(0);
    return Number(machine.readRegister(0, 'RAX') & 0xffn);
  });
}

describe('a machine with the plugin stale-tlb', () => {
  const forgotten = [...load(1), ...map(1, frame(2) | 3), ...load(1), ...load(1), ...invlpg(1), ...load(1)];

  it('goes on with the old translation until INVLPG, and says once who changed what', () => {
    const machine = machineWithTable(forgotten);
    const before = machine.position;
    expect(loaded(machine, 2)).toEqual([1, 1]);
    expect(machine.step(0)).toMatchObject({
      kind: 'completed',
      hazards: [
        {
          hazard: 'core.tlb.stale-translation',
          position: before + 2,
          facts: {
            page: '0x401000',
            entry: 'PTE at 0x300008',
            used: '0x501003',
            now: '0x502003',
            changedAt: before + 1,
            changedBy: 0,
          },
        },
      ],
    });
    expect(machine.readRegister(0, 'RAX') & 0xffn).toBe(1n);
    expect(machine.step(0)).toEqual({ kind: 'completed' });
    expect(loaded(machine, 2)).toEqual([1, 2]);
  });

  it('differs in that from a coherent one', () => {
    expect(loaded(machineWithTable(forgotten, { coherent: true }), 4)).toEqual([1, 1, 2, 2]);
  });

  it('loses what is not global with MOV to CR3, and all with CR4.PGE', () => {
    const code = [...load(1), ...map(1, frame(2) | 3), ...RELOAD_CR3, ...load(1)];
    expect(loaded(machineWithTable(code), 5).at(-1)).toBe(2);
    const globals = [...TOGGLE_PGE, ...code, ...TOGGLE_PGE, ...load(1)];
    const values = loaded(machineWithTable(globals, { flags: GLOBAL }), 12);
    expect([values[7], values[11]]).toEqual([1, 2]);
  });

  it('tells contexts apart by PCID, and keeps them over MOV to CR3 with bit 63', () => {
    const machine = machineWithTable([...load(1), ...load(1), ...load(1), ...load(1), ...load(1)]);
    const cpu = machine.processor(0);
    cpu.movToCr4(cpu.read('CR4') | (1n << 17n));
    const cr3 = cpu.read('CR3');
    cpu.step();
    machine.writeMemory(TABLE + 8, Uint8Array.from(quad(BigInt(frame(2)) | 3n)));
    const next = (value: bigint) => {
      cpu.movToCr3(value);
      cpu.step();
      return cpu.read('RAX') & 0xffn;
    };
    expect(next(cr3 | 5n)).toBe(2n); // nothing was translated under 5
    expect(next(cr3 | (1n << 63n))).toBe(1n);
    machine.writeMemory(TABLE + 8, Uint8Array.from(quad(BigInt(frame(3)) | 3n)));
    expect(next(cr3 | 5n | (1n << 63n))).toBe(2n);
    cpu.invpcid(1n, 5n, 0n);
    expect(next(cr3 | 5n | (1n << 63n))).toBe(3n);
  });

  it('walks the tables before it refuses anything: rights that were added count without INVLPG, and are no hazard', () => {
    const code = [...map(1, frame(1) | 1), ...load(1), ...map(1, frame(1) | 3), ...load(1), ...store(1)];
    const machine = machineWithTable(code);
    for (let step = 0; step < 5; step++) expect(machine.step(0)).toEqual({ kind: 'completed' });
    expect(machine.readMemory(frame(1) + 8, 1)).toEqual(Uint8Array.of(0x5a));
  });

  it('shows a processor that nobody told: what it uses is not what another one changed', () => {
    const machine = machineWithTable([...load(1), ...load(1), ...load(1)], { processors: 2 });
    const other = machine.processor(1);
    for (const name of ['CR0', 'CR3', 'CR4', 'IA32_EFER', 'RIP', 'CS.attributes', 'SS.attributes', 'CS.base'])
      other.set(name, machine.readRegister(0, name));
    other.set('activity', 0n);
    other.step();
    machine.processor(0).set('RIP', BigInt(CODE + 0x100));
    machine.writeMemory(CODE + 0x100, Uint8Array.from([...map(1, frame(2) | 3), ...invlpg(1), ...load(1)]));
    expect(loaded(machine, 3).at(-1)).toBe(2);
    expect(other.step()).toMatchObject({ hazards: [{ processor: 1, facts: { changedBy: 0 } }] });
    expect(other.read('RAX') & 0xffn).toBe(1n);
  });

  it('has a table of what it keeps', () => {
    const machine = machineWithTable(load(1));
    machine.step(0);
    const [view] = staleTlb.views?.['tlb']?.(machine.state, machine.definition) ?? [];
    expect(view?.rows).toContainEqual(['0x401000', '0x501000', '0x1000', 'W-X-', 0, 0, '']);
  });
});

const page = fc.constantFrom(0, 1, 2, 256, 257);
const piece = fc.oneof(
  page.map(load),
  page.map(store),
  fc.tuple(page, fc.nat(7), fc.constantFrom(3, 0x103, 1)).map(([at, to, rights]) => map(at, frame(to) | rights)),
  page.map(invlpg),
  fc.constant(RELOAD_CR3),
  fc.constant(TOGGLE_PGE),
);

describe('the law', () => {
  it('holds for kept translations: steps from sealed states alone come to the same state as a run', () => {
    const elsewhereDefinition = machineWith([]).definition;
    const elsewhere = initialState(elsewhereDefinition);
    const nudge: MachineEvent = { type: 'memory/written', address: 0x60_0000, bytes: Uint8Array.of(1) };
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 40 }), (pieces) => {
        const machine = machineWithTable(pieces.flat());
        const { definition } = machine;
        let { state } = machine;
        const { steps } = machine.run({ maxSteps: 60 });
        for (let step = 0; step < steps; step++) {
          apply(elsewhereDefinition, elsewhere, nudge); // the draft that remembers `state` has another one now
          state = apply(definition, state, { type: 'processor/stepsRetired', processor: 0, steps: 1 }).state;
        }
        expect(formatDigest(stateDigest(state))).toBe(formatDigest(stateDigest(machine.state)));
      }),
      { numRuns: 20 },
    );
  });
});
