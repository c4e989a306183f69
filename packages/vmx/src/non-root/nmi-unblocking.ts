// "NMI unblocking due to IRET", bit 12 of exit qualifications and of the interruption information: IRET ends the blocking of
// NMIs before it can fault, and a VM exit that its fault causes says so.
import type { Cpu } from '@retrovisor/core';
import { PinBased } from '../controls.js';
import { guestWord, isOn, setGuestValue } from './controls-in-use.js';

/**
 * Ends the blocking if IRET caused what happens at this boundary and had NMIs to unblock. Undefined, and false here, are the
 * delivery of an event, and "NMI exiting" without "virtual NMIs".
 */
export function unblockNmis(cpu: Cpu): boolean {
  const { delivering, runner } = cpu.draft;
  const { mnemonic = '', address } = runner.executing ?? {};
  if (delivering !== undefined || !mnemonic.startsWith('IRET') || address !== cpu.RIP) return false;
  if (isOn(cpu, PinBased['virtual NMIs'])) {
    const blocked = guestWord(cpu, 'virtualNmiBlocking') !== 0;
    setGuestValue(cpu, 'virtualNmiBlocking', 0);
    return blocked;
  }
  if (isOn(cpu, PinBased['NMI exiting'])) return false;
  const blocked = cpu.read('nmiBlocked') !== 0n;
  cpu.set('nmiBlocked', 0n);
  return blocked;
}
