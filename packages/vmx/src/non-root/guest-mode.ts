// VMX non-root operation as core's guest mode: what the controls of the guest ask of the machine while it runs.
import type { Cpu, Guest, GuestMode } from '@retrovisor/core';
import { Primary } from '../controls.js';
import { secondLevelOf, translationTagOf } from '../ept/second-level.js';
import { isOn } from './controls-in-use.js';
import { pendExit } from './pending-exits.js';

export const guestMode: GuestMode = {
  guestOf: (cpu): Guest => ({
    secondLevel: secondLevelOf(cpu),
    tag: translationTagOf(cpu),
    stepwise: isOn(cpu, Primary['monitor trap flag']),
  }),
};

/** Intercept: the monitor trap flag counts instructions. */
export function stepped(cpu: Cpu): void {
  pendExit(cpu, 'monitor trap flag');
}
