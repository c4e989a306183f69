// A20M#: while the pin is asserted bit 20 of every physical address of a processor is 0, as addresses wrapped at 1 MByte on
// the 8086. The keyboard controller and port 92H drive it. The TLB holds masked addresses (memory/paging.ts), so that only
// a change costs anything. Structures that a processor reaches by physical address (a VMCS) are not masked.
import type { MachineDraft } from '../state/draft.js';

/** Opens or closes the A20 gate of the machine: closed, bit 20 of physical addresses is masked on every processor. */
export function setA20Gate(draft: MachineDraft, open: boolean): void {
  const masked = open ? 0n : 1n;
  for (let id = 0; id < draft.processorCount; id++) {
    const cpu = draft.cpu(id);
    if (cpu.read('A20M') !== masked) cpu.set('A20M', masked);
  }
}

/** Whether address line 20 is let through. */
export const isA20GateOpen = (draft: MachineDraft): boolean => draft.cpu(0).read('A20M') === 0n;
