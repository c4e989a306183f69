// SDM, "Local APIC Status and Location" and "x2APIC State Transitions": IA32_APIC_BASE, and what follows from it.

import { LOCAL_APIC_INTERNALS, LOCAL_APIC_REGISTERS } from '../register/local-apic-registers.js';
import { slotOf } from '../register/register-file.js';
import type { Cpu } from '../state/cpu.js';
import { GP, raise } from './exceptions.js';

const BSP = 1n << 8n;
const EXTD = 1 << 10;
const EN = 1 << 11;
const LOW_BITS = 0xfff;
const SOFTWARE_ENABLE = 1 << 8;
const APIC_BASE = slotOf('IA32_APIC_BASE') * 2;
const SPURIOUS = slotOf('APIC_SVR') * 2;
const ID = slotOf('APIC_ID') * 2;
const NO_FRAME = -1;

/** How a local APIC is reached. */
export type LocalApicMode = 'disabled' | 'xAPIC' | 'x2APIC';

/** Of the low half of IA32_APIC_BASE. */
const modeOf = (base: number): LocalApicMode | undefined => {
  if ((base & EN) === 0) return (base & EXTD) === 0 ? 'disabled' : undefined;
  return (base & EXTD) === 0 ? 'xAPIC' : 'x2APIC';
};

/** Where each mode may go: only the way over `disabled` leads back from x2APIC mode. */
const TRANSITIONS: Readonly<Record<LocalApicMode, readonly LocalApicMode[]>> = {
  disabled: ['disabled', 'xAPIC'],
  xAPIC: ['disabled', 'xAPIC', 'x2APIC'],
  x2APIC: ['disabled', 'x2APIC'],
};

/** The mode of a processor's local APIC. */
export function localApicMode({ words }: Cpu): LocalApicMode {
  return modeOf(words[APIC_BASE] as number) ?? 'disabled';
}

/** The physical address of the page of registers; -1 outside xAPIC mode. */
export function localApicPage({ words }: Cpu): number {
  const base = words[APIC_BASE] as number;
  if (modeOf(base) !== 'xAPIC') return NO_FRAME;
  return ((words[APIC_BASE + 1] as number) >>> 0) * 2 ** 32 + ((base & ~LOW_BITS) >>> 0);
}

/** Whether it accepts interrupts: bit 8 of the spurious-interrupt vector register, in either mode. */
export function isLocalApicEnabled(cpu: Cpu): boolean {
  return localApicMode(cpu) !== 'disabled' && ((cpu.words[SPURIOUS] as number) & SOFTWARE_ENABLE) !== 0;
}

/** The APIC ID: 8 bits in bits 31:24 of the register in xAPIC mode, all 32 in x2APIC mode. It is the processor's number. */
export function localApicId(cpu: Cpu): number {
  return localApicMode(cpu) === 'xAPIC' ? (cpu.words[ID] as number) >>> 24 : cpu.id;
}

/** SDM, "Local APIC State After Power-Up or Reset". The APIC ID stays over INIT. */
export function resetLocalApic(cpu: Cpu, { keepId }: { readonly keepId: boolean }): void {
  for (const { name, reset } of LOCAL_APIC_REGISTERS) if (name !== 'APIC_ID' || !keepId) cpu.set(name, reset);
  for (const { name } of LOCAL_APIC_INTERNALS) cpu.set(name, 0n);
  if (!keepId) cpu.set('APIC_ID', BigInt.asUintN(32, BigInt(cpu.id) << 24n));
}

/** WRMSR to IA32_APIC_BASE; BSP is not writable. */
export function writeApicBase(cpu: Cpu, value: bigint): void {
  const from = localApicMode(cpu);
  const to = modeOf(Number(BigInt.asIntN(32, value)));
  if (to === undefined || !TRANSITIONS[from].includes(to)) raise(GP(0), 'core.wrmsr.apic-base-transition');
  cpu.set('IA32_APIC_BASE', value & ~BSP);
  if (to !== from) changeMode(cpu, to);
  cpu.draft.runner.attend(); // past a disabled one INTR reaches the processor
  cpu.draft.flushTlb(); // the page has another address, or is RAM again
}

function changeMode(cpu: Cpu, to: LocalApicMode): void {
  if (to === 'disabled') resetLocalApic(cpu, { keepId: false });
  if (to === 'x2APIC') cpu.set('APIC_ID', BigInt(cpu.id));
}
