// How a guest leaves protected mode by a reset, as programs for the 80286 had to: it writes a shutdown status to the clock's
// memory, an address to 40:67, and has the processors reset by a device or by a third fault. Firmware then goes on at that
// address: with status 05H after an end of interrupt to the 8259s, with 0AH without one. Memory and devices stay.
// Any other status asks for a start from the beginning: that ends the run, and who runs the machine decides.
import { PENDING, setPending } from '../interrupt/pending-bits.js';
import { CMOS, cmosByte } from '../platform/cmos-memory.js';
import type { MachineDraft } from '../state/draft.js';

const JUMPS_THROUGH_40_67: ReadonlySet<number> = new Set([0x05, 0x0a]);

/** Resets the processors if firmware is there and would go on with the guest; otherwise nothing happens. */
export function restartThroughFirmware(draft: MachineDraft): boolean {
  const status = draft.definition.boot?.firmware === 'pc' ? cmosByte(draft, CMOS.shutdownStatus) : undefined;
  if (status === undefined || !JUMPS_THROUGH_40_67.has(status)) return false;
  for (let id = 0; id < draft.processorCount; id++) setPending(draft.cpu(id), PENDING.INIT, true);
  return true;
}
