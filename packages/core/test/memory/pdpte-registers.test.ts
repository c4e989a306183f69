// When the PDPTE registers are loaded, and what that refuses.
import { describe, expect, it } from 'vitest';
import { fault } from '../../src/event/outcome.js';
import type { Machine } from '../../src/machine/machine.js';
import { protectedMachine, quad } from '../support/protected-machine.js';

const TABLE = 0x8_0020;
const [PSE, PAE, PGE] = [0x10n, 0x20n, 0x80n];
const [PE, PG] = [0x1n, 0x8000_0000n];

function writeTable(machine: Machine, entries: readonly bigint[]): void {
  for (const [index, entry] of entries.entries()) machine.writeMemory(TABLE + index * 8, Uint8Array.from(quad(entry)));
}

/** Protected mode with CR4.PAE and CR3 as they should be, and paging still off. */
function machineWithTable(entries: readonly bigint[]) {
  const machine = protectedMachine('8b 06'); // mov eax, [esi]
  const cpu = machine.processor(0);
  writeTable(machine, entries);
  machine.writeMemory(0x9_0000, Uint8Array.from(quad(0x83n))); // 2 MiB at 0
  machine.writeMemory(0x9_1000, Uint8Array.from(quad(0x20_0083n))); // 2 MiB at 2 MiB
  cpu.movToCr4(PAE);
  cpu.movToCr3(BigInt(TABLE));
  return { machine, cpu, pdpte: (index: number) => cpu.read(`PDPTE${index}`) };
}

const GOOD = [0x9_0001n, 0x9_1001n, 0xffff_ffff_ffff_fffen, 0n];

describe('the PDPTE registers', () => {
  it('are loaded when paging begins, not by MOV to CR3 before', () => {
    const { cpu, pdpte } = machineWithTable(GOOD);
    expect(pdpte(0)).toBe(0n);
    expect(cpu.movToCr0(PE | PG)).toEqual({ kind: 'completed' });
    expect([0, 1, 2, 3].map(pdpte)).toEqual(GOOD);
  });

  it('keep what they hold when the table in memory changes, until CR3 is written', () => {
    const { machine, cpu, pdpte } = machineWithTable(GOOD);
    cpu.movToCr0(PE | PG);
    writeTable(machine, [0x9_0001n, 0n]);
    cpu.set('RSI', 0x4000_0000n);
    expect(cpu.step()).toEqual({ kind: 'completed' });
    cpu.movToCr3(BigInt(TABLE));
    expect(pdpte(1)).toBe(0n);
  });

  it.each([
    ['CR4.PGE changes', (cpu: ReturnType<typeof machineWithTable>['cpu']) => cpu.movToCr4(PAE | PGE), true],
    ['CR4.PSE changes', (cpu: ReturnType<typeof machineWithTable>['cpu']) => cpu.movToCr4(PAE | PSE), true],
    ['CR4.DE changes', (cpu: ReturnType<typeof machineWithTable>['cpu']) => cpu.movToCr4(PAE | 8n), false],
    ['CR0.WP changes', (cpu: ReturnType<typeof machineWithTable>['cpu']) => cpu.movToCr0(PE | PG | 0x1_0000n), false],
    ['CR0.CD changes', (cpu: ReturnType<typeof machineWithTable>['cpu']) => cpu.movToCr0(PE | PG | (1n << 30n)), true],
  ])('when %s', (_, write, loads) => {
    const { machine, cpu, pdpte } = machineWithTable(GOOD);
    cpu.movToCr0(PE | PG);
    writeTable(machine, [0x9_0001n, 0n]);
    expect(write(cpu)).toEqual({ kind: 'completed' });
    expect(pdpte(1)).toBe(loads ? 0n : GOOD[1]);
  });

  it.each([1n, 2n, 5n, 6n, 7n, 8n, 46n, 63n])('refuse bit %i of an entry that is present', (bit) => {
    const { machine, cpu, pdpte } = machineWithTable(GOOD);
    cpu.movToCr0(PE | PG);
    writeTable(machine, [0x9_0001n, 0n, 0n, 1n | (1n << bit)]);
    const reserved = fault('#GP', { errorCode: 0, rule: 'core.mov-cr.pdpte-reserved' });
    expect(cpu.movToCr3(BigInt(TABLE))).toEqual(reserved);
    expect(pdpte(1)).toBe(GOOD[1]);
    writeTable(machine, [0x9_0001n, 0n, 0n, 1n << bit]);
    expect(cpu.movToCr3(BigInt(TABLE))).toEqual({ kind: 'completed' });
  });
});
