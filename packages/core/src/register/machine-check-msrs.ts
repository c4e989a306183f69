// SDM, "Machine-Check Architecture": the MSRs of the machine-check mechanism, as every profile has them here: ten banks
// that report nothing by themselves. What they hold comes from software, or from a machine check that an event brings.
import { GP, raise } from '../interrupt/exceptions.js';
import { sdm } from '../manual/sdm.js';
import type { Cpu } from '../state/cpu.js';
import type { MsrDefinition } from './msrs.js';

const MANUAL = sdm('Machine-Check Architecture');
/** Error-reporting banks of a machine. */
export const MACHINE_CHECK_BANKS = 10;
/** Bits 7:0 count the banks, MCG_CTL_P (8) says that IA32_MCG_CTL is there, MCG_SER_P (24) that software can recover. */
const CAPABILITY = BigInt(MACHINE_CHECK_BANKS) | (1n << 8n) | (1n << 24n);
/** RIPV, EIPV and MCIP. */
const STATUS = 0x7n;
const ONES = 2n ** 64n - 1n;
const MC_STATUS_WR_EN = 1n << 18n;

/** All reporting off or all of it on: what the P6 family takes, and what software writes. */
const allOrNothing =
  (register: string) =>
  (cpu: Cpu, value: bigint): void => {
    if (value !== 0n && value !== ONES) raise(GP(0), 'core.wrmsr.machine-check-control');
    cpu.set(register, value);
  };

/** Software can only clear a report, unless HWCR.McStatusWrEn of an AMD processor lets it make one. */
const clearedBySoftware =
  (register: string) =>
  (cpu: Cpu, value: bigint): void => {
    const writable = cpu.profile.vendor === 'AMD' && (cpu.read('HWCR') & MC_STATUS_WR_EN) !== 0n;
    if (value !== 0n && !writable) raise(GP(0), 'core.wrmsr.machine-check-status');
    cpu.set(register, value);
  };

const FIRST_BANK = 0x400;

function bank(index: number): [string, MsrDefinition][] {
  const address = FIRST_BANK + 4 * index;
  const [control, status] = [`IA32_MC${index}_CTL`, `IA32_MC${index}_STATUS`];
  return [
    [control, { address, write: allOrNothing(control), manual: MANUAL }],
    [status, { address: address + 1, write: clearedBySoftware(status), manual: MANUAL }],
    [`IA32_MC${index}_ADDR`, { address: address + 2, manual: MANUAL }],
    [`IA32_MC${index}_MISC`, { address: address + 3, manual: MANUAL }],
  ];
}

export const MACHINE_CHECK_MSRS: Readonly<Record<string, MsrDefinition>> = {
  IA32_MCG_CAP: { address: 0x179, reset: CAPABILITY, readOnly: true, manual: MANUAL },
  IA32_MCG_STATUS: { address: 0x17a, reserved: ONES & ~STATUS, manual: MANUAL },
  IA32_MCG_CTL: { address: 0x17b, write: allOrNothing('IA32_MCG_CTL'), manual: MANUAL },
  ...Object.fromEntries(Array.from({ length: MACHINE_CHECK_BANKS }, (_, index) => bank(index)).flat()),
};
