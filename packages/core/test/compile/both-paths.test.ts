// Generated code is exact: whichever path runs, a program is at the same state at each position where one looks.
import { describe, expect, it } from 'vitest';
import {
  createMachine,
  formatDigest,
  type Machine,
  type MachineOptions,
  rawImage,
  stateDigest,
} from '../../src/index.js';

const LOAD = 0x10_0000;
const DATA = 0x20_0000;

function machineWith(code: readonly number[], compile: MachineOptions['compile'], mode: 'long' | 'protected'): Machine {
  const boot = rawImage({ bytes: Uint8Array.from(code), mode, load: LOAD });
  const machine = createMachine({ profile: 'intel-server', boot, ...(compile === undefined ? {} : { compile }) });
  machine.processor(0).set('RBX', BigInt(DATA));
  return machine as Machine;
}

const digestOf = (machine: Machine): string => formatDigest(stateDigest(machine.state));

/** Runs a program on both paths in pieces of some steps and compares the states between them. */
function compare(code: readonly number[], mode: 'long' | 'protected', pieces: readonly number[]): number {
  const reference = machineWith(code, false, mode);
  const compiled = machineWith(code, 0, mode);
  for (const steps of pieces) {
    reference.step(0, steps);
    compiled.step(0, steps);
    expect(digestOf(compiled), `position ${reference.position}`).toBe(digestOf(reference));
  }
  return compiled.compiledSteps;
}

// MOV EAX, [RBX]; IMUL EAX, ECX; ADD [RBX+8], EAX; ADC EDX, [RBX+8]; DEC ECX; JNZ back; then for ever
const LOOP = [
  ...[0x8b, 0x03, 0x0f, 0xaf, 0xc1, 0x01, 0x43, 0x08, 0x13, 0x53, 0x08, 0xff, 0xc9, 0x75, 0xf1],
  ...[0xb9, 0x10, 0, 0, 0, 0xeb, 0xea],
];

const bytesOf = (value: number): readonly number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);

/** MOV ECX, msr; MOV EAX, low; MOV EDX, high; WRMSR */
const writeMsr = (msr: number, low: number, high = 0): readonly number[] => [
  ...[0xb9, ...bytesOf(msr), 0xb8, ...bytesOf(low), 0xba, ...bytesOf(high), 0x0f, 0x30],
];

/** User code that calls the kernel by both pairs of instructions, for ever, after the MSRs are written. */
const SYSTEM_CALLS = ((): readonly number[] => {
  const fast = [
    ...[
      ...writeMsr(0xc000_0080, 0xd01),
      ...writeMsr(0xc000_0081, 0, 0x10_0008),
      ...writeMsr(0xc000_0082, LOAD + 0x140),
    ],
    ...[...writeMsr(0xc000_0084, 0x4_0200), ...writeMsr(0x174, 8), ...writeMsr(0x175, DATA)],
    ...writeMsr(0x176, LOAD + 0x180),
  ];
  // SYSCALL; INC EBX; LEA RDX, the next ADD; MOV RCX, RSP; SYSENTER; ADD EDI, EBX; JMP back
  const caller = [
    ...[0x0f, 0x05, 0xff, 0xc3, 0x48, 0x8d, 0x15, 5, 0, 0, 0, 0x48, 0x89, 0xe1, 0x0f, 0x34, 0x01, 0xdf],
    ...[0xeb, -20 + 256],
  ];
  const all = new Uint8Array(0x190);
  all.set([...fast, ...caller]);
  all.set([0x01, 0xde, 0x41, 0x81, 0xcb, 0, 2, 0, 0, 0x48, 0x0f, 0x07], 0x140); // ADD ESI, EBX; OR R11D, IF; SYSRETQ
  all.set([0xff, 0xc5, 0x48, 0x0f, 0x35], 0x180); // INC EBP; SYSEXITQ
  return [...all];
})();

describe('generated code', () => {
  it.each(['long', 'protected'] as const)('stops at any position asked for, in %s mode', (mode) => {
    const pieces = Array.from({ length: 60 }, (_, index) => 1 + ((index * 7) % 23));
    expect(compare(LOOP, mode, pieces)).toBeGreaterThan(300);
  });

  it('goes on behind instructions in the function form, and to another privilege level', () => {
    const setUp = [...writeMsr(0x174, 8), ...writeMsr(0x175, DATA), ...writeMsr(0x176, LOAD + 0x80)];
    // MOV EDX, the next INC; MOV ECX, ESP; SYSENTER; INC EBX; RDTSC; ADD EDI, EAX; JMP back
    const caller = [0xba, ...bytesOf(LOAD + setUp.length + 9), 0x89, 0xe1, 0x0f, 0x34, 0x43, 0x0f, 0x31, 0x01, 0xc7];
    // ADD ESI, EBX; PUSHFD; STI; NOP; CLI; POP EAX; MOV EAX, CR0; SYSEXIT
    const handler = [0x01, 0xde, 0x9c, 0xfb, 0x90, 0xfa, 0x58, 0x0f, 0x20, 0xc0, 0x0f, 0x35];
    const code = [...setUp, ...caller, 0xeb, -caller.length - 2 + 256];
    const pieces = Array.from({ length: 200 }, (_, index) => 1 + ((index * 7) % 23));
    const all = [...code, ...new Array<number>(0x80 - code.length).fill(0x90), ...handler];
    expect(compare(all, 'protected', pieces)).toBeGreaterThan(1000);
  });

  it('calls the kernel and returns, by SYSCALL and SYSRET and by SYSENTER and SYSEXIT', () => {
    const pieces = Array.from({ length: 200 }, (_, index) => 1 + ((index * 7) % 23));
    expect(compare(SYSTEM_CALLS, 'long', pieces)).toBeGreaterThan(1000);
    const machine = machineWith(SYSTEM_CALLS, 0, 'long');
    machine.step(0, 2000);
    expect(machine.processor(0).read('RBP')).toBeGreaterThan(120n);
  });

  it.each([
    ['IA32_SYSENTER_CS', 0n],
    ['IA32_SYSENTER_CS', 3n],
    ['IA32_EFER', 0xd00n],
    ['IA32_FMASK', 0x4_0300n],
    ['IA32_LSTAR', 0x8000_0000_0000n],
    ['RCX', 0x8000_0000_0000n],
    ['RDX', 0x8000_0000_0000n],
    ['RDX', BigInt(LOAD + 0x180)],
    ['R11', 0x102n],
    ['R11', 0x4_0202n],
    ['R11', 0n],
    ['RFLAGS', 0x4_0202n],
    ['RFLAGS', 0x1_0202n],
  ] as const)('does in system calls what the checks and RFLAGS say, with %s of %d', (register, value) => {
    for (let before = 200; before < 214; before++) {
      const machines = [false, 0].map((compile) => {
        const machine = machineWith(SYSTEM_CALLS, compile as false | 0, 'long');
        machine.step(0, before);
        machine.processor(0).set(register, value);
        machine.step(0, 25);
        return machine;
      }) as [Machine, Machine];
      expect(digestOf(machines[1]), `set after ${before} steps`).toBe(digestOf(machines[0]));
    }
  });

  it('takes an interrupt that was held back where flags let it through', () => {
    const handler = [0x45, 0xb8, ...bytesOf(0xfee0_00b0), 0xc7, 0x00, 0, 0, 0, 0, 0xcf]; // INC EBP; EOI; IRETD
    const idt = LOAD + 0x400;
    const setUp = [
      ...[0xbc, ...bytesOf(DATA + 0x1000), 0xb8, ...bytesOf(0xfee0_00f0), 0xc7, 0x00, ...bytesOf(0x1ff)],
      ...[0x0f, 0x01, 0x1d, ...bytesOf(LOAD + 0x3f0), 0x0f, 0x01, 0x15, ...bytesOf(LOAD + 0x3e0)], // LIDT; LGDT
    ];
    // MOV EDX, ICR; MOV DWORD [EDX], self 80H; INC EBX; PUSH 202H; POPFD; INC ESI; CLI; ADD EDI, ESI; JMP back
    const loop = [
      ...[0xba, ...bytesOf(0xfee0_0300), 0xc7, 0x02, ...bytesOf(0x4_4080), 0x43],
      ...[0x68, ...bytesOf(0x202), 0x9d, 0x46, 0xfa, 0x01, 0xf7],
    ];
    const code = [...setUp, ...loop, 0xeb, -loop.length - 2 + 256];
    const image = new Uint8Array(0x400 + 129 * 8);
    image.set(code);
    image.set(handler, 0x100);
    image.set([129 * 8 - 1, (129 * 8) >> 8, ...bytesOf(idt)], 0x3f0);
    image.set([31, 0, ...bytesOf(LOAD + 0x380)], 0x3e0);
    for (const selector of [8, 0x18]) image.set([0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0], 0x380 + selector);
    image.set([0, 1, 8, 0, 0, 0x8e, LOAD >> 16, 0], 0x400 + 128 * 8);
    const pieces = Array.from({ length: 200 }, (_, index) => 1 + ((index * 7) % 23));
    expect(compare([...image], 'protected', pieces)).toBeGreaterThan(1000);
    const machine = machineWith([...image], 0, 'protected');
    machine.step(0, 1000);
    expect(machine.processor(0).read('RBP')).toBeGreaterThan(60n);
  });

  it('leaves the state of the boundary where an instruction in the middle of a block faults', () => {
    // INC EAX; ADD EAX, [RBX]; ADD RBX, 8; JMP back: until the page behind the mapped memory
    const code = [0xff, 0xc0, 0x03, 0x03, 0x48, 0x83, 0xc3, 0x08, 0xeb, 0xf6];
    const [reference, compiled] = [false, 0].map((compile) => {
      const machine = machineWith(code, compile as false | 0, 'long');
      machine.processor(0).set('RBX', 0x3fff_f000n);
      machine.run({ maxSteps: 100_000 });
      return machine;
    }) as [Machine, Machine];
    expect(compiled.compiledSteps).toBeGreaterThan(1000);
    expect(compiled.position).toBe(reference.position);
    expect(digestOf(compiled)).toBe(digestOf(reference));
  });

  it('faults at a load of which only flags come that nobody needs', () => {
    // CMP [RBX], EAX; ADD ECX, EDX; JMP back
    const code = [0x39, 0x03, 0x01, 0xd1, 0xeb, 0xfa];
    const [reference, compiled] = [false, 0].map((compile) => {
      const machine = machineWith(code, compile as false | 0, 'long');
      machine.step(0, 100);
      machine.processor(0).set('RBX', 0x4000_0000_0000n);
      machine.run({ maxSteps: 1000 });
      return machine;
    }) as [Machine, Machine];
    expect(compiled.compiledSteps).toBeGreaterThan(50);
    expect(compiled.position).toBe(reference.position);
    expect(digestOf(compiled)).toBe(digestOf(reference));
  });

  it('goes on beside data on its own page', () => {
    // INC DWORD [RBX]; DEC ECX; JMP back; RBX points behind the code
    const code = [0xff, 0x03, 0xff, 0xc9, 0xeb, 0xfa];
    const machine = machineWith(code, 5, 'long');
    machine.processor(0).set('RBX', BigInt(LOAD + 0x800));
    machine.step(0, 30_000);
    expect(machine.compiledSteps).toBeGreaterThan(29_000);
    expect(machine.readMemory(LOAD + 0x800, 2)).toEqual(Uint8Array.of(0x10, 0x27));
  });

  it('is not used where it is not wanted', () => {
    const machine = machineWith(LOOP, false, 'long');
    machine.step(0, 1000);
    expect(machine.compiledSteps).toBe(0);
  });
});
