// SDM, "PAUSE" among the instructions that cause VM exits conditionally: PAUSE exiting at any level, PAUSE-loop exiting at CPL 0.
import type { Cpu } from '@retrovisor/core';
import { Primary, Secondary } from '../controls.js';
import { guestValue, guestWord, isOn, setGuestValue } from '../non-root/controls-in-use.js';
import type { VmExit } from './exit.js';

const EXIT: VmExit = { reason: 40 };

export function pauseExit(cpu: Cpu): VmExit | undefined {
  if (isOn(cpu, Primary['PAUSE exiting'])) return EXIT;
  return cpu.CPL === 0 && isOn(cpu, Secondary['PAUSE-loop exiting']) && endsLoop(cpu) ? EXIT : undefined;
}

/** The first PAUSE of a loop is one that comes later than PLE_Gap after the last; one later than PLE_Window after it exits. */
function endsLoop(cpu: Cpu): boolean {
  const now = cpu.timeStamp();
  const last = guestValue(cpu, 'lastPause');
  setGuestValue(cpu, 'lastPause', now);
  if (last === 0n || now - last > BigInt(guestWord(cpu, 'pauseGap'))) {
    setGuestValue(cpu, 'firstPause', now);
    return false;
  }
  return now - guestValue(cpu, 'firstPause') > BigInt(guestWord(cpu, 'pauseWindow'));
}
