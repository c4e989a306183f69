// The virtual interrupt control of a VMCB (APM, "Interrupt and Local APIC Support", "Virtual NMI (NMI Virtualization)"): the
// guest's own TPR, one interrupt that the hypervisor offers it, its own GIF, and virtual NMIs. And which events from outside
// are held back: GIF of the processor, and the host's RFLAGS.IF while V_INTR_MASKING is 1.
import {
  type BoundaryEvent,
  type Cpu,
  deliverEvent,
  type EventName,
  isInGuestMode,
  type Outcome,
  RFLAGS,
  SHADOW,
  slotOf,
} from '@retrovisor/core';
import { isGifSet, lowWord, registerSlot, setLowWord } from './processor-registers.js';

/** Bits of the low half of the virtual interrupt control. */
export const V = {
  IRQ: 1 << 8,
  GIF: 1 << 9,
  NMI: 1 << 11,
  NMI_MASK: 1 << 12,
  IGN_TPR: 1 << 20,
  INTR_MASKING: 1 << 24,
  GIF_ENABLE: 1 << 25,
  NMI_ENABLE: 1 << 26,
} as const;
const TPR = 0xf;
const PRIORITY_SHIFT = 16;

const SHADOW_WORD = slotOf('interruptShadow') * 2;
const FLAGS_WORD = slotOf('RFLAGS') * 2;
const IF = 1 << RFLAGS.bits.IF;
const NMI_VECTOR = 2;
const PLAIN = { errorCode: undefined, fault: false } as const;

/** A bit of the guest's virtual interrupt control. */
export const hasVirtual = (cpu: Cpu, bit: number): boolean => (lowWord(cpu, 'VIRTUAL_INTERRUPT') & bit) !== 0;

export function setVirtual(cpu: Cpu, bit: number, value: boolean): void {
  const control = lowWord(cpu, 'VIRTUAL_INTERRUPT');
  setLowWord(cpu, 'VIRTUAL_INTERRUPT', value ? control | bit : control & ~bit);
  cpu.draft.runner.attend();
}

/** CR8 as a guest with V_INTR_MASKING sees it. */
export const virtualTpr = (cpu: Cpu): number => lowWord(cpu, 'VIRTUAL_INTERRUPT') & TPR;

export function setVirtualTpr(cpu: Cpu, value: number): void {
  setLowWord(cpu, 'VIRTUAL_INTERRUPT', (lowWord(cpu, 'VIRTUAL_INTERRUPT') & ~0xff) | (value & TPR));
  cpu.draft.runner.attend();
}

const shadow = ({ words }: Cpu): number => words[SHADOW_WORD] as number;

/** The guest's GIF, where it has one of its own. */
const isVirtualGifClear = (cpu: Cpu): boolean => hasVirtual(cpu, V.GIF_ENABLE) && !hasVirtual(cpu, V.GIF);

function isBelowPriority(cpu: Cpu): boolean {
  const control = lowWord(cpu, 'VIRTUAL_INTERRUPT');
  return (control & V.IGN_TPR) === 0 && ((control >> PRIORITY_SHIFT) & TPR) <= (control & TPR);
}

function takeVirtualInterrupt(cpu: Cpu): Outcome {
  const vector = (cpu.words[registerSlot(cpu, 'VIRTUAL_INTERRUPT') * 2 + 1] as number) & 0xff;
  setVirtual(cpu, V.IRQ, false);
  const interrupted = { kind: 'svm/virtualInterrupt', vector } as const;
  return deliverEvent(cpu, { type: 'external interrupt', vector, ...PLAIN }) ?? interrupted;
}

function takeVirtualNmi(cpu: Cpu): Outcome {
  setVirtual(cpu, V.NMI, false);
  setVirtual(cpu, V.NMI_MASK, true);
  return deliverEvent(cpu, { type: 'NMI', vector: NMI_VECTOR, ...PLAIN }) ?? { kind: 'svm/virtualNmi' };
}

/** V_IRQ: after every physical event. */
export const VIRTUAL_INTERRUPT: BoundaryEvent = {
  event: 'svm/virtual interrupt',
  isThere: (cpu) => isInGuestMode(cpu) && hasVirtual(cpu, V.IRQ),
  isHeld: (cpu) =>
    isVirtualGifClear(cpu) ||
    ((cpu.words[FLAGS_WORD] as number) & IF) === 0 ||
    shadow(cpu) !== SHADOW.none ||
    isBelowPriority(cpu),
  take: takeVirtualInterrupt,
};

/** V_NMI, while the guest's NMIs are virtual. */
export const VIRTUAL_NMI: BoundaryEvent = {
  event: 'svm/virtual NMI',
  isThere: (cpu) => isInGuestMode(cpu) && hasVirtual(cpu, V.NMI_ENABLE) && hasVirtual(cpu, V.NMI),
  isHeld: (cpu) => isVirtualGifClear(cpu) || hasVirtual(cpu, V.NMI_MASK) || shadow(cpu) === SHADOW.movSs,
  take: takeVirtualNmi,
};

/** What GIF holds back. */
const HELD_BY_GIF: ReadonlySet<string> = new Set(['machine check', 'SMI', 'INIT', 'NMI', 'external interrupt']);

/** Whether an event waits: what core decided, GIF, and for physical interrupts the host's IF. */
export function holdsEvent(cpu: Cpu, event: EventName, held: boolean): boolean {
  if (!isGifSet(cpu) && HELD_BY_GIF.has(event)) return true;
  if (event !== 'external interrupt' || !isInGuestMode(cpu) || !hasVirtual(cpu, V.INTR_MASKING)) return held;
  return (lowWord(cpu, 'HOST_RFLAGS') & IF) === 0 || shadow(cpu) !== SHADOW.none;
}
