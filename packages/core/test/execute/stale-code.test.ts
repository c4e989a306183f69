// What runs is what memory, page tables and segments say at each instruction, however much of it was decoded before: a
// state that is sealed and loaded again (a replay) has nothing decoded, and must go the same way.
import { describe, expect, it } from 'vitest';
import { createMachine, type Machine, type MachineOptions, rawImage } from '../../src/index.js';
import { hex, VMCALL, vmcallMissing } from '../support/booted-machine.js';

const LOAD = 0x10_0000;
/** The page directory of the first GiB; an entry maps 2 MiB. */
const DIRECTORY = 0x3000;
const littleEndian = (value: bigint): readonly number[] =>
  Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
/** MOV RAX, imm64. */
const movRax = (value: bigint): readonly number[] => [0x48, 0xb8, ...littleEndian(value)];
/** MOV [disp32], RAX. */
const storeRax = (address: number): readonly number[] => [
  ...[0x48, 0x89, 0x04, 0x25],
  ...littleEndian(BigInt(address)).slice(0, 4),
];
const INC_ECX = [0xff, 0xc1];

function longModeMachine(code: readonly number[], options: Partial<MachineOptions> = {}): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode: 'long', load: LOAD });
  return createMachine({ profile: 'intel-server', boot, ...options }) as Machine;
}

describe('code that was decoded', () => {
  it('does not go on in a block that a page-table edit unmapped', () => {
    const machine = longModeMachine([...movRax(0n), ...storeRax(DIRECTORY), ...INC_ECX]); // unmaps the code itself
    expect(machine.step(0, 3).kind).toBe('shutdown'); // the fetch of INC faults, and there is no IDT
    expect(machine.readRegister(0, 'RCX')).toBe(0n);
  });

  it('continues at the linear address that it was entered at, when its frame has two', () => {
    const machine = longModeMachine([...INC_ECX, ...INC_ECX]);
    machine.step(0, 2);
    machine.writeMemory(DIRECTORY + 8, Uint8Array.from(littleEndian(0x87n))); // 2 MiB: the same frames as 0
    machine.processor(0).set('RIP', 0x20_0000n + BigInt(LOAD));
    machine.step(0, 1);
    expect(machine.readRegister(0, 'RIP')).toBe(0x20_0000n + BigInt(LOAD) + 2n);
  });

  it('is decoded again when it was changed after more memory was used than fits at once', () => {
    // MOV BYTE [RDI], 1; ADD RDI, 4096; DEC ECX; JNZ back; JMP back to the start
    const touch = [0xc6, 0x07, 1, 0x48, 0x81, 0xc7, 0, 0x10, 0, 0, 0xff, 0xc9, 0x75, 0xf2, 0xeb, 0xf0];
    const machine = longModeMachine(touch, { memory: 512 * 2 ** 20 });
    const cpu = machine.processor(0);
    cpu.set('RDI', 0x20_0000n);
    cpu.set('RCX', 67_000n);
    machine.step(0, 4 * 67_000);
    machine.writeMemory(LOAD, Uint8Array.of(0xc6, 0x07, 2));
    cpu.set('RIP', BigInt(LOAD));
    cpu.set('RDI', 0x30_0000n);
    machine.step(0, 1);
    expect(machine.readMemory(0x30_0000, 1)).toEqual(Uint8Array.of(2));
  });

  it('belongs to one code segment: the same IP in another one is other code', () => {
    const bytes = new Uint8Array(0x200);
    bytes.set([0x40], 0); // INC AX
    bytes.set([0x41], 0x100); // INC CX
    const machine = createMachine({
      profile: 'intel-server',
      boot: rawImage({ bytes, mode: 'real', load: 0x1_0000, entry: 0 }),
    });
    const cpu = machine.processor(0);
    const enter = (base: bigint) => {
      cpu.set('CS.base', base);
      cpu.set('RIP', 0n);
      machine.step(0, 1);
    };
    enter(0x1_0000n);
    enter(0x1_0100n);
    expect([cpu.read('RAX'), cpu.read('RCX')]).toEqual([1n, 1n]);
  });

  it('ends at the limit of its segment, in the middle of a block too', () => {
    const bytes = new Uint8Array(0x200).fill(0x40); // INC AX
    const boot = rawImage({ bytes, mode: 'real', load: 0x1_0000, entry: 0 });
    const machine = createMachine({ profile: 'intel-server', boot });
    const cpu = machine.processor(0);
    for (const [register, value] of [
      ['CS.base', 0x1_0000n],
      ['CS.limit', 9n],
      ['IDTR.limit', 0n],
      ['RIP', 0n],
    ] as const)
      cpu.set(register, value);
    expect(machine.step(0, 20)).toMatchObject({ kind: 'shutdown', rule: 'core.segmentation.limit-or-type' });
    expect(cpu.read('RAX')).toBe(10n);
  });

  it('goes on behind FFFFH in 16-bit code, as far as the segment does, and takes #GP at its limit', () => {
    const bytes = new Uint8Array(0x1_0020).fill(0x40); // INC AX
    bytes[0x1_0000] = 0x41; // INC CX
    const machine = createMachine({
      profile: 'intel-server',
      boot: rawImage({ bytes, mode: 'real', load: 0x1_0000, entry: 0 }),
    });
    const cpu = machine.processor(0);
    for (const [register, value] of [
      ['CS.base', 0x1_0000n],
      ['CS.limit', 0xf_ffffn],
      ['RIP', 0xfffen],
    ] as const)
      cpu.set(register, value);
    machine.step(0, 3);
    expect([cpu.read('RAX'), cpu.read('RCX'), cpu.read('RIP')]).toEqual([2n, 1n, 0x1_0001n]);
    cpu.set('CS.limit', 0xffffn);
    cpu.set('IDTR.limit', 0n);
    cpu.set('RIP', 0xffffn);
    expect(machine.step(0, 2)).toMatchObject({ kind: 'shutdown', rule: 'core.segmentation.limit-or-type' });
    expect(cpu.read('RAX')).toBe(3n);
  });

  it('is decoded again when a page walk set an accessed flag in it', () => {
    // The directory entry of 2 MiB is itself the code: C9 (LEAVE) reads the page that it maps, which makes it E9 (JMP).
    const machine = longModeMachine([]);
    const cpu = machine.processor(0);
    machine.writeMemory(DIRECTORY + 8, Uint8Array.of(0xc9));
    cpu.set('RBP', 0x20_0000n);
    for (const opcode of ['leave', 'jmp']) {
      cpu.set('RIP', BigInt(DIRECTORY + 8));
      machine.step(0, 1);
      expect(machine.timeline().stepAt(machine.position - 1).text).toContain(opcode);
    }
    expect(cpu.read('RIP')).toBe(BigInt(DIRECTORY + 8 + 5 + 0x2000)); // JMP over the other bytes of the entry
  });
});

describe('a translation', () => {
  it('is not kept by the store that changes it', () => {
    const machine = longModeMachine([
      ...movRax(0x60_0007n),
      ...storeRax(0x40_0000),
      0x48,
      0x8b,
      0x0c,
      0x25,
      0,
      0,
      0x40,
      0,
    ]);
    machine.writeMemory(0x9000, Uint8Array.from(littleEndian(0x9007n))); // a page table that maps itself at its first page
    machine.writeMemory(DIRECTORY + 16, Uint8Array.from(littleEndian(0x9007n))); // 4 MiB leads to it
    machine.writeMemory(0x60_0000, Uint8Array.of(0x55));
    machine.step(0, 3); // MOV RCX, [4 MiB] now reads frame 600H
    expect(machine.readRegister(0, 'RCX')).toBe(0x55n);
  });
});

describe('a turn', () => {
  it('does not move when its first step cannot be taken', () => {
    const machine = longModeMachine(hex(VMCALL), { processors: 2, plugins: [vmcallMissing] });
    machine.processor(1).set('activity', 0n);
    const before = machine.state.turn;
    expect(() => machine.run({ maxSteps: 10 })).toThrow(/not modelled/);
    expect(machine.log.length).toBe(1);
    expect(machine.state.turn).toEqual(before);
  });
});
