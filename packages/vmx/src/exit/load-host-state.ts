// SDM, "Loading Host State": from the host-state area to the registers, with everything that no field says.
import { type Cpu, CR4, EFER, pdptesInMemory, setPdptes, slotOf } from '@retrovisor/core';
import { Exit } from '../controls.js';
import { CR0_KEPT } from '../entry/load-guest-state.js';
import { type FieldName, fieldNamed } from '../fields.js';
import { isOn } from '../non-root/controls-in-use.js';
import { row } from '../non-root/guest-registers.js';
import type { Vmcs } from '../vmcs.js';

/** Registers with a field of their own. */
const HOST_STATE = [
  row('CR3', 'Host CR3'),
  row('FS.base', 'Host FS base'),
  row('GS.base', 'Host GS base'),
  row('TR.base', 'Host TR base'),
  row('GDTR.base', 'Host GDTR base'),
  row('IDTR.base', 'Host IDTR base'),
  row('RSP', 'Host RSP'),
  row('RIP', 'Host RIP'),
  row('IA32_SYSENTER_CS', 'Host IA32_SYSENTER_CS'),
  row('IA32_SYSENTER_ESP', 'Host IA32_SYSENTER_ESP'),
  row('IA32_SYSENTER_EIP', 'Host IA32_SYSENTER_EIP'),
] as const;

/** Registers that are the same after each exit: selectors aside. */
const FIXED: readonly (readonly [register: string, value: number])[] = [
  ['GDTR.limit', 0xffff],
  ['IDTR.limit', 0xffff],
  ['DR7', 0x400],
  ['CS.base', 0],
  ['CS.limit', -1],
  ['SS.base', 0],
  ['DS.base', 0],
  ['ES.base', 0],
  ['TR.limit', 0x67],
  ['TR.attributes', 0x8b],
  ['LDTR.selector', 0],
  ['LDTR.attributes', 0x1_0000],
  ['activity', 0],
  ['interruptShadow', 0],
  ['pendingDebug', 0],
];
const FIXED_SLOTS = FIXED.map(([register, value]) => [slotOf(register), value] as const);

/** Access rights: code is accessed, readable; data is accessed, writable, 32-bit; all are present, with 4-KByte granularity. */
const RIGHTS = { code64: 0xa09b, code32: 0xc09b, data: 0xc093, unusable: 0x1_0000 } as const;

const segment = (name: 'ES' | 'CS' | 'SS' | 'DS' | 'FS' | 'GS' | 'TR') => ({
  selector: slotOf(`${name}.selector`),
  limit: slotOf(`${name}.limit`),
  attributes: slotOf(`${name}.attributes`),
  field: fieldNamed(`Host ${name} selector` as FieldName),
});
const [CS, TR] = [segment('CS'), segment('TR')];
const DATA = (['ES', 'SS', 'DS', 'FS', 'GS'] as const).map(segment);

const CR0_FIELD = fieldNamed('Host CR0');
const CR4_FIELD = fieldNamed('Host CR4');
const EFER_FIELD = fieldNamed('Host IA32_EFER');
const MSRS = [
  [Exit['load IA32_PAT'], 'IA32_PAT', fieldNamed('Host IA32_PAT')],
  [Exit['load PKRS'], 'IA32_PKRS', fieldNamed('Host IA32_PKRS')],
] as const;
const LONG_MODE = (1n << BigInt(EFER.bits.LMA)) | (1n << BigInt(EFER.bits.LME));
const PAE = 1n << BigInt(CR4.bits.PAE);
const PCIDE = 1n << BigInt(CR4.bits.PCIDE);

/** The controls are still those of the guest that is left. */
export function loadHostState(cpu: Cpu, vmcs: Vmcs): void {
  const is64 = isOn(cpu, Exit['host address-space size']);
  cpu.CR0.value = (vmcs.value(CR0_FIELD) & ~CR0_KEPT) | (cpu.CR0.value & CR0_KEPT);
  const cr4 = vmcs.value(CR4_FIELD);
  cpu.CR4.value = is64 ? cr4 | PAE : cr4 & ~PCIDE;
  for (const { slot, field } of HOST_STATE) cpu.writeWords(slot, vmcs.word(field), vmcs.high(field));
  for (const [slot, value] of FIXED_SLOTS) cpu.writeWords(slot, value, 0);
  cpu.set('IA32_DEBUGCTL', 0n);
  if (isOn(cpu, Exit['load IA32_EFER'])) cpu.EFER.value = vmcs.value(EFER_FIELD);
  else cpu.EFER.value = (cpu.EFER.value & ~LONG_MODE) | (is64 ? LONG_MODE : 0n);
  for (const [control, msr, field] of MSRS) if (isOn(cpu, control)) cpu.set(msr, vmcs.value(field));
  loadSegments(cpu, vmcs, is64);
  cpu.RFLAGS.value = 2n;
}

/** In VMX root operation: the table is not one of the guest's memory. */
export function loadHostPdptes(cpu: Cpu): void {
  if (!cpu.EFER.LMA && (cpu.CR4.value & PAE) !== 0n) setPdptes(cpu, pdptesInMemory(cpu, cpu.CR3));
}

/** A null selector leaves a data segment unusable; CS and TR are never null. */
function loadSegments(cpu: Cpu, vmcs: Vmcs, is64: boolean): void {
  for (const { selector, limit, attributes, field } of DATA) {
    const value = vmcs.word(field);
    cpu.writeWords(selector, value, 0);
    cpu.writeWords(limit, -1, 0);
    cpu.writeWords(attributes, value === 0 ? RIGHTS.unusable : RIGHTS.data, 0);
  }
  cpu.writeWords(CS.selector, vmcs.word(CS.field), 0);
  cpu.writeWords(CS.attributes, is64 ? RIGHTS.code64 : RIGHTS.code32, 0);
  cpu.writeWords(TR.selector, vmcs.word(TR.field), 0);
}
