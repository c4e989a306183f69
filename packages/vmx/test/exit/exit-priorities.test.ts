// SDM, "Relative Priority of Faults and VM Exits": at CPL 1, with every control that makes an instruction exit, either the fault
// comes first (all exceptions cause exits here) or the exit does.
import { describe, expect, it } from 'vitest';
import { Primary, Secondary } from '../../src/controls.js';
import { INTERCEPTED_INSTRUCTIONS } from '../../src/exit/instruction-exits.js';
import type { FieldName } from '../../src/fields.js';
import { GUEST_CODE, guestFields, readField, TSS, writeFields } from '../support/guest.js';
import { INTERCEPT_ENTRIES } from '../support/inventory.js';
import { rootMachine } from '../support/machine.js';

const PRIMARY = [
  'HLT exiting',
  'INVLPG exiting',
  'RDPMC exiting',
  'RDTSC exiting',
  'MWAIT exiting',
  'MONITOR exiting',
  'CR3-load exiting',
  'CR8-load exiting',
  'MOV-DR exiting',
  'PAUSE exiting',
  'unconditional I/O exiting',
  'activate secondary controls',
] as const;
const SECONDARY = ['descriptor-table exiting', 'WBINVD exiting', 'RDRAND exiting', 'RDSEED exiting'] as const;

/** `#UD` and `#GP` are faults that come first; a number is the exit reason. */
const FIRST: readonly (readonly [name: string, code: readonly number[], first: '#UD' | '#GP' | number])[] = [
  ['HLT', [0xf4], '#GP'],
  ['INVD', [0x0f, 0x08], '#GP'],
  ['INVLPG', [0x0f, 0x01, 0x38], '#GP'],
  ['RDPMC', [0x0f, 0x33], '#GP'],
  ['RDMSR', [0x0f, 0x32], '#GP'],
  ['WRMSR', [0x0f, 0x30], '#GP'],
  ['MOV CR0, RAX', [0x0f, 0x22, 0xc0], '#GP'],
  ['MOV CR3, RAX', [0x0f, 0x22, 0xd8], '#GP'],
  ['MOV CR8, RAX', [0x44, 0x0f, 0x22, 0xc0], '#GP'],
  ['CLTS', [0x0f, 0x06], '#GP'],
  ['LMSW AX', [0x0f, 0x01, 0xf0], '#GP'],
  ['LGDT', [0x0f, 0x01, 0x10], '#GP'],
  ['LTR AX', [0x0f, 0x00, 0xd8], '#GP'],
  ['WBINVD', [0x0f, 0x09], '#GP'],
  ['XSETBV', [0x0f, 0x01, 0xd1], '#GP'],
  ['IN AL, 60H', [0xe4, 0x60], '#GP'],
  ['INSB', [0x6c], '#GP'],
  ['MONITOR', [0x0f, 0x01, 0xc8], '#UD'],
  ['MWAIT', [0x0f, 0x01, 0xc9], '#UD'],
  ['RDTSCP without its control', [0x0f, 0x01, 0xf9], '#UD'],
  ['INVPCID without its control', [0x66, 0x0f, 0x38, 0x82, 0x08], '#UD'],
  ['XSAVES without its control', [0x0f, 0xc7, 0x28], '#UD'],
  ['CPUID', [0x0f, 0xa2], 10],
  ['RDTSC', [0x0f, 0x31], 16],
  ['VMCALL', [0x0f, 0x01, 0xc1], 18],
  ['VMCLEAR', [0x66, 0x0f, 0xc7, 0x30], 19],
  ['VMLAUNCH', [0x0f, 0x01, 0xc2], 20],
  ['VMPTRLD', [0x0f, 0xc7, 0x30], 21],
  ['VMPTRST', [0x0f, 0xc7, 0x38], 22],
  ['VMREAD', [0x0f, 0x78, 0xc8], 23],
  ['VMRESUME', [0x0f, 0x01, 0xc3], 24],
  ['VMWRITE', [0x0f, 0x79, 0xc8], 25],
  ['VMXOFF', [0x0f, 0x01, 0xc4], 26],
  ['VMXON', [0xf3, 0x0f, 0xc7, 0x30], 27],
  ['MOV RAX, DR7', [0x0f, 0x21, 0xf8], 29],
  ['PAUSE', [0xf3, 0x90], 40],
  ['SGDT', [0x0f, 0x01, 0x00], 46],
  ['STR EAX', [0x0f, 0x00, 0xc8], 47],
  ['INVEPT', [0x66, 0x0f, 0x38, 0x80, 0x08], 50],
  ['INVVPID', [0x66, 0x0f, 0x38, 0x81, 0x08], 53],
  ['RDRAND EAX', [0x0f, 0xc7, 0xf0], 57],
];
const VECTORS = { '#UD': 6, '#GP': 13 } as const;

const mask = (bits: readonly { readonly bit: number }[]): bigint =>
  bits.reduce((all, { bit }) => all | (1n << BigInt(bit)), 0n);

/** Of a code or data segment with DPL 1. */
const SEGMENTS = Object.fromEntries(
  ['CS', 'SS', 'DS', 'ES', 'FS', 'GS'].flatMap((name) => [
    [`Guest ${name} selector`, name === 'CS' ? 9n : 17n],
    [`Guest ${name} access rights`, name === 'CS' ? 0xa0bbn : 0xc0b3n],
  ]),
);

function guestAtLevel1(code: readonly number[]) {
  const machine = rootMachine();
  const cpu = machine.processor(0);
  cpu.set('CR4', cpu.read('CR4') | (1n << 18n)); // OSXSAVE
  machine.writeMemory(GUEST_CODE, Uint8Array.from(code));
  machine.writeMemory(TSS + 0x66n, Uint8Array.of(0xff, 0xff)); // no I/O permission bitmap
  const fields: Partial<Record<FieldName, bigint>> = { ...guestFields(machine), ...SEGMENTS };
  const primary = 'Primary processor-based VM-execution controls';
  writeFields(machine, {
    ...fields,
    [primary]: (fields[primary] ?? 0n) | mask(PRIMARY.map((name) => Primary[name])),
    'Secondary processor-based VM-execution controls': mask(SECONDARY.map((name) => Secondary[name])),
    'Exception bitmap': 0xffff_ffffn,
    'CR0 guest/host mask': 0xffff_ffffn,
  });
  expect(cpu.vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
  return machine;
}

describe.each(FIRST)('%s at CPL 1', (_, code, first) => {
  it(typeof first === 'number' ? 'exits before the fault for its privilege' : `is ${first} before it exits`, () => {
    const machine = guestAtLevel1(code);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'vmx/VM-exit' });
    expect(readField(machine, 'Exit reason')).toBe(typeof first === 'number' ? BigInt(first) : 0n);
    if (typeof first === 'string')
      expect(readField(machine, 'VM-exit interruption information') & 0xffn).toBe(BigInt(VECTORS[first]));
  });
});

it('starts a loop of PAUSE anew at VM entry', () => {
  const machine = rootMachine();
  const cpu = machine.processor(0);
  machine.writeMemory(GUEST_CODE, Uint8Array.from([0xf3, 0x90, 0xf3, 0x90, 0xf3, 0x90, 0xeb, 0xf8]));
  const fields: Partial<Record<FieldName, bigint>> = guestFields(machine);
  const primary = 'Primary processor-based VM-execution controls';
  writeFields(machine, {
    ...fields,
    [primary]: (fields[primary] ?? 0n) | mask([Primary['activate secondary controls']]),
    'Secondary processor-based VM-execution controls': mask([Secondary['PAUSE-loop exiting']]),
    PLE_Gap: 1000n,
    PLE_Window: 5n,
  });
  const stepsToExit = (): number => {
    for (let steps = 1; steps < 100; steps++) {
      cpu.step();
      if (cpu.read('guestMode') === 0n) return steps;
    }
    return Number.POSITIVE_INFINITY;
  };
  expect(cpu.vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
  const first = stepsToExit();
  expect(readField(machine, 'Exit reason')).toBe(40n);
  expect(first).toBeGreaterThan(1);
  expect(cpu.vmresume()).toEqual({ kind: 'vmx/VM-entry' });
  expect(stepsToExit()).toBeGreaterThan(1);
});

/** CPUID hides them, so that they are #UD, as on a processor that lacks them; RSM is #UD outside SMM. */
const NOT_THERE = [
  ...['RSM', 'TPAUSE', 'UMWAIT', 'UMONITOR', 'LOADIWKEY', 'ENCLS', 'ENCLV', 'PCONFIG', 'ENQCMD', 'ENQCMDS', 'SEAMCALL'],
  ...['TDCALL', 'RDMSR imm', 'WRMSRNS imm', 'WRMSRNS', 'RDMSRLIST', 'WRMSRLIST', 'URDMSR', 'UWRMSR'],
];
/** Of an exception, not of the instruction. */
const EXCEPTIONS = ['INT1'];
/** It has its exit in the instruction itself. */
const OWN_EXIT = ['VMFUNC'];

const mnemonicOf = (name: string): string => {
  if (/^MOV .*CR\d/.test(name)) return 'MOV CR';
  if (/^MOV .*DR/.test(name)) return 'MOV DR';
  return name.replace(/^(INS|OUTS)$/, '$1B').replace(/^MWAIT .*/, 'MWAIT');
};

it('has a row for each instruction of the matrix of intercepts that the machine has', () => {
  const names = INTERCEPT_ENTRIES.filter(({ kind, vmx }) => kind === 'instruction' && vmx !== null)
    .flatMap(({ name }) => name.split(', '))
    .map(mnemonicOf);
  const known = [...INTERCEPTED_INSTRUCTIONS, ...NOT_THERE, ...EXCEPTIONS, ...OWN_EXIT];
  expect(names.length).toBeGreaterThan(60);
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});
