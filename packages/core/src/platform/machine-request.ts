// How a device asks for what ends a run: a reset of the machine, or switching it off.
import type { Cpu } from '../state/cpu.js';

/** The run ends after this step: the machine stays as it is. */
export function requestReset(cpu: Cpu, device: string): void {
  cpu.draft.emissions.push({ type: 'machine/resetRequested', position: cpu.position, device });
  cpu.draft.runner.stopRequested = true;
}

/** The run ends after this step. */
export function requestPowerOff(cpu: Cpu, device: string): void {
  cpu.draft.emissions.push({ type: 'machine/powerOffRequested', position: cpu.position, device });
  cpu.draft.runner.stopRequested = true;
}
