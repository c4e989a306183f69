// How a device asks for what ends a run: a reset of the machine, or switching it off.
import { restartThroughFirmware } from '../boot/firmware-restart.js';
import type { Cpu } from '../state/cpu.js';

/** The run ends after this step, and the machine stays as it is; unless firmware is to go on with the guest. */
export function requestReset(cpu: Cpu, device: string): void {
  if (restartThroughFirmware(cpu.draft)) return;
  cpu.draft.emissions.push({ type: 'machine/resetRequested', position: cpu.position, device });
  cpu.draft.runner.stopRequested = true;
}

/** The run ends after this step. */
export function requestPowerOff(cpu: Cpu, device: string): void {
  cpu.draft.emissions.push({ type: 'machine/powerOffRequested', position: cpu.position, device });
  cpu.draft.runner.stopRequested = true;
}
