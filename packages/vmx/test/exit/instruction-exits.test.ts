// Instructions of a guest and the exits that they cause: machine code, what makes it exit, and what is recorded.
import { describe, expect, it } from 'vitest';
import type { Control } from '../../src/controls.js';
import { Primary, Secondary } from '../../src/controls.js';
import type { FieldName } from '../../src/fields.js';
import { GUEST_CODE, guestFields, readField, writeFields } from '../support/guest.js';
import { rootMachine } from '../support/machine.js';

interface Case {
  readonly code: readonly number[];
  readonly reason: bigint;
  readonly controls?: readonly Control[];
  readonly fields?: Partial<Record<FieldName, bigint>>;
  readonly registers?: Readonly<Record<string, bigint>>;
  readonly qualification?: bigint;
  readonly information?: bigint;
}

const CASES: Readonly<Record<string, Case>> = {
  CPUID: { code: [0x0f, 0xa2], reason: 10n },
  HLT: { code: [0xf4], reason: 12n, controls: [Primary['HLT exiting']] },
  INVD: { code: [0x0f, 0x08], reason: 13n },
  'INVLPG [RAX+8]': {
    code: [0x0f, 0x01, 0x78, 0x08],
    reason: 14n,
    controls: [Primary['INVLPG exiting']],
    registers: { RAX: 0x5000n },
    qualification: 0x5008n,
  },
  RDPMC: { code: [0x0f, 0x33], reason: 15n, controls: [Primary['RDPMC exiting']] },
  RDTSC: { code: [0x0f, 0x31], reason: 16n, controls: [Primary['RDTSC exiting']] },
  VMCALL: { code: [0x0f, 0x01, 0xc1], reason: 18n },
  'VMCLEAR [RBX+RCX*4+16]': {
    code: [0x66, 0x0f, 0xc7, 0x74, 0x8b, 0x10],
    reason: 19n,
    qualification: 16n,
    information: 0x185_8102n & ~0x400n,
  },
  VMLAUNCH: { code: [0x0f, 0x01, 0xc2], reason: 20n },
  'VMREAD RAX, RCX': { code: [0x0f, 0x78, 0xc8], reason: 23n, information: 0x1000_0400n },
  VMXOFF: { code: [0x0f, 0x01, 0xc4], reason: 26n },
  'MOV CR0, RDX, a bit of the host': {
    code: [0x0f, 0x22, 0xc2],
    reason: 28n,
    fields: { 'CR0 guest/host mask': 8n, 'CR0 read shadow': 0n },
    registers: { RDX: 0x8000_0039n },
    qualification: 0x200n,
  },
  'MOV CR3, RSI': {
    code: [0x0f, 0x22, 0xde],
    reason: 28n,
    controls: [Primary['CR3-load exiting']],
    registers: { RSI: 0x7000n },
    qualification: 0x603n,
  },
  CLTS: {
    code: [0x0f, 0x06],
    reason: 28n,
    fields: { 'CR0 guest/host mask': 8n, 'CR0 read shadow': 8n },
    qualification: 0x20n,
  },
  'MOV R9, DR7': {
    code: [0x41, 0x0f, 0x21, 0xf9],
    reason: 29n,
    controls: [Primary['MOV-DR exiting']],
    qualification: 0x917n,
  },
  'OUT 61H, AL': {
    code: [0xe6, 0x61],
    reason: 30n,
    controls: [Primary['unconditional I/O exiting']],
    qualification: 0x61_0040n,
  },
  'IN EAX, DX': {
    code: [0xed],
    reason: 30n,
    controls: [Primary['unconditional I/O exiting']],
    registers: { RDX: 0xcf8n },
    qualification: 0xcf8_000bn,
  },
  'REP OUTSB': {
    code: [0xf3, 0x6e],
    reason: 30n,
    controls: [Primary['unconditional I/O exiting']],
    registers: { RDX: 0x3f8n, RCX: 3n },
    qualification: 0x3f8_0030n,
    information: 0x1_8100n,
  },
  RDMSR: { code: [0x0f, 0x32], reason: 31n, registers: { RCX: 0x1bn } },
  'WRMSR of an MSR that is none': { code: [0x0f, 0x30], reason: 32n, registers: { RCX: 0x1234n } },
  PAUSE: { code: [0xf3, 0x90], reason: 40n, controls: [Primary['PAUSE exiting']] },
  'LGDT [RAX]': {
    code: [0x0f, 0x01, 0x10],
    reason: 46n,
    controls: [Secondary['descriptor-table exiting']],
    qualification: 0n,
    information: 0x2041_8900n | 0x18000n,
  },
  'STR EAX': {
    code: [0x0f, 0x00, 0xc8],
    reason: 47n,
    controls: [Secondary['descriptor-table exiting']],
    information: 0x1000_0400n,
  },
  WBINVD: { code: [0x0f, 0x09], reason: 54n, controls: [Secondary['WBINVD exiting']] },
  XSETBV: { code: [0x0f, 0x01, 0xd1], reason: 55n },
  'RDRAND ECX': {
    code: [0x0f, 0xc7, 0xf1],
    reason: 57n,
    controls: [Secondary['RDRAND exiting']],
    information: 0x808n,
  },
};

function prepared({ code, controls = [], fields = {}, registers = {} }: Case) {
  const machine = rootMachine();
  const cpu = machine.processor(0);
  cpu.set('CR4', cpu.read('CR4') | (1n << 18n)); // OSXSAVE
  machine.writeMemory(GUEST_CODE, Uint8Array.from(code));
  const all: Record<string, bigint> = { ...guestFields(machine), ...fields };
  for (const { bit, group } of controls) {
    all[group.field] = (all[group.field] ?? 0n) | (1n << BigInt(bit));
    if (group.activatedBy === undefined) continue;
    const { field } = group.activatedBy.group;
    all[field] = (all[field] ?? 0n) | (1n << BigInt(group.activatedBy.bit));
  }
  writeFields(machine, all);
  for (const [register, value] of Object.entries(registers)) cpu.set(register, value);
  expect(cpu.vmlaunch()).toEqual({ kind: 'vmx/VM-entry' });
  return machine;
}

describe.each(Object.entries(CASES))('%s', (_, row) => {
  it('causes a VM exit that says what it was', () => {
    const machine = prepared(row);
    expect(machine.processor(0).step()).toMatchObject({ kind: 'vmx/VM-exit' });
    expect(readField(machine, 'Exit reason')).toBe(row.reason);
    expect(readField(machine, 'Guest RIP')).toBe(GUEST_CODE);
    expect(readField(machine, 'VM-exit instruction length')).toBe(BigInt(row.code.length));
    if (row.qualification !== undefined) expect(readField(machine, 'Exit qualification')).toBe(row.qualification);
    if (row.information !== undefined)
      expect(readField(machine, 'VM-exit instruction information').toString(16)).toBe(row.information.toString(16));
  });
});

describe('what needs no exit', () => {
  it('reads shadows, and keeps the bits of the host', () => {
    // mov rax, cr0; mov cr0, rax; mov rbx, cr4
    const machine = prepared({
      code: [0x0f, 0x20, 0xc0, 0x0f, 0x22, 0xc0, 0x0f, 0x20, 0xe3],
      reason: 0n,
      fields: {
        'CR0 guest/host mask': 0x28n,
        'CR0 read shadow': 8n,
        'CR4 guest/host mask': 0x2000n,
        'CR4 read shadow': 0n,
      },
    });
    const cpu = machine.processor(0);
    const real = cpu.read('CR0');
    cpu.step(2);
    expect(cpu.read('RAX')).toBe((real & ~0x28n) | 8n);
    expect(cpu.read('CR0')).toBe(real);
    cpu.step();
    expect(cpu.read('RBX') & 0x2000n).toBe(0n);
  });

  it('fails a VMREAD of a shadow VMCS where the link pointer names none', () => {
    const machine = prepared({
      code: [0x0f, 0x78, 0xc8],
      reason: 0n,
      controls: [Secondary['VMCS shadowing']],
      fields: { 'VMREAD-bitmap address': 0x17_0000n, 'VMWRITE-bitmap address': 0x17_1000n },
      registers: { RCX: 0x681en },
    });
    expect(machine.processor(0).step()).toMatchObject({ kind: 'vmx/VMfailInvalid' });
  });

  it('offsets the time-stamp counter', () => {
    const machine = prepared({
      code: [0x0f, 0x31],
      reason: 0n,
      controls: [Primary['use TSC offsetting']],
      fields: { 'TSC offset': 0x1_0000_0000n },
    });
    const cpu = machine.processor(0);
    cpu.step();
    expect(cpu.read('RDX')).toBe(1n);
  });
});
