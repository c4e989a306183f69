// A machine in VMX root operation whose current VMCS describes a guest in 64-bit mode: it shares the paging of the host, and its
// code lies at GUEST_CODE. The host goes on at HOST_CODE.
import type { Plugin } from '@retrovisor/core';
import type { FieldName } from '../../src/fields.js';
import { fieldNamed } from '../../src/fields.js';
import { type Overrides, rootMachine, type VmxMachineUnderTest } from './machine.js';

export const GUEST_CODE = 0x12_0000n;
export const HOST_CODE = 0x13_0000n;
const GUEST_STACK = 0x14_0000n;
const HOST_STACK = 0x15_0000n;
export const TSS = 0x16_0000n;
const NO_LINK = 0xffff_ffff_ffff_ffffn;
const RIGHTS = { code: 0xa09bn, data: 0xc093n, ldt: 0x1_0000n, tss: 0x8bn } as const;

export type Fields = Readonly<Partial<Record<FieldName, bigint>>>;

const segment = (name: string, selector: bigint, rights: bigint, limit = 0xffff_ffffn, base = 0n) => ({
  [`Guest ${name} selector`]: selector,
  [`Guest ${name} access rights`]: rights,
  [`Guest ${name} limit`]: limit,
  [`Guest ${name} base`]: base,
});

/** The fields of such a guest; controls are those that every processor with VMX allows. */
export function guestFields(machine: VmxMachineUnderTest): Fields {
  const cpu = machine.processor(0);
  const same = (field: string, register: string) => ({
    [`Guest ${field}`]: cpu.read(register),
    [`Host ${field}`]: cpu.read(register),
  });
  return {
    'Pin-based VM-execution controls': 0x16n,
    'Primary processor-based VM-execution controls': 0x0400_6172n,
    'Primary VM-exit controls': 0x3_6fffn,
    'VM-entry controls': 0x13ffn,
    ...same('CR0', 'CR0'),
    ...same('CR3', 'CR3'),
    ...same('CR4', 'CR4'),
    ...segment('CS', 8n, RIGHTS.code),
    ...Object.assign({}, ...['SS', 'DS', 'ES', 'FS', 'GS'].map((name) => segment(name, 16n, RIGHTS.data))),
    ...segment('LDTR', 0n, RIGHTS.ldt, 0n),
    ...segment('TR', 24n, RIGHTS.tss, 0x67n, TSS),
    'Host CS selector': 8n,
    'Host SS selector': 16n,
    'Host TR selector': 24n,
    'Host TR base': TSS,
    ...same('GDTR base', 'GDTR.base'),
    ...same('IDTR base', 'IDTR.base'),
    'Guest GDTR limit': cpu.read('GDTR.limit'),
    'Guest IDTR limit': cpu.read('IDTR.limit'),
    'Guest DR7': 0x400n,
    'Guest RIP': GUEST_CODE,
    'Guest RSP': GUEST_STACK,
    'Guest RFLAGS': 2n,
    'Host RIP': HOST_CODE,
    'Host RSP': HOST_STACK,
    'VMCS link pointer': NO_LINK,
  } as Fields;
}

/** The machine, with fields that differ and the bytes of the guest. */
export function guestMachine(
  code: readonly number[],
  fields: Fields = {},
  overrides: Overrides = {},
  others: readonly Plugin[] = [],
): VmxMachineUnderTest {
  const machine = rootMachine(overrides, others);
  machine.writeMemory(GUEST_CODE, Uint8Array.from(code));
  writeFields(machine, { ...guestFields(machine), ...fields });
  return machine;
}

/** VMWRITE of each field. */
export function writeFields(machine: VmxMachineUnderTest, fields: Fields): void {
  for (const [name, value] of Object.entries(fields))
    machine.processor(0).vmwrite(BigInt(fieldNamed(name as FieldName).encoding), value ?? 0n);
}

/** VMREAD of one. */
export function readField(machine: VmxMachineUnderTest, name: FieldName): bigint {
  const outcome = machine.processor(0).vmread(BigInt(fieldNamed(name).encoding));
  return (outcome as unknown as { readonly value: bigint }).value;
}
